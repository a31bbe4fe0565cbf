using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>Decides which clients get a connection to the broker, so that no user can occupy all places. On the loop.</summary>
public sealed class BrokerAdmission
{
    /// <summary>The most connections at the same time.</summary>
    public const int MaxConnections = 256;

    /// <summary>The most connections of one user at the same time. Root and the daemon's own user have no such limit.</summary>
    public const int MaxConnectionsPerUser = 64;

    /// <summary>How many of <see cref="MaxConnections"/> are reserved for root and the daemon's own user.</summary>
    public const int ReservedConnections = 32;

    /// <summary>The most connections, at the same time, of all users that run no worker and that no <c>allow</c> names.</summary>
    public const int MaxStrangers = 96;

    private readonly IBrokerTable _table;
    private readonly BrokerAccess _access;
    private readonly Disposer _disposer;
    private readonly List<BrokerConnection> _connections = [];
    private readonly Dictionary<uint, int> _byUser = [];
    private int _strangers;

    internal BrokerAdmission(IBrokerTable table, BrokerAccess access, Disposer disposer)
    {
        _table = table;
        _access = access;
        _disposer = disposer;
    }

    internal IReadOnlyList<BrokerConnection> Connections => _connections;

    /// <summary>Whether the peer's user runs no worker, and no listener's <c>allow</c> names it.</summary>
    internal bool IsStranger(BrokerPeer peer) => !peer.IsPrivileged && !_table.IsWorkerUser(peer.Uid) && !_access.IsNamed(peer);

    internal void Add(BrokerConnection connection)
    {
        _byUser[connection.Peer.Uid] = _byUser.GetValueOrDefault(connection.Peer.Uid) + 1;
        _strangers += connection.IsStranger ? 1 : 0;
        _connections.Add(connection);
    }

    internal void Remove(BrokerConnection connection)
    {
        if (!_connections.Remove(connection))
        {
            return;
        }

        var uid = connection.Peer.Uid;
        if (--_byUser[uid] == 0)
        {
            _byUser.Remove(uid);
        }

        _strangers -= connection.IsStranger ? 1 : 0;
    }

    /// <summary>
    /// Why the peer gets no connection; null if it gets one. <paramref name="evicted"/> is the connection to close for it; null
    /// if a place is free.
    /// </summary>
    internal string? Refuse(DescriptorHandle socket, BrokerPeer peer, out BrokerConnection? evicted)
    {
        evicted = null;
        if (DescriptorReserve.IsReached(socket))
        {
            return DescriptorReserve.ReachedText;
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

        if (_connections.Count < (peer.IsPrivileged ? MaxConnections : MaxConnections - ReservedConnections))
        {
            return null;
        }

        evicted = isStranger ? null : Evictable(peer);
        return evicted is null ? $"there are {_connections.Count} connections already" : null;
    }

    /// <summary>
    /// A worker's user gets a place even if others have taken all: the user with the most connections loses the one that has
    /// been idle for longest. Null if no user has more connections than the peer's user would have.
    /// </summary>
    private BrokerConnection? Evictable(BrokerPeer peer)
    {
        var own = _byUser.GetValueOrDefault(peer.Uid) + 1;
        return _connections
            .Where(connection => connection is { Peer.IsPrivileged: false, AcceptsRequests: true } && _byUser[connection.Peer.Uid] > own)
            .OrderByDescending(connection => connection.IsStranger).ThenByDescending(connection => _byUser[connection.Peer.Uid])
            .ThenBy(connection => connection.LastRequestAt)
            .FirstOrDefault();
    }
}
