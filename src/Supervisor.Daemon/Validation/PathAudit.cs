using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;
using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Control;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Paths;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Daemon.Validation;

/// <summary>
/// One rule for every path that the daemon opens with its own rights: only root, the daemon's user, or a user who was accepted
/// knowingly may have written there. <c>listend check</c>, a start and a reload ask here. What it touches may be slow: never on
/// the loop.
/// </summary>
/// <remarks>
/// <list type="bullet">
/// <item>Configuration files: an error. They say what root executes, so they cannot accept their own owner;
/// <c>--trusted-owner</c> does.</item>
/// <item>Log and environment files of a service: an error where <see cref="TrustedFile"/> would refuse them. That is where its
/// workers run as root, or where a third user may have written: neither root nor the service's user.</item>
/// <item>Programs and working directories of services that run as root: a warning of <c>listend check</c>. The administrator
/// has root execute them, which may be meant; whoever may write there is root, which should be known.</item>
/// <item>The executable of an upgrade: the upgrade is rejected. That a running daemon was started from such a path is the
/// decision of whoever started it.</item>
/// </list>
/// </remarks>
internal static class PathAudit
{
    /// <summary>How the owner of what no configuration names is accepted.</summary>
    private const string Option = "accept its owner by --trusted-owner";

    /// <summary>Users of <c>--trusted-owner</c>: set once, before anything is opened.</summary>
    public static IReadOnlyList<string> CommandLine { get; set; } = [];

    /// <summary>Whom a configuration and the command line accept.</summary>
    public static PathTrust Trust(DaemonConfig daemon) => new([.. CommandLine, .. daemon.TrustedOwners]);

    /// <summary>Every path that the daemon opens, with owners and modes on the way.</summary>
    public static IEnumerable<OpenedPathDocument> Paths(string mainFile, string? runtimeDirectory, ListendConfig config)
    {
        var trust = Trust(config.Daemon);
        foreach (var file in ConfigFiles.Paths(mainFile))
        {
            yield return Look(file, null, null, new PathTrust(CommandLine));
        }

        if (runtimeDirectory is not null)
        {
            yield return Look(runtimeDirectory, "daemon.runtime_directory", null, trust);
        }

        foreach (var service in config.Services)
        {
            if (service.Log.Kind == LogTargetKind.File)
            {
                yield return Look(service.Log.Path!, $"service.{service.Name}.log", service.User, trust);
            }

            foreach (var file in service.EnvironmentFiles)
            {
                yield return Look(file.TrimStart('-'), $"service.{service.Name}.environment_files", service.User, trust);
            }
        }

        static OpenedPathDocument Look(string path, string? setting, string? worker, PathTrust trust)
        {
            using var walk = PathWalk.Of(path, trust);
            return new OpenedPathDocument(
                path, setting, walk.FirstFlaw is not null && worker is not null ? worker : "listend", walk.FirstFlaw is null,
                [.. walk.Steps.Select(step => new PathComponentDocument(step.Path, step.Kind, step.Owner, step.Mode, step.Target, step.Flaw == PathFlaw.None ? null : step.Fault))]);
        }
    }

    /// <summary>Why an executable must not take the daemon's place; null where only trusted users can have written it.</summary>
    public static string? ExecutableFlaw(string path)
    {
        using var walk = PathWalk.Of(path, PathTrust.InForce);
        return walk.FirstFlaw is { } flaw ? $"{flaw.Fault}{walk.Links}; {flaw.Remedy(Option)}" : null;
    }

    /// <summary>
    /// Opens configuration files; whoever else may have written one is reported, each component of a path once. A descriptor
    /// that this process was started with (/dev/stdin, /dev/fd/N) is whoever's who started it.
    /// </summary>
    public static ConfigFileOpener ConfigOpener()
    {
        var reported = new HashSet<string>(StringComparer.Ordinal);
        return (path, errors) =>
        {
            if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
            {
                throw new ArgumentException("no path", nameof(path));
            }

            if (path == "/dev/stdin" || path.StartsWith("/dev/fd/", StringComparison.Ordinal) || path.StartsWith("/proc/self/fd/", StringComparison.Ordinal))
            {
                return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            }

            using var walk = PathWalk.Of(path, new PathTrust(CommandLine));
            if (walk.FirstFlaw is { } flaw && reported.Add(flaw.Path))
            {
                errors.Add(new ConfigDiagnostic(path, 0, 0, null, $"{flaw.Fault}{walk.Links}", flaw.Remedy(Option)));
            }

            using var file = TrustedFile.OpenToRead(walk, out var refusal);
            if (file is null)
            {
                throw Exception(walk, refusal!);
            }

            var stream = new FileStream(new SafeFileHandle(file.Number, ownsHandle: true), FileAccess.Read);
            file.SetHandleAsInvalid();
            return stream;
        };
    }

    private static Exception Exception(PathWalk walk, FileRefusal refusal) => refusal.Error?.Name switch
    {
        "ENOENT" or "ENOTDIR" when walk.Error is not null => new DirectoryNotFoundException(refusal.Reason),
        "ENOENT" => new FileNotFoundException(refusal.Reason),
        "EACCES" or "EISDIR" => new UnauthorizedAccessException(refusal.Reason),
        "ENAMETOOLONG" => new PathTooLongException(refusal.Reason),
        _ => new IOException(refusal.ToString()),
    };
}
