using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Paths;

/// <summary>
/// Opens the files that a configuration names for a service. If every component of the path is trusted, the daemon opens the
/// file with its own rights. Otherwise another user controls where the path leads. The daemon then opens the file with the
/// rights of the worker's user, who gains nothing that way. If the workers have the daemon's own rights, it refuses the file.
/// </summary>
/// <remarks>
/// It pins a file first (O_PATH) and opens it through the pin, so it never opens a FIFO, a device or a socket.
/// </remarks>
public static class TrustedFile
{
    /// <summary>The setting that accepts an owner, for remedies.</summary>
    public const string Setting = "daemon.trusted_owners";

    private const int Attempts = 8;

    /// <summary>
    /// The rights with which a path would be opened now: null for the daemon's own. False with the reason if the path would be
    /// refused. For <c>listend check</c>; it opens nothing.
    /// </summary>
    public static bool TryJudge(string path, FileRights? worker, PathTrust trust, out FileRights? rights, out FileRefusal? refusal)
    {
        using var walk = PathWalk.Of(path, trust);
        rights = null;
        refusal = walk.FirstFlaw is null ? null : Refuse(path, walk, worker, trust, out rights);
        return refusal is null;
    }

    /// <summary>
    /// Opens a regular file for appending, or creates it with <paramref name="mode"/>. It also accepts a character device that
    /// root owns (/dev/null). It refuses a file with several names, because another name may be a file that the user cannot
    /// write. May block: not on the loop, and not on a thread that has taken other rights.
    /// </summary>
    /// <returns>The descriptor, which the caller owns, and <paramref name="status"/>; null with the refusal; null without a
    /// refusal if it is still the file <paramref name="known"/>.</returns>
    public static DescriptorHandle? OpenToAppend(
        string path, int mode, FileRights? worker, Files.Status? known, PathTrust trust, out Files.Status status, out FileRefusal? refusal)
    {
        var (file, found, refused) = With(path, worker, trust, followLast: false, walk => Append(walk, mode, known));
        (status, refusal) = (found, refused);
        return file;
    }

    /// <summary>
    /// Reads a whole regular file of at most <paramref name="most"/> bytes, following links. May block: not on the loop.
    /// </summary>
    public static byte[]? Read(string path, int most, FileRights? worker, PathTrust trust, out FileRefusal? refusal)
    {
        var (content, _, refused) = With<byte[]>(path, worker, trust, followLast: true, walk => Read(walk, most));
        refusal = refused;
        return content;
    }

    /// <summary>
    /// Opens the target of a walk for reading, which must be a regular file. The caller has checked its owner and owns the
    /// descriptor.
    /// </summary>
    public static DescriptorHandle? OpenToRead(PathWalk walk, out FileRefusal? refusal)
    {
        refusal = walk.Error is { } error ? FileRefusal.Of(error)
            : walk.Target is null ? FileRefusal.Of(new SystemCallError("open", ENOENT))
            : walk.TargetStatus.IsDirectory ? FileRefusal.Of(new SystemCallError("open", EISDIR))
            : !walk.TargetStatus.IsRegular ? NotRegular(walk)
            : null;
        if (refusal is not null)
        {
            return null;
        }

        var file = FilesAt.OpenPinned(walk.Target!, writes: false, out var refused);
        refusal = file is null ? FileRefusal.Of(refused) : null;
        return file;
    }

    /// <summary>
    /// Opens a file of the daemon for reading and writing, or creates it. It refuses a file that another user could have
    /// created, a link, a file that is not regular, and a file with several names. The caller owns the descriptor.
    /// </summary>
    public static DescriptorHandle? OpenOwn(string path, int mode, PathTrust trust, out FileRefusal? refusal)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            using var walk = PathWalk.Of(path, trust, followLast: false);
            refusal = JudgeOwn(walk);
            if (refusal is not null)
            {
                return null;
            }

