using System.Diagnostics;
using System.Globalization;
using Serilog;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Protocols;
using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Output;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Handoff;

/// <summary>
/// The broker: lends duplicates of the daemon's descriptors by SCM_RIGHTS over a SOCK_SEQPACKET socket that anybody may
/// connect to. What one may do there is decided by who one is (<see cref="BrokerAccess"/>). Lives on the loop.
/// </summary>
/// <remarks>
/// <para>
/// A packet is a request and a packet is its answer: there is no stream to lose one's place in, so whatever a request
/// holds, the next one is heard as if nothing had been. Every call is made without waiting.
/// </para>
/// <para>
/// What a client can make us keep is bounded: a connection, one reply that waits (a list of handles, no copies of
/// descriptors), and one descriptor for as long as a request is looked at, and that only where it may put one. Its further
/// requests wait in its own socket's buffer.
/// </para>
/// </remarks>
public sealed partial class Broker : IDeadline, IDisposable
{
    /// <summary>Connections at the same time.</summary>
    public const int MaxConnections = 256;

    /// <summary>Connections of one user at the same time, but for root and the daemon's own.</summary>
    public const int MaxConnectionsPerUser = 64;

    /// <summary>Of <see cref="MaxConnections"/>, those that only root and the daemon's own user may have.</summary>
    public const int ReservedConnections = 32;

    /// <summary>Connections, at the same time, of all users that run no worker and that no <c>allow</c> names.</summary>
    public const int MaxStrangers = 96;

    /// <summary>How long a connection of such a user may ask nothing.</summary>
    public static readonly TimeSpan StrangerPatience = TimeSpan.FromSeconds(30);

    /// <summary>How long requests are answered at a stretch before it is everybody else's turn.</summary>
    private static readonly TimeSpan Stretch = TimeSpan.FromMilliseconds(5);

    private const int MaxAcceptsPerWake = 64;

    /// <summary>How long nobody is accepted where that cannot be done.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly EventLoop _loop;
    private readonly IBrokerTable _table;
    private readonly LogLimit _log;
    private readonly Disposer _disposer;
    private readonly string _path;
    private readonly DescriptorHandle _listener;
    private readonly List<BrokerConnection> _connections = [];
    private readonly Dictionary<uint, int> _byUser = [];
    private readonly Queue<BrokerConnection> _asking = new();
    private readonly SerialQueue _looks;
    private int _strangers;
    private bool _isServing;
    private readonly Func<ReadOnlySpan<char>, string?> _known;

    /// <summary>The handles whose names stand in the request that is being read, in their order.</summary>
    private readonly List<ListenerHandle> _named = [];
    private DescriptorHandle? _spare;
    private TimeSpan? _resumeAt;

    private Broker(EventLoop loop, IBrokerTable table, Disposer disposer, ILogger log, string path, DescriptorHandle listener)
    {
        _loop = loop;
        _table = table;
        _disposer = disposer;
        _log = new LogLimit(loop, log);
        _path = path;
        _listener = listener;
        _known = Known;
        _looks = new SerialQueue(loop);
        Access = new BrokerAccess(loop);
        _spare = Spare();
        loop.Watch(listener, Accept);
        loop.Add(this);
    }

    /// <summary>Whoever took more is not looked after when it goes: the reading back would keep the loop from everybody else.</summary>
    public const int MostLooked = 64;

    /// <summary>A client has gone that took these: what it changed on them meanwhile may be looked at.</summary>
    public event Action<IReadOnlyCollection<ListenerHandle>>? TakerGone;

    /// <summary>Who may take what.</summary>
    public BrokerAccess Access { get; }

    /// <summary>The socket, for a successor.</summary>
    public DescriptorHandle Listener => _listener;

    /// <summary>How many clients are connected.</summary>
    public int Connections => _connections.Count;

