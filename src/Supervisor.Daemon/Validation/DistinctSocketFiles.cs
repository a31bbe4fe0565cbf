using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Validation;

/// <summary>
/// Rule: no two listeners (UNIX, FIFO) have one file in two spellings, such as /var/run and /run, or a double slash. One spelling is the
/// business of a pure rule.
/// </summary>
internal static class DistinctSocketFiles
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config)
    {
        var files = config.Readable.Listeners.Where(listener => listener.Address.HasFile).ToArray();
        if (files.Length < 2)
        {
            return [];
        }

        return from same in files.GroupBy(listener => SocketFiles.RealPath(listener.Address.Path!))
               where same.Key is not null
               let first = same.First()
               from other in same.Skip(1)
               where other.Address.Path != first.Address.Path
               select config.Places.Diagnostic(
                   "listener", other.Name, "address",
                   $"{other.Address} leads to the same file as {first.Address} of listener \"{first.Name}\" (duplicate-in-config)",
                   "give one of the two listeners another address");
    }
}