            var file = walk.Target is { } there
                ? FilesAt.OpenPinned(there, writes: true, out var refused)
                : FilesAt.Create(walk.Parent!, walk.Name, mode, out refused);
            if (file is not null || refused.Errno != EEXIST)
            {
                refusal = file is null ? FileRefusal.Of(refused) : null;
                return file;
            }
        }

        refusal = FileRefusal.Of(new SystemCallError("open", EEXIST));
        return null;
    }

    /// <summary>
    /// Reads a whole file of the daemon, with the checks of <see cref="OpenOwn"/>. The caller must not ignore a refusal without
    /// an error.
    /// </summary>
    public static byte[]? ReadOwn(string path, int most, PathTrust trust, out FileRefusal? refusal)
    {
        using var walk = PathWalk.Of(path, trust, followLast: false);
        refusal = walk.IsMissing ? null : JudgeOwn(walk);
        byte[]? content = null;
        if (refusal is null)
        {
            (content, _, refusal) = Read(walk, most);
        }

        return content;
    }

    private static FileRefusal? JudgeOwn(PathWalk walk) =>
        walk.FirstFlaw is { } flaw ? new FileRefusal(null, $"{flaw.Fault}{walk.Links}", flaw.Remedy(Accept(flaw)))
        : walk.Error is { } error ? FileRefusal.Of(error)
        : walk.Target is null ? null
        : walk.TargetStatus.IsLink ? new FileRefusal(null, $"{walk.RealPath} is a symbolic link", $"rm {walk.RealPath}")
        : !walk.TargetStatus.IsRegular ? NotRegular(walk)
        : walk.TargetStatus.Links != 1
            ? new FileRefusal(null, $"{walk.RealPath} has {walk.TargetStatus.Links} names (hard links)", $"rm {walk.RealPath}")
        : null;

    private static (T? Result, Files.Status Status, FileRefusal? Refusal) With<T>(
        string path, FileRights? worker, PathTrust trust, bool followLast, Func<PathWalk, (T?, Files.Status, FileRefusal?)> use)
        where T : class
    {
        FileRights? rights;
        PathStep? untrusted;
        using (var walk = PathWalk.Of(path, trust))
        {
            // If the rest of the path cannot be read, the readable part decides.
            if (walk.FirstFlaw is not { } flaw)
            {
                return use(walk);
            }

            if (Refuse(path, walk, worker, trust, out rights) is { } refusal)
            {
                return (null, default, refusal);
            }

            untrusted = flaw;
        }

        if (rights is null)
        {
            // A daemon that does not run as root has the same rights as its workers, but still refuses links that others could
            // redirect.
            using var own = PathWalk.Of(path, trust, followLast);
            return own.Steps.FirstOrDefault(step => step is { Target: not null, Flaw: not PathFlaw.None }) is { } link
                ? (null, default, new FileRefusal(null, $"{path}: {link.Fault}", link.Remedy(Accept(link))))
                : use(own);
        }

        return new ForeignCall<(T?, Files.Status, FileRefusal?)>(
            rights,
            () =>
            {
                using var walk = PathWalk.Of(path, trust, followLast, forAnother: true);
                var (result, status, refusal) = use(walk);
                return (result, status, refusal is null ? null : refusal with
                {
                    Reason = $"{refusal.Reason}; it is opened with the rights of {rights.Name}, because {untrusted.Fault}",
                });
            },
            error => (null, default, FileRefusal.Of(error, $"taking the rights of {rights.Name}"))).Get();
    }

    /// <summary>
    /// The rights for an untrusted path: the worker's if only the worker's user controls the path, and the daemon's own if it
    /// does not run as root. Otherwise a refusal: a third user must not control what the worker reads.
    /// </summary>
    private static FileRefusal? Refuse(string path, PathWalk walk, FileRights? worker, PathTrust trust, out FileRights? rights)
    {
        rights = worker;
        var flaw = walk.FirstFlaw!;
        if (worker is null)
        {
            return PathTrust.IsRoot
                ? new FileRefusal(
                    null, $"{flaw.Fault}{walk.Links}", $"{flaw.Remedy(Accept(flaw))}, or run the service as a user other than root")
                : null;
        }

        using var own = PathWalk.Of(path, trust.With(worker.Uid));
        return own.FirstFlaw is { } foreign
            ? new FileRefusal(
                null,
                $"{foreign.Fault}{own.Links}, which is neither root nor the service's user {worker.Name}",
                foreign.Remedy(Accept(foreign)))
            : null;
    }

    /// <summary>How to accept the owner of a component.</summary>
    public static string? Accept(PathStep flaw) =>
        flaw.Flaw == PathFlaw.Owner ? $"accept its owner by {Setting} = [\"{PathTrust.ShortName(flaw.Status.Uid)}\"]"
        : flaw.Flaw == PathFlaw.Group ? $"accept the user whose primary group that is by {Setting}"
        : null;

    private static (DescriptorHandle?, Files.Status, FileRefusal?) Append(PathWalk walk, int mode, Files.Status? known)
    {
        for (var attempt = 0; walk.Error is null && walk.Target is null && attempt < Attempts; attempt++)
        {
            var made = FilesAt.CreateToAppend(walk.Parent!, walk.Name, mode, out var refused);
            if (made is not null)
            {
                return Checked(made, walk);
            }

            if (refused.Errno != EEXIST || FilesAt.Pin(walk.Parent!, walk.Name, out var gone) is not { } there)
            {
                if (refused.Errno != EEXIST)
                {
                    return (null, default, FileRefusal.Of(refused));
                }

                continue;
            }

            // Another process has created it in the meantime.
            using (there)
            {
                return Files.GetStatus(there, out var status) is { } unseen
                    ? (null, default, FileRefusal.Of(unseen))
                    : Reopen(walk, there, status, known);
            }
        }

        return walk.Error is { } error ? (null, default, FileRefusal.Of(error))
            : walk.Target is { } target ? Reopen(walk, target, walk.TargetStatus, known)
            : (null, default, FileRefusal.Of(new SystemCallError("open", EEXIST)));
    }

    private static (DescriptorHandle?, Files.Status, FileRefusal?) Reopen(
        PathWalk walk, DescriptorHandle pinned, Files.Status status, Files.Status? known)
    {
        if (known is { } before && (before.Device, before.Inode) == (status.Device, status.Inode))
        {
            return (null, status, null);
        }

        var wrong = status.IsDirectory ? FileRefusal.Of(new SystemCallError("open", EISDIR))
            : status.IsLink ? new FileRefusal(null, $"{walk.RealPath} is a symbolic link", "remove it; listend creates the file")
            : status.IsCharacterDevice && walk.FirstFlaw is null ? null
            : !status.IsRegular ? NotRegular(walk)
            : null;
        return wrong is not null ? (null, default, wrong)
            : FilesAt.OpenToAppend(pinned, out var refused) is { } file ? Checked(file, walk)
            : (null, default, FileRefusal.Of(refused));
    }

    private static (DescriptorHandle?, Files.Status, FileRefusal?) Checked(DescriptorHandle file, PathWalk walk)
    {
        var wrong = Files.GetStatus(file, out var status) is { } unseen ? FileRefusal.Of(unseen)
            : status.IsRegular && status.Links != 1
                ? new FileRefusal(
                    null,
                    $"{walk.RealPath} has {status.Links} names (hard links), so it may be another file",
                    "remove it; listend creates the file")
            : null;
        if (wrong is null)
        {
            return (file, status, null);
        }

        file.Dispose();
        return (null, default, wrong);
    }

    private static (byte[]?, Files.Status, FileRefusal?) Read(PathWalk walk, int most)
    {
        using var file = OpenToRead(walk, out var refusal);
        if (file is null)
        {
            return (null, default, refusal);
        }

        var content = new byte[4096];
        var length = 0;
        while (true)
        {
            var count = Files.Read(file, content.AsSpan(length), out var error);
            if (error is { } failed)
            {
                return (null, default, FileRefusal.Of(failed));
            }

            if (count <= 0)
            {
                return (content[..length], default, null);
            }

            length += count;
            if (length > most)
            {
                var reason = $"{walk.RealPath} is larger than {most} bytes";
                return (null, default, new FileRefusal(null, reason, "check the file's name, or shorten the file"));
            }

            if (length == content.Length)
            {
                Array.Resize(ref content, length * 2);
            }
        }
    }

    private static FileRefusal NotRegular(PathWalk walk) =>
        new(null, $"{walk.RealPath} is a {walk.Steps[^1].Kind}, not a regular file", "name a regular file");
}
