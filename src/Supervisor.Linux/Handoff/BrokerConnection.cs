using System.Buffers;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Protocols;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>
/// One client of the broker: it is either heard or answered. While a reply waits for room nothing more is read of it, so
/// whoever does not read what it asked for keeps its own requests waiting, in its own buffer, and nobody else's.
/// </summary>
internal sealed class BrokerConnection : IDisposable
{
    /// <summary>How long a reply may wait for the peer to make room.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly EventLoop _loop;
    private readonly Broker _broker;
    private readonly Disposer _disposer;
    private readonly DescriptorHandle _socket;
    private readonly string _note;
    private readonly Action<ReadOnlySpan<ListenerHandle>> _passed;
    private HashSet<ListenerHandle>? _taken;
    private BrokerReply? _pending;
    private HistoryFact? _fact;
    private bool _isReceiving;
    private bool _isClosed;
    private TimeSpan? _deadline;
    private bool _isQueued;
    private bool _isLooking;
    private bool _isKnown;

    /// <summary>Takes over the socket, and hears it from now on.</summary>
    public BrokerConnection(EventLoop loop, Broker broker, Disposer disposer, DescriptorHandle socket, BrokerPeer peer, bool isStranger)
    {
        IsStranger = isStranger;
        HeardAt = loop.Now;
        _isKnown = peer.IsPrivileged;
        _loop = loop;
        _disposer = disposer;
        _broker = broker;
        _socket = socket;
        Peer = peer;
        _note = $"taken from the broker by {peer.Description}";
        _passed = Passed;
        loop.Watch(socket, Hear);
    }

    /// <summary>Who it is.</summary>
    public BrokerPeer Peer { get; }

    /// <summary>The handles that it has taken; no more than one beyond <see cref="Broker.MostLooked"/>.</summary>
    public IReadOnlyCollection<ListenerHandle> Taken => _taken ?? (IReadOnlyCollection<ListenerHandle>)[];

    /// <summary>Whether its next request is waited for; otherwise an answer waits for room, or descriptors are received.</summary>
    public bool IsHeard => _pending is null && !_isReceiving;

    /// <summary>The socket, which stays this object's.</summary>
    public DescriptorHandle Socket => _socket;

    /// <summary>Whether its user runs no worker, and no listener allows it.</summary>
    public bool IsStranger { get; }

    /// <summary>Whether it was closed, by this side or by the peer.</summary>
    public bool HasEnded => _isClosed || Polling.IsClosed(_socket);

    /// <summary>When it last asked, or connected.</summary>
    public TimeSpan HeardAt { get; private set; }

    /// <summary>Whether nothing is under way for it.</summary>
    public bool IsIdle => _pending is null;

