using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Reload;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Makes a listener's new socket next to the old one, which serves until its last worker has exited. If both need the same
/// address, both get SO_REUSEPORT until the old one is closed: a bridge.
/// </summary>
public sealed class SocketReplacer
{
    private readonly ListenerContext _context;
    private readonly ListenerBuilder _builder;

    internal SocketReplacer(ListenerContext context, ListenerBuilder builder)
    {
        _context = context;
        _builder = builder;
    }

    /// <summary>
    /// Makes the socket of <paramref name="spec"/> next to a living one of the same listener, whose history it continues.
    /// </summary>
    /// <param name="former">The handle of the old socket, which does not change.</param>
    /// <param name="spec">What is asked for.</param>
    /// <param name="at">The address to bind: the old socket's, if the configuration says port 0.</param>
    /// <param name="bridge">Living sockets that get SO_REUSEPORT for it, as the new one does; empty if the address is free.</param>
    /// <param name="rename">Whether it is a UNIX path that the old socket has.</param>
    /// <param name="steered">Whether the new socket drops what arrives until the kernel selects one of the two: clients of a listening
    /// socket repeat their SYN a second later. Datagrams wait at it instead.</param>
    /// <returns>A handle with a socket, or with a <see cref="ListenerHandle.Failure"/>.</returns>
    public ListenerHandle CreateBeside(
        ListenerHandle former, ListenerSpec spec, ListenAddress at, IReadOnlyList<ListenerHandle> bridge, bool rename, bool steered = false)
    {
        var aside = rename ? ListenAddress.Unix(spec.Address.Kind, PathRename.FreeName(at.Path!), isAbstract: false) : at;
        var made = spec with
        {
            Address = aside,
            Unix = spec.Unix.Symlinks.IsEmpty ? spec.Unix : spec.Unix with { Symlinks = [] },
            Bind = bridge.Count > 0 ? spec.Bind with { ReusePort = true } : spec.Bind,
        };
        var handle = new ListenerHandle(made, former.History)
        {
            Beside = ListenerMoves.KeepsSteering(former.Spec, former.Effective, spec, at)
                || (former.Steering is not null && ListenerMoves.CanSteer(former.Spec, former.Effective, spec, at)) ? former : null,
        };
        BeginBridge(bridge, "the new socket is bound to the same address");
        _builder.Build(
            handle, string.Create(
                CultureInfo.InvariantCulture,
                $"{HistoryRecorder.Reload}: next to the former socket (inode {former.Inode}), "
                + $"which is closed when no worker has it"),
            steered && spec.Address.Kind.Listens() && former.Steering is null);
        if (handle.Failure is null && rename)
        {
            handle.Failure = PathRename.Take(handle, _context.Record(handle, HistoryRecorder.Reload), aside.Path!, at);
            if (handle.Failure is not null)
            {
                _builder.Abandon(handle);
            }
        }

        if (handle.Failure is null)
        {
            handle.Spec = spec;
            handle.Aside.Follow(former.Aside);
            var history = _context.Record(handle, HistoryRecorder.Reload);
            SocketLinks.Remove(former, history, kept: spec.Unix.Symlinks);
            SocketLinks.Make(handle, history, former.Spec.Address.Path);
            _context.Log.Made(handle);
        }
        else
        {
            EndBridge(bridge);
        }

        return handle;
    }

    /// <summary>
    /// Makes the socket of a UNIX listener anew at its path, where its file is no longer. A socket that another process has put
    /// there is removed. A message queue that another process has made is opened.
    /// </summary>
    public ListenerHandle Renew(ListenerHandle former)
    {
        var made = CreateBeside(former, former.Spec, former.Spec.Address, [], rename: former.Spec.Address.HasFile);
        if (made.Aside.Former is { } aside)
        {
            using var place = SocketPlace.Open(aside.Path, out _, out _);
            place?.Unlink();
            aside.IsRemoved = true;
            made.Aside.Former = null;
        }

        return made;
    }

