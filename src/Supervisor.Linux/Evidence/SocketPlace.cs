using Supervisor.Linux.Paths;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Evidence;

/// <summary>
/// The directory of a UNIX socket's path, held open, and the socket's name in it: whatever becomes of the path in the meantime,
/// every call is about that directory. Owns its descriptor.
/// </summary>
/// <remarks>
/// <para>
/// bind(2) takes a path and nothing else, and the path that it gets is what getsockname(2) and ss(8) show, so it cannot be one
/// of /proc/self/fd. Where another user could put a link, or another directory, in the place of one above the socket, bind() and
/// every other call there is made with the rights of that user on files (<see cref="ForeignCall{T}"/>): it leads to nothing that
/// he could not have made himself. The socket file is given to the daemon's user afterwards, through its own descriptor.
/// </para>
/// <para>
/// Lives on the loop. What lies in directories of others is touched on a thread of its own, and waited for no longer than
/// <see cref="Patience"/>: a file system of theirs may never answer.
/// </para>
/// </remarks>
internal sealed class SocketPlace : IDisposable
{
    /// <summary>How long the loop waits for a directory of others.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(150);

    /// <summary>
    /// A group that owns nothing: the overflow id (/proc/sys/kernel/overflowgid), as a user's groups are not known without the
    /// user database.
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
        Path = path;
        Name = System.IO.Path.GetFileName(path);
    }

    /// <summary>The path.</summary>
    public string Path { get; }

    /// <summary>The socket's name in the directory.</summary>
    public string Name { get; }

    /// <summary>
    /// Opens the directory of a path; null with the refusal, and in <paramref name="note"/> what it is about where the errno
    /// does not say.
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
                note = $"{walk.FirstFlaw!.Fault}, so the directory of the socket can be replaced by anybody who may write there; {walk.FirstFlaw.Remedy(TrustedFile.Accept(walk.FirstFlaw))}";
                return null;
            }

            note = rights is null ? null : $"it is bound with the rights of uid {rights.Uid}, to whom {walk.FirstFlaw!.Path} belongs";
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

        // The thread may outlive the wait, and the number of a closed descriptor is given to others.
        var copy = Files.Duplicate(socket, out var uncopied);
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
    /// The socket file that <see cref="Bind"/> has just made. Whoever may write to the directory can have replaced it since; but
    /// not by a socket of the daemon's user with one name, and his own gains nothing by a new owner or mode.
    /// </summary>
    public DescriptorHandle? PinBound(out SystemCallError error)
    {
        var file = Pin(out error);
        if (file is not null && (Files.GetStatus(file, out var status) is not null
            || !status.IsSocket || status.Links != 1 || (status.Uid != (_rights?.Uid ?? Processes.EffectiveUid) && status.Uid != Processes.EffectiveUid)))
        {
            file.Dispose();
            error = new SystemCallError("open", ESTALE);
            return null;
        }

        return file;
    }

    /// <summary>Holds on to what has the name now.</summary>
    public DescriptorHandle? Pin(out SystemCallError error)
    {
        var (file, refused) = Run<(DescriptorHandle?, SystemCallError)>(place => (FilesAt.Pin(place._directory, place.Name, out var unpinned), unpinned), static refused => (null, refused));
        error = refused;
        return file;
    }

    /// <summary>What has the name, or <paramref name="name"/>, now.</summary>
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

    /// <summary>Device and inode of what has the name, or <paramref name="name"/>; null where nothing has.</summary>
    public (ulong, ulong)? Identity(string? name = null) => GetStatus(out var status, name) is null ? (status.Device, status.Inode) : null;

    /// <summary>Removes the name, or <paramref name="name"/>.</summary>
    public SystemCallError? Unlink(string? name = null) => Run(place => FilesAt.Unlink(place._directory, name ?? place.Name), static error => error);

    /// <summary>Renames it to another name, unless something has that already.</summary>
    public SystemCallError? RenameNoReplace(string from, string to) =>
        Run(place => FilesAt.RenameNoReplace(place._directory, from, to), static error => error);

    /// <summary>Renames over what has the other name.</summary>
    public SystemCallError? Rename(string from, string to) =>
        Run(place => FilesAt.Rename(place._directory, from, to), static error => error);

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
            : new SocketPlace(walk.TakeTarget()!, path, rights, isForeign);
    }

    /// <summary>
    /// Whose rights are used where this component is not the daemon's own; null where the daemon is not root and has no more
    /// than its user.
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

        // A thread that is left behind has a descriptor of its own.
        if (Files.Duplicate(_directory, out var error) is not { } directory)
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
