using Serilog.Core;
using Supervisor.Config;
using Supervisor.Control;
using Supervisor.Core.Listeners;
using Supervisor.Daemon.Control;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon;

/// <summary>Whether the listeners of a configuration could be made now: each is made for a moment and closed. UNIX paths are left alone.</summary>
internal static class Preflight
{
    public static IEnumerable<FailureDocument> Check(ListendConfig config)
    {
        var factory = new ListenerFactory(TimeProvider.System, Logger.None);
        foreach (var spec in config.Listeners.Where(spec => !spec.Address.Kind.IsUnix()))
        {
            var handle = factory.Create(spec);
            try
            {
                if (Documents.Failure(handle) is { } failure)
                {
                    yield return failure;
                }
            }
            finally
            {
                factory.Close(handle, removePath: true);
            }
        }
    }
}
