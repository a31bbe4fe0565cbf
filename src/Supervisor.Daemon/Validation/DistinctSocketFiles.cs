using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Validation;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Validation;

/// <summary>
/// Rule: no two listeners (UNIX, FIFO) have one file in two spellings, such as /var/run and /run. What the text alone tells, such as a
/// double slash, is the business of a pure rule.
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
               where DuplicateListeners.Plain(other.Address.Path!) != DuplicateListeners.Plain(first.Address.Path!)
               select config.Places.Diagnostic(
                   "listener", other.Name, "address",
                   $"{other.Address} leads to the same file as {first.Address} of listener \"{first.Name}\" (duplicate-in-config)",
                   "give one of the two listeners another address");
    }
}
