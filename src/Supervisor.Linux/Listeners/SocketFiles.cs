using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Compares the path of a UNIX listener with its socket's file, and puts the file back. Clients find the socket only by that
/// file, and whoever may write to the directory can remove or replace it. On the loop.
/// </summary>
public sealed class SocketFiles
{
    private readonly ListenerContext _context;

    internal SocketFiles(ListenerContext context) => _context = context;

    /// <summary>
    /// A path without symbolic links in its directory and double slashes; null if the directory cannot be opened in time.
    /// </summary>
    public static string? RealPath(string path)
    {
        using var place = SocketPlace.Open(path, out _, out _);
        return place?.RealPath;
    }

    /// <summary>What is at the path of a listener with a socket.</summary>
    internal SocketFileState Look(ListenerHandle handle) => Look(handle, out _);

    /// <summary>The same, with the status of the listener's own file; otherwise the status is empty.</summary>
    internal SocketFileState Look(ListenerHandle handle, out Files.Status own)
    {
        own = default;
        if (handle.IsGiven || handle.IsPathSilent
            || handle is not { Descriptor: not null, Spec.Address: { HasName: true, Path: { } path } })
        {
            return handle.IsPathSilent ? SocketFileState.Unknown : SocketFileState.InPlace;
        }

        if (handle.Spec.Address.Kind == ListenerKind.MessageQueue)
        {
            return LookAtQueue(handle, path);
        }

        using var place = SocketPlace.Open(path, out var unopened, out _);
        if (place is null)
        {
            // A file system that does not answer is not asked again before the next reload.
            handle.IsPathSilent = unopened.Errno == ETIMEDOUT;
            return unopened.Errno is ENOENT or ENOTDIR ? IfSeenBefore(handle, SocketFileState.DirectoryMissing) : SocketFileState.Unknown;
        }

        if (place.GetStatus(out var status) is { } error)
        {
            handle.IsPathSilent = error.Errno == ETIMEDOUT;
            return error.Errno == ENOENT ? IfSeenBefore(handle, SocketFileState.Missing) : SocketFileState.Unknown;
        }

        if (IsOwn(handle, place, status))
        {
            handle.WasInPlace = true;
            own = status;
            return SocketFileState.InPlace;
        }

        return IfSeenBefore(handle, status.IsSocket ? SocketFileState.OtherSocket : SocketFileState.OtherFile);
    }

    /// <summary>
    /// The process that listens at the path instead; null if no process does. The kernel tells it at once for a connection, which
    /// is closed again (SO_PEERCRED); otherwise the evidence of a refused bind is collected.
    /// </summary>
    internal HistoryActor? WhoListens(ListenerHandle handle)
    {
        var (kind, path) = (handle.Spec.Address.Kind, handle.Spec.Address.Path!);
        using var place = SocketPlace.Open(path, out _, out _);
        using var file = place?.Pin(out _);
        using var probe = ListenerSockets.Open(new CreateStep(kind, SocketDomain.Unix, NonBlocking: true), out _);
        if (file is null || probe is null
            || Sockaddr.Encode(ListenAddress.Unix(kind, Files.PinnedPath(file), isAbstract: false)) is not { } raw)
        {
            return null;
        }

        var error = Sockets.Connect(probe, raw);
        if (error?.Errno == ECONNREFUSED)
        {
            return null;
        }

        if (error is null && Sockets.GetPeerCredentials(probe, out var pid, out _, out _) is null && pid > 0)
        {
            return new HistoryActor(pid, ProcFile.Command(pid) ?? "?");
        }

        var holders = _context.Explain(new SystemCallError("bind", EADDRINUSE).With(handle.Requested), handle, handle.Spec).Holders;
        return holders.SelectMany(holder => holder.Processes).FirstOrDefault() is { } process
            ? new HistoryActor(process.Pid, process.Command)
            : new HistoryActor(0, "a process that cannot be seen");
    }

    /// <summary>Puts the file back as another link of the same socket. False if there is no second name, or it is refused.</summary>
    internal bool TryPutBack(ListenerHandle handle)
    {
        if (handle.PathIdentity is not { } identity || _context.Spares is not { } spares)
        {
            return false;
        }

        using var place = SocketPlace.Open(handle.Spec.Address.Path!, out _, out _);
        return place is not null && spares.PutBack(place, identity) is null;
    }

    /// <summary>Makes these links of a listener again, as far as they are missing or lead nowhere.</summary>
    internal void PutBackLinks(ListenerHandle handle, IReadOnlyCollection<string> links) =>
        SocketLinks.Make(handle, _context.Record(handle), lost: links);

    /// <summary>mq_unlink() is the only way to take the name from a queue, and leaves its inode without a link (ipc/mqueue.c).</summary>
    private static SocketFileState LookAtQueue(ListenerHandle handle, string name)
    {
        if (Files.GetStatus(handle.Descriptor!, out var status) is not null || status.Links > 0)
        {
            return SocketFileState.InPlace;
        }

        using var other = MessageQueues.Open(name, out var error);
        return error.Errno == ENOENT ? SocketFileState.Missing : SocketFileState.OtherQueue;
    }

    /// <summary>
    /// An adopted socket may have been bound in another mount namespace: its file counts as missing only if it was there before.
    /// </summary>
    private static SocketFileState IfSeenBefore(ListenerHandle handle, SocketFileState state) =>
        handle.PathIdentity is not null || handle.WasInPlace ? state : SocketFileState.Unknown;

    /// <summary>While a reload replaces a socket, the path may belong to the former one.</summary>
    private bool IsOwn(ListenerHandle handle, SocketPlace place, Files.Status status)
    {
        var found = (status.Device, status.Inode);
        if (!handle.Spec.Address.Kind.IsSocket())
        {
            return Files.GetStatus(handle.Descriptor!, out var own) is null && (own.Device, own.Inode) == found;
        }

        return handle.PathIdentity is { } identity
            ? identity == found || _context.Spares?.Has(place, found) == true
            : UnixDiag.IsBoundTo(handle.Inode, status.Device, status.Inode) != false;
    }
}