    /// <summary>When the wait is over, for room for a reply or for a stranger's request; null where there is no limit.</summary>
    public TimeSpan? Deadline => _deadline ?? (IsStranger && _pending is null ? HeardAt + Broker.StrangerPatience : null);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            _loop.Unwatch(_socket);
            _disposer.CloseSocket(Disposer.OwnerOf(Peer.Uid), _socket);
        }
    }

    /// <summary>Lets go of the socket, which is the caller's from now on.</summary>
    internal DescriptorHandle Release()
    {
        _isClosed = true;
        _loop.Unwatch(_socket);
        return _socket;
    }

    /// <summary>There is something to read, which the broker has read when it is this connection's turn.</summary>
    private void Hear()
    {
        if (!_isQueued)
        {
            _isQueued = true;
            _broker.Enqueue(this);
        }
    }

    /// <summary>Takes one request and begins its answer. Before the first one of a peer without privileges, who that is has to be found out: until then its requests wait in its socket.</summary>
    internal void Serve()
    {
        _isQueued = false;
        if (_isClosed || _pending is not null || _isLooking)
        {
            return;
        }

        if (!_isKnown)
        {
            _isLooking = true;
            _loop.Unwatch(_socket);
            _broker.Look(this);
            return;
        }

        HeardAt = _loop.Now;
        var data = ArrayPool<byte>.Shared.Rent(BrokerRequest.MaxBytes);
        try
        {
            Take(data.AsSpan(0, BrokerRequest.MaxBytes));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(data);
        }
    }

    /// <summary>Who the peer is has been found out.</summary>
    internal void Looked()
    {
        _isLooking = false;
        _isKnown = true;
        if (!_isClosed)
        {
            _loop.Watch(_socket, Hear);
            Hear();
        }
    }

    private bool Take(Span<byte> data)
    {
        var length = Sockets.Peek(_socket, withCredentials: false, data, out _, out _, out var truncated, out var carries, out var error);
        if (length < 0 && error is null)
        {
            return false;
        }

        if (length <= 0 && !carries)
        {
            _broker.Close(this);
            return false;
        }

        if (carries)
        {
            Receive(data[..length].ToArray(), truncated);
            return false;
        }

        Sockets.Remove(_socket);
        if (_broker.Answer(this, data[..length], truncated, descriptorsLost: false, []) is not { } reply)
        {
            return false;
        }

        Answer(reply);
        return true;
    }

    /// <summary>A request with descriptors, which are never opened on the loop: of those who may not put any, nowhere.</summary>
    private void Receive(byte[] request, bool truncated)
    {
        _isReceiving = true;
        _loop.Unwatch(_socket);
        var owner = Disposer.OwnerOf(Peer.Uid);
        if (Peer.IsPrivileged)
        {
            _disposer.Receive(owner, _socket, all: true, outcome => Received(request, truncated, outcome.IsIncomplete, outcome.Descriptors));
            return;
        }

        // The kernel refuses the next ones at their sender (EPERM). This one is answered.
        Sockets.SetPassRights(_socket, allowed: false);
        _disposer.Discard(owner, _socket, _ => Received(request, truncated, descriptorsLost: true, []));
    }

    private void Received(byte[] request, bool truncated, bool descriptorsLost, List<DescriptorHandle> received)
    {
        if (_isClosed)
        {
            return;
        }

        _isReceiving = false;
        _loop.Watch(_socket, Hear);
        if (_broker.Answer(this, request, truncated, descriptorsLost, received) is { } reply)
        {
            Answer(reply);
        }
    }

    private void Answer(BrokerReply reply)
    {
        // Who takes is named as it is called when it takes.
        _fact = null;
        if (!Send(reply))
        {
            _pending = reply;
            _loop.Unwatch(_socket);
            _loop.WatchOutput(_socket, GoOn);
        }
    }

    /// <summary>There is room again, or the peer is gone.</summary>
    private void GoOn()
    {
        if (Send(_pending!) && !_isClosed)
        {
            _pending = null;
            _deadline = null;
            _loop.Unwatch(_socket);
            _loop.Watch(_socket, Hear);
        }
    }

    /// <summary>Descriptors of these have gone to the peer, in one packet.</summary>
    private void Passed(ReadOnlySpan<ListenerHandle> handles)
    {
        if (handles.IsEmpty)
        {
            return;
        }

        _fact ??= new HistoryFact(HandlePhase.Handoff, "sendmsg", null, null, null, null, Verdict.Exact, Peer.Actor, _note);
        var now = new HistoryMoment(_loop.Time);
        foreach (var handle in handles)
        {
            handle.History.Add(_fact, now);
            if (_taken is null || _taken.Count <= Broker.MostLooked)
            {
                (_taken ??= []).Add(handle);
            }
        }
    }

    /// <summary>Sends as much as there is room for. True where nothing is left to send.</summary>
    private bool Send(BrokerReply reply)
    {
        while (!reply.IsDone)
        {
            if (!reply.IsWhole)
            {
                // All or nothing: the peer sees an end where it was promised more.
                _broker.Close(this);
                return true;
            }

            if (!reply.TrySend(_socket, _broker.Packet, _passed, out var error))
            {
                if (error is null)
                {
                    _deadline = _loop.Now + Patience;
                    return false;
                }

                _broker.Refused(this, error.Value);
                return true;
            }

            _deadline = null;
        }

        return true;
    }
}
