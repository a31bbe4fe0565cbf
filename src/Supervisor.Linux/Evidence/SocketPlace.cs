using Supervisor.Linux.Paths;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Evidence;

/// <summary>
/// The directory of a UNIX socket's path, held open, and the socket's name in it. All calls use that directory, also if the
/// path changes in the meantime. Owns its descriptor.
/// </summary>
/// <remarks>
/// <para>
/// bind(2) accepts only a path, and getsockname(2) and ss(8) show that path, so it cannot be one of /proc/self/fd. If another
/// user can replace a directory above the socket by a link or another directory, bind() and all other calls there use the file
/// rights of that user (<see cref="ForeignCall{T}"/>). So they reach only what that user could reach. Afterwards the daemon
/// gives the socket file to its own user through the file's descriptor.
/// </para>
/// <para>
/// Lives on the loop. A separate thread accesses other users' directories, and the loop waits at most <see cref="Patience"/>:
/// their file system may never answer.
/// </para>
/// </remarks>
internal sealed class SocketPlace : IDisposable
{
    /// <summary>How long the loop waits for another user's directory.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(150);

    /// <summary>
    /// A group that owns nothing: the overflow id (/proc/sys/kernel/overflowgid), because a user's groups are not known without
    /// the user database.
    /// </summary>
    private const uint NoGroup = 65534;

    private readonly DescriptorHandle _directory;
    private readonly FileRights? _rights;
    private readonly bool _isForeign;

    private SocketPlace(DescriptorHandle directory, string path, FileRights? rights, bool isForeign)
    {
        _directory = directory;
        _rights = rights;
        _isForeign = isForeign;
        Path = RealPath = path;
        Name = System.IO.Path.GetFileName(path);
    }

    /// <summary>The path.</summary>
    public string Path { get; }

    /// <summary>The socket's name in the directory.</summary>
    public string Name { get; }

    /// <summary>The path without symbolic links and double slashes: two spellings of one path have the same.</summary>
    public string RealPath { get; private init; }

    /// <summary>
    /// Opens the directory of a path; null with the error, and in <paramref name="note"/> an explanation if the errno alone is
    /// not enough.
    /// </summary>
    public static SocketPlace? Open(string path, out SystemCallError error, out string? note)
    {
        note = null;
        error = default;
        var trust = PathTrust.InForce;
        var folder = System.IO.Path.GetDirectoryName(path) is { Length: > 0 } parent ? parent : "/";
        FileRights? rights;
        using (var walk = PathWalk.Of(folder, trust, stopAtFlaw: true))
        {
            if (!walk.IsStopped)
            {
                return Take(walk, path, null, isForeign: walk.FirstFlaw is not null, out error);
            }

            rights = RightsOf(walk.FirstFlaw!, out var refused);
            if (refused)
            {
                error = new SystemCallError("openat", EACCES);
                note = $"{walk.FirstFlaw!.FaultAtOnce}, so a user who may write there can replace the directory of the socket; "
                    + walk.FirstFlaw.Remedy(TrustedFile.Accept(walk.FirstFlaw));
                return null;
            }

            note = rights is null ? null : $"bound with the rights of uid {rights.Uid}, the owner of {walk.FirstFlaw!.Path}";
        }

        var opening = new ForeignCall<(SocketPlace? Place, SystemCallError Error)>(
            rights,
            () =>
            {
                using var walk = PathWalk.Of(folder, trust, forAnother: rights is not null);
                var place = Take(walk, path, rights, isForeign: true, out var unopened);
                return (place, unopened);
            },
            static refused => (null, refused));
        if (!opening.TryGet(Patience, out var opened))
        {
            error = new SystemCallError("open", ETIMEDOUT);
            return null;
        }

        error = opened.Error;
        return opened.Place;
    }

    /// <summary>bind(2) of a socket to the path, whose encoded form is <paramref name="address"/>.</summary>
    public SystemCallError? Bind(DescriptorHandle socket, byte[] address)
    {
        if (_rights is null)
        {
            return Sockets.Bind(socket, address);
        }

        // The thread may outlive the wait, and the number of a closed descriptor is reused.
        var copy = Descriptors.Duplicate(socket, out var uncopied);
        if (copy is null)
        {
            return uncopied;
        }

        var refused = Run(
            _ =>
            {
                using (copy)
                {
                    return Sockets.Bind(copy, address);
                }
            },
            static error => error);
        if (refused is not null)
        {
            return refused;
        }

        using var made = PinBound(out var error);
        return made is null ? error : Files.SetPinnedOwner(made, Processes.EffectiveUid, Processes.EffectiveGid);
    }

    /// <summary>
    /// Opens the socket file that <see cref="Bind"/> has just made. Another user who may write to the directory can have
    /// replaced it. But that user cannot put a socket there that belongs to the daemon's user and has one name, and gains
    /// nothing by a new owner or mode of an own socket.
    /// </summary>
    public DescriptorHandle? PinBound(out SystemCallError error) => PinMade(static status => status.IsSocket, out error);

    private DescriptorHandle? PinMade(Func<Files.Status, bool> isKind, out SystemCallError error)
    {
        var file = Pin(out error);
        if (file is not null && (Files.GetStatus(file, out var status) is not null
            || !isKind(status)
            || status.Links != 1
            || (status.Uid != (_rights?.Uid ?? Processes.EffectiveUid) && status.Uid != Processes.EffectiveUid)))
        {
            file.Dispose();
            error = new SystemCallError("open", ESTALE);
            return null;
        }

        return file;
    }