    /// <summary>Makes a new listener, whose address living sockets still have that are about to be closed.</summary>
    public ListenerHandle CreateBridged(ListenerSpec spec, IReadOnlyList<ListenerHandle> bridge)
    {
        BeginBridge(bridge, $"listener {spec.Name} is bound to the same address");
        var handle = _context.NewHandle(bridge.Count == 0 ? spec : spec with { Bind = spec.Bind with { ReusePort = true } });
        _builder.Build(handle);
        _context.Log.Result(handle);
        handle.Spec = spec;
        if (handle.Failure is not null)
        {
            EndBridge(bridge);
        }

        return handle;
    }

    /// <summary>Undoes <see cref="CreateBeside"/>: closes what was made, and leaves <paramref name="former"/> as it was.</summary>
    public void Undo(ListenerHandle handle, IReadOnlyList<ListenerHandle> bridge, ListenerHandle? former)
    {
        Retire(handle, removePath: true, former);
        EndBridge(bridge);
    }

    /// <summary>Closes a socket that another one has replaced; its history continues with that one.</summary>
    /// <param name="handle">The listener to close.</param>
    /// <param name="removePath">Whether the file that it made is removed.</param>
    /// <param name="heir">A listener that may be of the same FIFO or message queue, which then stays and is removed with that one.</param>
    public void Retire(ListenerHandle handle, bool removePath, ListenerHandle? heir)
    {
        if (handle.Descriptor is not { } descriptor)
        {
            return;
        }

        var history = _context.Record(handle);
        var isInherited = heir?.HasFileOf(handle) == true;
        if (isInherited)
        {
            heir!.PathIdentity ??= handle.PathIdentity;
            handle.PathIdentity = null;
        }

        _context.DropSpare(handle);
        if (removePath && !isInherited)
        {
            SocketFileSteps.Remove(handle, history);
        }

        var kind = handle.Spec.Address.Kind;
        var waiting = kind.Listens() ? AcceptQueue.Read(descriptor, kind, handle.Inode)?.Length : null;
        history.Add(
            HandlePhase.Close, "close",
            note: string.Create(
                CultureInfo.InvariantCulture,
                $"{HistoryRecorder.Reload}: the former socket, inode {handle.Inode}; {waiting ?? 0} connections waited in its queue"));
        handle.CloseSockets();
    }

    /// <summary>Gives the socket SO_REUSEPORT, or takes it away.</summary>
    public void Share(ListenerHandle handle, bool share, string why)
    {
        var value = OptionValue.Of(share);
        var error = OptionAccess.Set(handle.Descriptor!, SocketOptions.ReusePort, value);
        var effective = OptionAccess.Get(handle.Descriptor!, SocketOptions.ReusePort);
        _context.Record(handle, HistoryRecorder.Reload).Add(
            HandlePhase.PreBind, "setsockopt", SocketOptions.ReusePort.Name, value, effective, error?.Name,
            error is null ? Verdict.Exact : Verdict.Refused,
            string.Create(CultureInfo.InvariantCulture, $"on the living socket, inode {handle.Inode}: {why}"));
        foreach (var socket in handle.Sockets)
        {
            // The daemon made this change, so it is not drift.
            socket.Baseline = socket.Baseline?.With(SocketOptions.ReusePort, effective);
        }

        if (!share)
        {
            handle.Asked.Forget(SocketOptions.ReusePort);
        }
    }

    /// <summary>Takes SO_REUSEPORT from a socket that had it only for the bridge.</summary>
    public void EndBridge(ListenerHandle handle)
    {
        if (handle.Descriptor is not null && !handle.Spec.HasReusePort
            && OptionAccess.Get(handle.Descriptor, SocketOptions.ReusePort) == OptionValue.Of(true))
        {
            Share(handle, share: false, "no other socket needs the address any more");
        }
    }

    private void BeginBridge(IReadOnlyList<ListenerHandle> bridge, string why)
    {
        foreach (var holder in bridge)
        {
            Share(holder, share: true, why);
        }
    }

    private void EndBridge(IReadOnlyList<ListenerHandle> bridge)
    {
        foreach (var holder in bridge)
        {
            EndBridge(holder);
        }
    }
}
