using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Control;
using Supervisor.Linux.Continuity;

namespace Supervisor.Daemon.Validation;

/// <summary>Rule: no listend of another configuration runs in the runtime directory, which would refuse a start of this one.</summary>
internal static class OtherDaemon
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config)
    {
        if (config.File is not { } file || TrustedRuntimeDirectory.Of(config.Readable) is not { } directory)
        {
            yield break;
        }

        var paths = new RuntimePaths(directory);
        if (LockHolder.Of(paths.LockFile) is not { Lives: true, Pid: { } pid }
            || StateFile.Read(paths.StateFile).Manifest is not { } manifest || manifest.Config.File == file)
        {
            yield break;
        }

        var runs = manifest.Config.File is { } other ? $"runs {other}" : "runs what its command line gives";
        var held = manifest.Config.Listeners.Select(listener => listener.Address)
            .Intersect(config.Readable.Listeners.Select(listener => listener.Address)).Select(address => address.ToString()).ToArray();
        var more = held.Length > 1 ? $" and {held.Length - 1} more addresses of this file" : "";
        var holds = held.Length > 0 ? $" and holds {held[0]}{more}" : "";
        yield return config.Places.Diagnostic(
            "daemon", null, "runtime_directory",
            $"another listend (pid {pid}) uses {directory}, {runs}{holds}; it refuses a start with this file",
            "stop it, start with --take-over, or name another directory") with
        { IsWarning = true };
    }
}