    /// <summary>
    /// Makes a FIFO with the name. In another user's directory it is made with that user's rights, and then given to the daemon's user.
    /// </summary>
    public SystemCallError? MakePipe(int mode)
    {
        var refused = Run(place => Pipes.Make(place._directory, place.Name, mode), static error => error);
        if (refused is not null || _rights is null)
        {
            return refused;
        }

        using var made = PinMade(static status => status.IsPipe, out var error);
        return made is null ? error : Files.SetPinnedOwner(made, Processes.EffectiveUid, Processes.EffectiveGid);
    }

    /// <summary>
    /// Opens a pinned file for reading, and for writing if <paramref name="writes"/>, with the rights that the path has. The driver of
    /// a device, or another user's file system, may never answer: the caller waits at most <see cref="Patience"/>.
    /// </summary>
    public DescriptorHandle? OpenFile(DescriptorHandle pinned, bool writes, out SystemCallError error)
    {
        if (Descriptors.Duplicate(pinned, out error) is not { } copy)
        {
            return null;
        }

        var opening = new ForeignCall<(DescriptorHandle? File, SystemCallError Error)>(
            _rights,
            () =>
            {
                using (copy)
                {
                    var opened = FilesAt.OpenPinned(copy, writes, out var unopened);
                    if (opened is not null && FilesAt.FileSystemOf(opened) == FilesAt.FuseFileSystem)
                    {
                        // fstat() and poll() of the daemon would wait for the process that serves it.
                        opened.Dispose();
                        return (null, new SystemCallError("open", EOPNOTSUPP));
                    }

                    return (opened, unopened);
                }
            },
            static refused => (null, refused));
        var (file, refused) = opening.TryGet(Patience, out var result) ? result : (null, new SystemCallError("open", ETIMEDOUT));
        error = refused;
        return file;
    }

    /// <summary>Pins the file that has the name now.</summary>
    public DescriptorHandle? Pin(out SystemCallError error)
    {
        var (file, refused) = Run<(DescriptorHandle?, SystemCallError)>(
            place => (FilesAt.Pin(place._directory, place.Name, out var unpinned), unpinned), static refused => (null, refused));
        error = refused;
        return file;
    }

    /// <summary>The status of the file with the name, or with <paramref name="name"/>.</summary>
    public SystemCallError? GetStatus(out Files.Status status, string? name = null)
    {
        var (found, refused) = Run<(Files.Status, SystemCallError?)>(
            place =>
            {
                var unseen = FilesAt.GetStatus(place._directory, name ?? place.Name, out var seen);
                return (seen, unseen);
            },
            static refused => (default, refused));
        status = found;
        return refused;
    }

    /// <summary>Device and inode of the file with the name, or with <paramref name="name"/>; null if there is none.</summary>
    public (ulong, ulong)? Identity(string? name = null) => GetStatus(out var status, name) is null ? (status.Device, status.Inode) : null;

    /// <summary>Removes the name, or <paramref name="name"/>.</summary>
    public SystemCallError? Unlink(string? name = null) =>
        Run(place => FilesAt.Unlink(place._directory, name ?? place.Name), static error => error);

    /// <summary>Renames it to another name that must not exist.</summary>
    public SystemCallError? RenameNoReplace(string from, string to) =>
        Run(place => FilesAt.RenameNoReplace(place._directory, from, to), static error => error);

    /// <summary>Renames it over another name.</summary>
    public SystemCallError? Rename(string from, string to) =>
        Run(place => FilesAt.Rename(place._directory, from, to), static error => error);

    /// <summary>
    /// Gives a pinned file the name. Not with the rights of another user, who must not link files of the daemon.
    /// </summary>
    public SystemCallError? Link(DescriptorHandle pinned, string name) => _isForeign || _rights is not null
        ? new SystemCallError("linkat", EPERM)
        : FilesAt.Link(pinned, _directory, name);

    /// <summary>Exchanges two names.</summary>
    public SystemCallError? Exchange(string one, string other) =>
        Run(place => FilesAt.Exchange(place._directory, one, other), static error => error);

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();

    private static SocketPlace? Take(PathWalk walk, string path, FileRights? rights, bool isForeign, out SystemCallError error)
    {
        error = walk.Error is { } refused ? refused
            : walk.Target is null ? new SystemCallError("open", ENOENT)
            : !walk.TargetStatus.IsDirectory ? new SystemCallError("open", ENOTDIR)
            : default;
        return error.Errno != 0 ? null
            : new SocketPlace(walk.TakeTarget()!, path, rights, isForeign)
            {
                RealPath = System.IO.Path.Combine(walk.RealPath, System.IO.Path.GetFileName(path)),
            };
    }

    /// <summary>
    /// The rights to use if this component is not the daemon's own; null if the daemon is not root and has only its user's
    /// rights.
    /// </summary>
    private static FileRights? RightsOf(PathStep flaw, out bool isRefused)
    {
        isRefused = PathTrust.IsRoot && flaw.Flaw != PathFlaw.Owner;
        return PathTrust.IsRoot && !isRefused ? new FileRights(flaw.Status.Uid, NoGroup, []) : null;
    }

    private T Run<T>(Func<SocketPlace, T> call, Func<SystemCallError, T> refused)
    {
        if (!_isForeign)
        {
            return call(this);
        }

        // An abandoned thread has a descriptor of its own.
        if (Descriptors.Duplicate(_directory, out var error) is not { } directory)
        {
            return refused(error);
        }

        var foreign = new ForeignCall<T>(
            _rights,
            () =>
            {
                using var place = new SocketPlace(directory, Path, null, isForeign: false);
                return call(place);
            },
            refused);
        return foreign.TryGet(Patience, out var result) ? result! : refused(new SystemCallError("open", ETIMEDOUT));
    }
}