    /// <inheritdoc/>
    public TimeSpan? NextDeadline
    {
        get
        {
            var next = _resumeAt;
            foreach (var connection in _connections)
            {
                next = connection.Deadline is { } at && !(next <= at) ? at : next;
            }

            return next;
        }
    }

    /// <summary>Where packets are written.</summary>
    internal BrokerPacket Packet { get; } = new();

    /// <summary>Makes the socket, 0666, or takes a predecessor's, and serves it on the loop; null with the reason where that cannot be. What lies at the path is replaced.</summary>
    public static Broker? TryStart(EventLoop loop, string path, IBrokerTable table, Disposer disposer, ILogger log, out string? error, DescriptorHandle? inherited = null)
    {
        if (inherited is not null)
        {
            error = null;
            return new Broker(loop, table, disposer, log, path, inherited);
        }

        const int mode = 0x1B6;
        var raw = Sockaddr.Encode(ListenAddress.Unix(ListenerKind.UnixSeqpacket, path, isAbstract: false));
        if (raw is null)
        {
            error = $"broker socket {path}: the path is longer than {ListenAddress.MaxUnixPathBytes} bytes; choose a shorter runtime directory";
            return null;
        }

        var socket = Sockets.Create(AF_UNIX, SOCK_SEQPACKET, 0, nonBlocking: true, out var failed);
        if (socket is null)
        {
            error = $"broker socket {path}: {failed}";
            return null;
        }

        Files.Unlink(path);
        var refused = Sockets.Bind(socket, raw) ?? Files.SetMode(path, mode) ?? Sockets.Listen(socket, 128);
        if (refused is { } why)
        {
            socket.Dispose();
            error = $"broker socket {path}: {why}";
            return null;
        }

        error = null;
        return new Broker(loop, table, disposer, log, path, socket);
    }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        var now = _loop.Now;
        if (_resumeAt <= now)
        {
            _resumeAt = null;
            _loop.Watch(_listener, Accept);
        }

        foreach (var connection in _connections.Where(connection => connection.Deadline <= now).ToArray())
        {
            if (!connection.IsIdle)
            {
                var peer = connection.Peer;
                _log.Write(peer.Description, "unread", (log, leftOut) => log.Kind(MessageIds.BrokerClientStalled).Warning("broker: pid {Pid} ({Peer}) does not read what it asked for: its connection is closed{LeftOut}", peer.Pid, peer.Description, leftOut));
            }

            Close(connection);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop.Remove(this);
        _loop.Unwatch(_listener);
        Files.Unlink(_path);
        foreach (var connection in _connections)
        {
            connection.Dispose();
        }

        _connections.Clear();
        _disposer.CloseListener("broker", _listener);
        _log.Dispose();
        _spare?.Dispose();
    }

    /// <summary>The answer to one packet; null where the connection is not the broker's any more. A descriptor that is taken out of <paramref name="received"/> is the table's.</summary>
    internal BrokerReply? Answer(BrokerConnection connection, ReadOnlySpan<byte> data, bool truncated, bool descriptorsLost, List<DescriptorHandle> received)
    {
        var peer = connection.Peer;
        if (truncated)
        {
            return BrokerReply.Error(new BrokerError(BrokerErrorCode.TooLarge, $"a request has {BrokerRequest.MaxBytes} bytes at most"));
        }

        _named.Clear();
        if (!BrokerRequest.TryParse(data, out var request, out var error, _known))
        {
            return BrokerReply.Error(error);
        }

        if (request.Method != BrokerMethod.Put && (received.Count > 0 || descriptorsLost))
        {
            return BrokerReply.Error(new BrokerError(BrokerErrorCode.Invalid, "a descriptor rides on the request, and only put takes one"));
        }

        return request.Method switch
        {
            BrokerMethod.Take => Take(peer, request),
            BrokerMethod.List => List(peer, request),
            BrokerMethod.Put => Reply(Put(peer, request.Name!, descriptorsLost, received)),
            BrokerMethod.Drop => Reply(MayChange(peer) ?? _table.Drop(request.Name!)),
            BrokerMethod.Succeed => (MayChange(peer) ?? _table.Succeed(peer, () => Release(connection))) is { } refused ? BrokerReply.Error(refused) : null,
            _ => throw new InvalidOperationException($"no method: {request.Method}"),
        };
    }

