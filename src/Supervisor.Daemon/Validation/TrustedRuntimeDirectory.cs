using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Control;
using Supervisor.Linux.Paths;
using Supervisor.Native;

namespace Supervisor.Daemon.Validation;

/// <summary>Rule: only trusted users can write to the runtime directory, if it exists.</summary>
internal static class TrustedRuntimeDirectory
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) =>
        Of(config.Draft) is { } directory && Error(directory, config.Draft.Daemon, config.Places) is { } error ? [error] : [];

    /// <summary>The runtime directory of a configuration; null if there is none.</summary>
    public static string? Of(ListendConfig config) =>
        config.Daemon.RuntimeDirectory ?? RuntimePaths.Default(Processes.EffectiveUid == 0)?.Directory;

    /// <summary>Why a directory cannot be the runtime directory; null if it can.</summary>
    public static ConfigDiagnostic? Error(string directory, DaemonConfig daemon, ConfigPlaces places)
    {
        using var walk = PathWalk.Of(directory, PathAudit.Trust(daemon));
        return walk.FirstFlaw is { } flaw
            ? places.Diagnostic(
                "daemon", null, "runtime_directory", $"{directory}: {flaw.Fault}{walk.Links}",
                $"{flaw.Remedy(TrustedFile.Accept(flaw))}, or name another directory")
            : null;
    }
}
