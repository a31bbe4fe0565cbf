using Microsoft.Win32.SafeHandles;
using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Control;
using Supervisor.Core.Services;
using Supervisor.Linux.Paths;

namespace Supervisor.Daemon.Validation;

/// <summary>
/// The rule for every path that the daemon opens with its own rights: only root, the daemon's user or an accepted user can
/// write there. <c>listend check</c>, a start and a reload use it. Paths may be slow, so do not call it on the loop.
/// </summary>
/// <remarks>
/// <list type="bullet">
/// <item>Configuration files: an error. They name what root executes, so they cannot accept their own owner. Use
/// <c>--trusted-owner</c>.</item>
/// <item>Log and environment files of a service: an error if <see cref="TrustedFile"/> would refuse them. It refuses them if the
/// workers run as root, or if a user other than root and the service's user can write there.</item>
/// <item>Programs and working directories of services that run as root: a warning of <c>listend check</c>. Any user
/// who can write there can become root, which the administrator may have intended.</item>
/// <item>The executable of an upgrade: the upgrade is rejected. The path of a running
/// daemon's executable was the decision of the user who started it.</item>
/// </list>
/// </remarks>
internal static class PathAudit
{
    /// <summary>The remedy for a path that no configuration names.</summary>
    private const string Option = "accept its owner by --trusted-owner";

    /// <summary>The users of <c>--trusted-owner</c>. Set once, before the first path is opened.</summary>
    public static IReadOnlyList<string> CommandLine { get; set; } = [];

    /// <summary>The users that a configuration and the command line accept.</summary>
    public static PathTrust Trust(DaemonConfig daemon) => new([.. CommandLine, .. daemon.TrustedOwners]);

    /// <summary>Every path that the daemon opens, with the owners and modes of its components.</summary>
    public static IEnumerable<OpenedPathDocument> Paths(string mainFile, string? runtimeDirectory, ListendConfig config)
    {
        var trust = Trust(config.Daemon);
        foreach (var file in ConfigFiles.Paths(mainFile))
        {
            yield return Audit(file, null, null, new PathTrust(CommandLine));
        }

        if (runtimeDirectory is not null)
        {
            yield return Audit(runtimeDirectory, "daemon.runtime_directory", null, trust);
        }

        foreach (var service in config.Services)
        {
            if (service.Log.Kind == LogTargetKind.File)
            {
                yield return Audit(service.Log.Path!, $"service.{service.Name}.log", service.User, trust);
            }

            foreach (var file in service.EnvironmentFiles)
            {
                yield return Audit(file.TrimStart('-'), $"service.{service.Name}.environment_files", service.User, trust);
            }
        }

        static OpenedPathDocument Audit(string path, string? setting, string? worker, PathTrust trust)
        {
            using var walk = PathWalk.Of(path, trust);
            return new OpenedPathDocument(
                path, setting, walk.FirstFlaw is not null && worker is not null ? worker : "listend", walk.FirstFlaw is null,
                [.. walk.Steps
                    .Select(step => new PathComponentDocument(
                        step.Path, step.Kind, step.Owner, step.Mode, step.Target, step.Flaw == PathFlaw.None ? null : step.Fault))]);
        }
    }

    /// <summary>Why the daemon must not execute a file; null if only trusted users can write it.</summary>
    public static string? ExecutableFlaw(string path)
    {
        using var walk = PathWalk.Of(path, PathTrust.InForce);
        return walk.FirstFlaw is { } flaw ? $"{flaw.Fault}{walk.Links}; {flaw.Remedy(Option)}" : null;
    }

    /// <summary>
    /// Opens configuration files and reports untrusted owners, each component of a path once. An inherited descriptor
    /// (/dev/stdin, /dev/fd/N) is trusted like the user who started this process.
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

            if (GivenFile.IsInherited(path))
            {
                return GivenFile.OpenToRead(path);
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
