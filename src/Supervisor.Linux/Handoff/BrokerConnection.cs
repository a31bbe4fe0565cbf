using System.Buffers;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Protocols;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>
/// One client of the broker. While a reply waits for buffer space, the broker reads no further request of this client: a client
/// that does not read its replies delays only itself.
/// </summary>
internal sealed class BrokerConnection : IDisposable
{
    /// <summary>How long a reply may wait for the peer to read.</summary>
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

    /// <summary>Takes over the socket and reads requests from it.</summary>
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

    /// <summary>The handles that the client has taken, at most one more than <see cref="Broker.MaxWatchedHandles"/>.</summary>
    public IReadOnlyCollection<ListenerHandle> Taken => _taken ?? (IReadOnlyCollection<ListenerHandle>)[];

    /// <summary>
    /// Whether the next request may be read. Otherwise a reply waits for buffer space, or descriptors are being received.
    /// </summary>
    public bool AcceptsRequests => _pending is null && !_isReceiving;

    /// <summary>The socket; this object owns it.</summary>
    public DescriptorHandle Socket => _socket;

    /// <summary>Whether its user runs no worker, and no listener allows it.</summary>
    public bool IsStranger { get; }

    /// <summary>Whether either side has closed it.</summary>
    public bool HasEnded => _isClosed || Polling.IsClosed(_socket);

    /// <summary>When the last request arrived, or the connection was made. Monotonic.</summary>
    public TimeSpan LastRequestAt { get; private set; }

    /// <summary>Whether no reply waits for buffer space.</summary>
    public bool IsIdle => _pending is null;

    /// <summary>When a waiting reply, or a stranger's silence, times out; null if there is no limit.</summary>
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

    /// <summary>Hands the socket over to the caller.</summary>
    internal DescriptorHandle Release()
    {
        _isClosed = true;
        _loop.Unwatch(_socket);
        return _socket;
    }

    /// <summary>A request has arrived: the broker reads it when it is this connection's turn.</summary>
    private void OnReadable()
    {
        if (!_isQueued)
        {
            _isQueued = true;
            _broker.Enqueue(this);
        }
    }

    /// <summary>
    /// Reads one request and starts its reply. A peer without privileges is identified first; until then its requests wait in
    /// the socket.
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

    /// <summary>
    /// The disposer receives the descriptors of a request, never the loop. It discards those of a peer that may not put.
    /// </summary>
    private void Receive(byte[] request, bool truncated)
    {
        _isReceiving = true;
        _loop.Unwatch(_socket);
        var owner = Disposer.OwnerOf(Peer.Uid);
        if (Peer.IsPrivileged)
        {
            _disposer.Receive(
                owner, _socket, all: true, outcome => Received(request, truncated, outcome.IsIncomplete, outcome.Descriptors));
            return;
        }

        // The kernel rejects further descriptors when they are sent (EPERM). This request gets a reply.
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
        // The history records the peer's process name at the time of the request.
        _fact = null;
        if (!Send(reply))
        {
            _pending = reply;
            _loop.Unwatch(_socket);
            _loop.WatchOutput(_socket, Continue);
        }
    }

    /// <summary>The socket has buffer space again, or the peer has closed it.</summary>
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

    /// <summary>One packet with descriptors of these handles was sent to the peer.</summary>
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
            if (_taken is null || _taken.Count <= Broker.MaxWatchedHandles)
            {
                (_taken ??= []).Add(handle);
            }
        }
    }

    /// <summary>Sends as much as fits into the buffer. True if nothing remains to be sent.</summary>
    private bool Send(BrokerReply reply)
    {
        while (!reply.IsDone)
        {
            if (!reply.IsWhole)
            {
                // An incomplete reply cannot continue; the peer reads the end of the connection.
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