    /// <summary>Ends a connection.</summary>
    internal void Close(BrokerConnection connection)
    {
        Forget(connection);
        connection.Dispose();
        _named.Clear();
        if (connection.Taken.Count is > 0 and <= MostLooked)
        {
            TakerGone?.Invoke(connection.Taken);
        }
    }

    private DescriptorHandle Release(BrokerConnection connection)
    {
        Forget(connection);
        return connection.Release();
    }

    private void Forget(BrokerConnection connection)
    {
        if (_connections.Remove(connection))
        {
            var uid = connection.Peer.Uid;
            if (--_byUser[uid] == 0)
            {
                _byUser.Remove(uid);
            }

            _strangers -= connection.IsStranger ? 1 : 0;
        }
    }

    /// <summary>A packet could not be sent: the peer is gone, or this host has a bound.</summary>
    internal void Refused(BrokerConnection connection, SystemCallError error)
    {
        if (error.Errno == ETOOMANYREFS)
        {
            _log.Write("", "references", (log, leftOut) => log.Kind(MessageIds.BrokerLimit).Warning("broker: {Error}: too many descriptors of this user are on their way in sockets that nobody reads; raise LimitNOFILE= (unix(7)){LeftOut}", error.ToString(), leftOut));
        }

        Close(connection);
    }

    private static BrokerReply Reply(BrokerError? error) => error is null ? BrokerReply.Ok() : BrokerReply.Error(error);

    private string? Known(ReadOnlySpan<char> name)
    {
        if (_table.Find(name) is not { } handle)
        {
            return null;
        }

        _named.Add(handle);
        return handle.Name;
    }

    /// <summary>A connection has something to read: it is answered at the end of this turn, or of a later one where many ask.</summary>
    internal void Enqueue(BrokerConnection connection)
    {
        _asking.Enqueue(connection);
        if (!_isServing)
        {
            _isServing = true;
            _loop.AtTurnEnd(Serve);
        }
    }

    /// <summary>
    /// Finds out beside the loop who the peer is, one peer of each user at a time, and what the names in <c>allow</c> stand for.
    /// A peer that turns out to be a worker's does not wait for names.
    /// </summary>
    internal void Look(BrokerConnection connection)
    {
        var peer = connection.Peer;
        Access.LookUp(_table.Handles);
        _looks.Ask<ProcessLineage>(
            peer.Uid,
            () =>
            {
                if (connection.HasEnded)
                {
                    Close(connection);
                    return null;
                }

                var pidfd = peer.OpenPidfd();
                return () =>
                {
                    using (pidfd)
                    {
                        return Task.FromResult(peer.Look(pidfd));
                    }
                };
            },
            lineage =>
            {
                peer.Lineage = lineage;
                if (Access.IsLookingUp && lineage is not null && _table.ServiceOf(lineage, null) is not null)
                {
                    connection.Looked();
                }
                else
                {
                    Access.WhenKnown(connection.Looked);
                }
            });
    }

    /// <summary>Answers one request of each connection that has some, in the order in which they asked, for no longer than a stretch.</summary>
    private void Serve()
    {
        var began = Stopwatch.GetTimestamp();
        for (var left = _asking.Count; left > 0 && Stopwatch.GetElapsedTime(began) < Stretch; left--)
        {
            _asking.Dequeue().Serve();
        }

        _isServing = _asking.Count > 0;
        if (_isServing)
        {
            _loop.Post(Serve);
        }
    }

