using System.Net;
using System.Net.Sockets;
using Supervisor.Core.Workers;

namespace Supervisor.Linux.Probes;

/// <summary>
/// The connections of probes: TCP by the addresses of both ends, UNIX by their inodes. No client is at their other end, so none is cut
/// with them. They are known for a while after the probe has closed them, because the worker may close them later. Any thread.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class OwnConnections(TimeProvider time)
{
    /// <summary>
    /// How long a connection is known. The kernel can give its port to a client on this host afterwards, whose connection counts. To
    /// another listener it can connect at once: the port of the probe alone says nothing.
    /// </summary>
    public static readonly TimeSpan Span = TimeSpan.FromMinutes(1);

    /// <summary>So many of the newest are kept within <see cref="Span"/>.</summary>
    private const int Most = 4096;

    private readonly Recent<(ConnectionPeer Worker, ConnectionPeer Probe)> _internet = new(time);
    private readonly Recent<ulong> _unix = new(time);

    /// <summary>Those of this daemon.</summary>
    public static OwnConnections Shared { get; } = new(TimeProvider.System);

    /// <summary>Whether some are UNIX connections.</summary>
    public bool HasUnix => !_unix.IsEmpty;

    /// <summary>A probe has connected.</summary>
    public void Add(Socket connection)
    {
        if (connection is { LocalEndPoint: IPEndPoint probe, RemoteEndPoint: IPEndPoint worker })
        {
            _internet.Add((Peer(worker), Peer(probe)));
        }
        else if (AcceptedSocket.OwnInode(connection) is { } inode)
        {
            _unix.Add(inode);
        }
    }

    /// <summary>
    /// A process has accepted a probe's UNIX connection as the socket with that inode. Its peer has no inode once the probe has closed it.
    /// </summary>
    public void AddAccepted(Socket connection, ulong inode)
    {
        if (connection.AddressFamily == AddressFamily.Unix)
        {
            _unix.Add(inode);
        }
    }

    /// <summary>
    /// Whether a probe is at the other end of a TCP connection, or was until a while ago: the addresses that its worker sees.
    /// </summary>
    public bool Have(ConnectionPeer local, ConnectionPeer peer) => _internet.Has((local, peer));

    /// <summary>Whether a socket with that inode is an end of a probe's UNIX connection, or was until a while ago.</summary>
    public bool Have(ulong inode) => _unix.Has(inode);

    private static ConnectionPeer Peer(IPEndPoint end) => new(ConnectionPeer.Number(end.Address), (ushort)end.Port);

    /// <summary>What was added within <see cref="Span"/>.</summary>
    private sealed class Recent<T>(TimeProvider time)
        where T : notnull
    {
        private readonly Lock _guard = new();
        private readonly Dictionary<T, long> _begun = [];
        private readonly Queue<(T Key, long Begun)> _inOrder = new();

        public bool IsEmpty
        {
            get
            {
                lock (_guard)
                {
                    return _begun.Count == 0;
                }
            }
        }

        public void Add(T key)
        {
            var now = time.GetTimestamp();
            lock (_guard)
            {
                _begun[key] = now;
                _inOrder.Enqueue((key, now));
                while (_inOrder.TryPeek(out var oldest)
                    && (_inOrder.Count > Most || time.GetElapsedTime(oldest.Begun, now) > Span))
                {
                    _inOrder.Dequeue();
                    if (_begun.GetValueOrDefault(oldest.Key) == oldest.Begun)
                    {
                        _begun.Remove(oldest.Key);
                    }
                }
            }
        }

        public bool Has(T key)
        {
            lock (_guard)
            {
                return _begun.TryGetValue(key, out var begun) && time.GetElapsedTime(begun) <= Span;
            }
        }
    }
}
