using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Paths;

/// <summary>
/// Opens the files that a configuration names for a service. Where every component of the path is the daemon's own, the daemon
/// opens it. Elsewhere whoever can write there decides where the path leads, so the daemon opens it with the rights of the
/// worker's user, who gains nothing that way; where the workers have the daemon's own rights it is refused.
/// </summary>
/// <remarks>
/// A file is pinned first (O_PATH) and opened through its pin, so a FIFO, a device or a socket is never opened, only looked at.
/// </remarks>
public static class TrustedFile
{
    /// <summary>How its owner is accepted, for remedies.</summary>
    public const string Setting = "daemon.trusted_owners";

    private const int IsDirectory = 21;
    private const int Attempts = 8;

    /// <summary>
    /// The rights by which a path would be opened now: null for the daemon's own. False with the reason where it would be
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
    /// Opens a regular file to append to it, or makes it with <paramref name="mode"/>; a character device that is root's own
    /// (/dev/null) is taken too. A file with more than one name is refused: the other one may be a file that the user could not
    /// write. May take its time: any thread but the loop, and never one that took other rights before.
    /// </summary>
    /// <returns>The descriptor, the caller's, with <paramref name="status"/>; null with the refusal. Null without one: it is still the file <paramref name="known"/>.</returns>
    public static DescriptorHandle? OpenToAppend(string path, int mode, FileRights? worker, Files.Status? known, PathTrust trust, out Files.Status status, out FileRefusal? refusal)
    {
        var (file, found, refused) = With(path, worker, trust, followLast: false, walk => Append(walk, mode, known));
        (status, refusal) = (found, refused);
        return file;
    }

    /// <summary>
    /// Reads a regular file of at most <paramref name="most"/> bytes whole; links are followed, by whoever opens it. May take its
    /// time: any thread but the loop.
    /// </summary>
    public static byte[]? Read(string path, int most, FileRights? worker, PathTrust trust, out FileRefusal? refusal)
    {
        var (content, _, refused) = With<byte[]>(path, worker, trust, followLast: true, walk => Read(walk, most));
        refusal = refused;
        return content;
    }

    /// <summary>Opens what a walk has found for reading: regular, and of whatever owner, which the caller has judged. The caller's.</summary>
    public static DescriptorHandle? OpenToRead(PathWalk walk, out FileRefusal? refusal)
    {
        const int noEntry = 2;
        refusal = walk.Error is { } error ? FileRefusal.Of(error)
            : walk.Target is null ? FileRefusal.Of(new SystemCallError("open", noEntry))
            : walk.TargetStatus.IsDirectory ? FileRefusal.Of(new SystemCallError("open", IsDirectory))
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
    /// Opens a file of the daemon's own to read and write, or makes it: refused where anybody else could have put it there, or
    /// where it is a link, not a regular file or has a second name. The caller's.
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

            var file = walk.Target is { } there ? FilesAt.OpenPinned(there, writes: true, out var refused) : FilesAt.Create(walk.Parent!, walk.Name, mode, out refused);
            if (file is not null || refused.Errno != EEXIST)
            {
                refusal = file is null ? FileRefusal.Of(refused) : null;
                return file;
            }
        }

        refusal = FileRefusal.Of(new SystemCallError("open", EEXIST));
        return null;
    }

    /// <summary>Reads a file of the daemon's own whole; refused as <see cref="OpenOwn"/> does. A refusal without an error is one that must not be passed over.</summary>
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
        : walk.TargetStatus.Links != 1 ? new FileRefusal(null, $"{walk.RealPath} has {walk.TargetStatus.Links} names (hard links)", $"rm {walk.RealPath}")
        : null;

    private static (T? Result, Files.Status Status, FileRefusal? Refusal) With<T>(
        string path, FileRights? worker, PathTrust trust, bool followLast, Func<PathWalk, (T?, Files.Status, FileRefusal?)> use)
        where T : class
    {
        FileRights? rights;
        string? because;
        using (var walk = PathWalk.Of(path, trust))
        {
            // A path of which the rest cannot be seen is judged by what can be.
            if (walk.FirstFlaw is not { } flaw)
            {
                return use(walk);
            }

            if (Refuse(path, walk, worker, trust, out rights) is { } refusal)
            {
                return (null, default, refusal);
            }

            because = flaw.Fault;
        }

        if (rights is null)
        {
            // A daemon that is not root has nothing that its workers have not; what others could redirect is refused all the same.
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
                return (result, status, refusal is null ? null : refusal with { Reason = $"{refusal.Reason}; it is opened with the rights of {rights.Name}, because {because}" });
            },
            error => (null, default, FileRefusal.Of(error, $"taking the rights of {rights.Name}"))).Get();
    }

    /// <summary>
    /// What an untrusted path means: the worker's rights where only the worker's user decides what is there, the daemon's own
    /// where it is not root, else a refusal. A third user must not decide what the worker reads.
    /// </summary>
    private static FileRefusal? Refuse(string path, PathWalk walk, FileRights? worker, PathTrust trust, out FileRights? rights)
    {
        rights = worker;
        var flaw = walk.FirstFlaw!;
        if (worker is null)
        {
            return PathTrust.IsRoot
                ? new FileRefusal(null, $"{flaw.Fault}{walk.Links}", $"{flaw.Remedy(Accept(flaw))}, or run the service as another user than root")
                : null;
        }

        using var own = PathWalk.Of(path, trust.With(worker.Uid));
        return own.FirstFlaw is { } foreign
            ? new FileRefusal(null, $"{foreign.Fault}{own.Links}, which is neither root nor the service's user {worker.Name}", foreign.Remedy(Accept(foreign)))
            : null;
    }

    /// <summary>How a component's owner is accepted knowingly.</summary>
    public static string? Accept(PathStep flaw) => flaw.Flaw == PathFlaw.Owner ? $"accept its owner by {Setting} = [\"{PathTrust.ShortName(flaw.Status.Uid)}\"]"
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

            // Somebody made it in the meantime.
            using (there)
            {
                return Files.GetStatus(there, out var status) is { } unseen ? (null, default, FileRefusal.Of(unseen)) : Reopen(walk, there, status, known);
            }
        }

        return walk.Error is { } error ? (null, default, FileRefusal.Of(error))
            : walk.Target is { } target ? Reopen(walk, target, walk.TargetStatus, known)
            : (null, default, FileRefusal.Of(new SystemCallError("open", EEXIST)));
    }

    private static (DescriptorHandle?, Files.Status, FileRefusal?) Reopen(PathWalk walk, DescriptorHandle pinned, Files.Status status, Files.Status? known)
    {
        if (known is { } before && (before.Device, before.Inode) == (status.Device, status.Inode))
        {
            return (null, status, null);
        }

        var wrong = status.IsDirectory ? FileRefusal.Of(new SystemCallError("open", IsDirectory))
            : status.IsLink ? new FileRefusal(null, $"{walk.RealPath} is a symbolic link", "remove it; listend makes the file")
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
                ? new FileRefusal(null, $"{walk.RealPath} has {status.Links} names (hard links), so it may be another file", "remove it; listend makes the file")
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
                return (null, default, new FileRefusal(null, $"{walk.RealPath} is larger than {most} bytes", "name the right file, or remove from it what is not needed"));
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