    private BrokerReply Take(BrokerPeer peer, BrokerRequest request)
    {
        var service = peer.IsPrivileged ? null : peer.Service(_table, request.Token);
        var handles = new ListenerHandle[request.Listeners.Length];
        for (var i = 0; i < handles.Length; i++)
        {
            var name = request.Listeners[i];

            // As a rule all have been found when they were read; the name is then the handle's own.
            if ((i < _named.Count && ReferenceEquals(_named[i].Name, name) ? _named[i] : _table.Find(name)) is not { } handle)
            {
                return BrokerReply.Error(new BrokerError(BrokerErrorCode.NotFound, BrokerRequest.IsName(name) ? $"there is no listener \"{name}\"" : "there is no listener of such a name"));
            }

            if (!Access.Allows(peer, service, handle))
            {
                return BrokerReply.Error(new BrokerError(
                    BrokerErrorCode.Denied,
                    $"listener \"{name}\" is not for {peer.Description}: add user:NAME or group:NAME to listener.{name}.allow, or ask as a worker of a service that lists it"));
            }

            if (handle.Descriptor is null)
            {
                return BrokerReply.Error(new BrokerError(BrokerErrorCode.NotFound, $"listener \"{name}\" has no socket now: {handle.Failure?.ToString() ?? "it was closed"}"));
            }

            handle.KeepBaseline();
            handles[i] = handle;
        }

        return BrokerReply.Take(handles);
    }

    private BrokerReply List(BrokerPeer peer, BrokerRequest request)
    {
        var service = peer.IsPrivileged ? null : peer.Service(_table, request.Token);
        return BrokerReply.List([.. _table.Handles.Where(handle => handle.Descriptor is not null && Access.Allows(peer, service, handle))]);
    }

    private BrokerError? Put(BrokerPeer peer, string name, bool descriptorsLost, List<DescriptorHandle> received)
    {
        if (MayChange(peer) is { } denied)
        {
            return denied;
        }

        if (received.Count > 1)
        {
            return new BrokerError(BrokerErrorCode.Invalid, "put takes one descriptor, and more ride on the request");
        }

        if (received.Count != 1)
        {
            return descriptorsLost
                ? new BrokerError(BrokerErrorCode.Busy, "the daemon has no descriptor left for it: raise LimitNOFILE= in its unit, or ulimit -n")
                : new BrokerError(BrokerErrorCode.Invalid, "put needs the descriptor, by SCM_RIGHTS on the request");
        }

        if ((ulong)received[0].Number + DescriptorReserve.FromWorkers >= Processes.DescriptorLimit())
        {
            return new BrokerError(BrokerErrorCode.Busy, "the daemon's last descriptors are kept for its own use: raise LimitNOFILE= in its unit, or ulimit -n");
        }

        var error = _table.Put(name, received[0], peer.Actor, $"put by {peer.Description}");
        if (error is null)
        {
            received.Clear();
        }

        return error;
    }

    private static BrokerError? MayChange(BrokerPeer peer) => peer.IsPrivileged
        ? null
        : new BrokerError(BrokerErrorCode.Denied, $"put, drop and succeed are for root and the daemon's own user ({Processes.EffectiveUid.ToString(CultureInfo.InvariantCulture)}); you are {peer.Description}");

    private void Accept()
    {
        Span<byte> unread = stackalloc byte[1];
        for (var i = 0; i < MaxAcceptsPerWake; i++)
        {
            var socket = Sockets.Accept(_listener, nonBlocking: true, out var error);
            if (socket is null)
            {
                if (error is { } refused)
                {
                    TurnAway(refused);
                }

                return;
            }

            if (BrokerPeer.Of(socket) is not { } peer)
            {
                _disposer.CloseSocket("broker", socket);
                continue;
            }

            if (Full(socket, peer) is { } reason)
            {
                // Its request is read first: what is closed unread reads as a reset there, before the reason does.
                if (Sockets.Peek(socket, withCredentials: false, unread, out _, out _, out _, out var carries, out _) >= 0 && !carries)
                {
                    Sockets.Remove(socket);
                }

                BrokerReply.Error(new BrokerError(BrokerErrorCode.Busy, reason)).TrySend(socket, Packet, static _ => { }, out _);
                _disposer.CloseSocket(Disposer.OwnerOf(peer.Uid), socket);
                continue;
            }

            // A packet of the greatest size must fit, whatever net.core.wmem_default is.
            Sockets.SetInt32(socket, SOL_SOCKET, SO_SNDBUF, 4 * BrokerRequest.MaxBytes);
            Add(socket, peer);
        }
    }

