using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Control;
using Supervisor.Linux.Paths;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Daemon.Validation;

/// <summary>Rule: the runtime directory is a directory that only trusted users can write to, or can be created.</summary>
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
        var fault = walk switch
        {
            { Error.Errno: ELOOP } => "a symlink leads back to itself",
            { Error.Errno: ENOTDIR } => "a part of its path is not a directory",
            { Error: null, Target: not null, TargetStatus.IsDirectory: false } => "it is not a directory",
            _ => null,
        };
        if (fault is not null)
        {
            return places.Diagnostic(
                "daemon", null, "runtime_directory", $"{directory}: {fault}{walk.Links}", "correct the path, or name another directory");
        }

        return walk.FirstFlaw is { } flaw
            ? places.Diagnostic(
                "daemon", null, "runtime_directory", $"{directory}: {flaw.Fault}{walk.Links}",
                $"{flaw.Remedy(TrustedFile.Accept(flaw))}, or name another directory")
            : null;
    }
}
