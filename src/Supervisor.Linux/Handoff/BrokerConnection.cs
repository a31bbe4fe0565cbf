using System.Buffers;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Protocols;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>
/// One client of the broker. While a reply waits for room, the broker reads no further request of the client: a client
/// that does not read its replies delays only itself.
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
    private bool _isIdentifying;
    private bool _isIdentified;

    /// <summary>Owns the socket from now on and reads requests from it.</summary>
    public BrokerConnection(EventLoop loop, Broker broker, Disposer disposer, DescriptorHandle socket, BrokerPeer peer, bool isStranger)
    {
        IsStranger = isStranger;
        LastRequestAt = loop.Now;
        _isIdentified = peer.IsPrivileged;
        _loop = loop;
        _disposer = disposer;
        _broker = broker;
        _socket = socket;
        Peer = peer;
        _note = $"taken from the broker by {peer.Description}";
        _passed = Passed;
        loop.Watch(socket, OnReadable);
    }

    /// <summary>The process at the other end.</summary>
    public BrokerPeer Peer { get; }

    /// <summary>The handles that the client has taken, at most one more than <see cref="Broker.MostWatchedHandles"/>.</summary>
    public IReadOnlyCollection<ListenerHandle> Taken => _taken ?? (IReadOnlyCollection<ListenerHandle>)[];

    /// <summary>Whether the next request may be read. Otherwise a reply waits for room, or descriptors are being received.</summary>
    public bool AcceptsRequests => _pending is null && !_isReceiving;

    /// <summary>The socket; this object owns it.</summary>
    public DescriptorHandle Socket => _socket;

    /// <summary>Whether its user runs no worker, and no listener allows it.</summary>
    public bool IsStranger { get; }

    /// <summary>Whether it was closed, by this side or by the peer.</summary>
    public bool HasEnded => _isClosed || Polling.IsClosed(_socket);

    /// <summary>When the last request came, or the connection was made. Monotonic.</summary>
    public TimeSpan LastRequestAt { get; private set; }

    /// <summary>Whether no reply waits for room.</summary>
    public bool IsIdle => _pending is null;

    /// <summary>When the wait is over, for room for a reply or for a stranger's request; null where there is no limit.</summary>
    public TimeSpan? Deadline => _deadline ?? (IsStranger && _pending is null ? LastRequestAt + Broker.StrangerPatience : null);

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

    /// <summary>A request has come: the broker reads it when it is this connection's turn.</summary>
    private void OnReadable()
    {
        if (!_isQueued)
        {
            _isQueued = true;
            _broker.Enqueue(this);
        }
    }

    /// <summary>
    /// Reads one request and begins its answer. A peer without privileges is identified first; until then its requests wait
    /// in its socket.
    /// </summary>
    internal void Serve()
    {
        _isQueued = false;
        if (_isClosed || _pending is not null || _isIdentifying)
        {
            return;
        }

        if (!_isIdentified)
        {
            _isIdentifying = true;
            _loop.Unwatch(_socket);
            _broker.Identify(this);
            return;
        }

        LastRequestAt = _loop.Now;
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

    /// <summary>The peer has been identified.</summary>
    internal void Identified()
    {
        _isIdentifying = false;
        _isIdentified = true;
        if (!_isClosed)
        {
            _loop.Watch(_socket, OnReadable);
            OnReadable();
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

    /// <summary>A request with descriptors: the disposer receives them, never the loop. Those of a peer that may not put are discarded.</summary>
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
        _loop.Watch(_socket, OnReadable);
        if (_broker.Answer(this, request, truncated, descriptorsLost, received) is { } reply)
        {
            Answer(reply);
        }
    }

    private void Answer(BrokerReply reply)
    {
        // The history names the taker by the name that its process has when it takes.
        _fact = null;
        if (!Send(reply))
        {
            _pending = reply;
            _loop.Unwatch(_socket);
            _loop.WatchOutput(_socket, Continue);
        }
    }

    /// <summary>There is room again, or the peer has closed.</summary>
    private void Continue()
    {
        if (Send(_pending!) && !_isClosed)
        {
            _pending = null;
            _deadline = null;
            _loop.Unwatch(_socket);
            _loop.Watch(_socket, OnReadable);
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
            if (_taken is null || _taken.Count <= Broker.MostWatchedHandles)
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

                _broker.SendFailed(this, error.Value);
                return true;
            }

            _deadline = null;
        }

        return true;
    }
}