    private void Add(DescriptorHandle socket, BrokerPeer peer)
    {
        var isStranger = IsStranger(peer);
        _byUser[peer.Uid] = _byUser.GetValueOrDefault(peer.Uid) + 1;
        _strangers += isStranger ? 1 : 0;
        _connections.Add(new BrokerConnection(_loop, this, _disposer, socket, peer, isStranger));
    }

    private bool IsStranger(BrokerPeer peer) => !peer.IsPrivileged && !_table.IsWorkerUser(peer.Uid) && !Access.IsNamed(peer);

    private string? Full(DescriptorHandle socket, BrokerPeer peer)
    {
        if ((ulong)socket.Number + DescriptorReserve.FromWorkers >= Processes.DescriptorLimit())
        {
            return "the daemon's last descriptors are kept for its own use: raise LimitNOFILE= in its unit, or ulimit -n";
        }

        if (_disposer.IsFull(Disposer.OwnerOf(peer.Uid)))
        {
            return $"descriptors that {peer.Description} sent are still being closed";
        }

        if (!peer.IsPrivileged && _byUser.GetValueOrDefault(peer.Uid) >= MaxConnectionsPerUser)
        {
            return $"{peer.Description} has {MaxConnectionsPerUser} connections already";
        }

        var isStranger = IsStranger(peer);
        if (isStranger && _strangers >= MaxStrangers)
        {
            return $"there are {MaxStrangers} connections already of users that run no worker and that no listener allows";
        }

        return _connections.Count < (peer.IsPrivileged ? MaxConnections : MaxConnections - ReservedConnections) || (!isStranger && MakeRoom(peer))
            ? null
            : $"there are {_connections.Count} connections already";
    }

    /// <summary>
    /// A worker's user finds a place although others have taken all: whoever has most loses the connection that has been idle
    /// for longest. False where nobody has more than the peer's user would have then.
    /// </summary>
    private bool MakeRoom(BrokerPeer peer)
    {
        var own = _byUser.GetValueOrDefault(peer.Uid) + 1;
        if (_connections.Where(connection => connection is { Peer.IsPrivileged: false, IsHeard: true } && _byUser[connection.Peer.Uid] > own)
            .OrderByDescending(connection => connection.IsStranger).ThenByDescending(connection => _byUser[connection.Peer.Uid]).ThenBy(connection => connection.HeardAt)
            .FirstOrDefault() is not { } idle)
        {
            return false;
        }

        Close(idle);
        return true;
    }

    /// <summary>
    /// Without a descriptor nobody can be accepted, and the loop would be woken for ever by who waits: the spare one is
    /// given up for as long as it takes to accept and close. Where even that does not go, nobody is heard for a while.
    /// </summary>
    private void TurnAway(SystemCallError error)
    {
        _log.Write("", "turned away", (log, leftOut) => log.Kind(MessageIds.BrokerRejecting).Warning("broker: {Error}: clients are turned away{LeftOut}", error.ToString(), leftOut));
        _spare?.Dispose();
        var turnedAway = Sockets.Accept(_listener, nonBlocking: true, out _);
        if (turnedAway is not null)
        {
            _disposer.CloseSocket("broker", turnedAway);
        }

        _spare = Spare();
        if (turnedAway is null)
        {
            _loop.Unwatch(_listener);
            _resumeAt = _loop.Now + Pause;
        }
    }

    private static DescriptorHandle? Spare() => Files.Open("/dev/null", 0, 0, out _);
}
