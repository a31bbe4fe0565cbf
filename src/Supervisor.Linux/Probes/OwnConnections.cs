using System.Net;
using System.Net.Sockets;
using Supervisor.Core.Workers;

namespace Supervisor.Linux.Probes;

/// <summary>
/// The TCP connections of probes by the addresses that workers see: no client is at their other end, so none is cut with them. They are
/// known for a while after the probe has closed them, because the worker may close them later. Any thread.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class OwnConnections(TimeProvider time)
{
    /// <summary>
    /// How long a connection is known. The kernel can give its port to a client on this host afterwards, whose connection counts.
    /// </summary>
    public static readonly TimeSpan Span = TimeSpan.FromMinutes(1);

    /// <summary>So many of the newest are kept within <see cref="Span"/>.</summary>
    private const int Most = 4096;

    private readonly Lock _guard = new();
    private readonly Dictionary<ConnectionPeer, long> _begun = [];
    private readonly Queue<(ConnectionPeer Peer, long Begun)> _inOrder = new();

    /// <summary>Those of this daemon.</summary>
    public static OwnConnections Shared { get; } = new(TimeProvider.System);

    /// <summary>A probe has connected.</summary>
    public void Add(Socket connection)
    {
        if (connection.LocalEndPoint is not IPEndPoint local)
        {
            return;
        }

        var peer = new ConnectionPeer(ConnectionPeer.Number(local.Address), (ushort)local.Port);
        var now = time.GetTimestamp();
        lock (_guard)
        {
            _begun[peer] = now;
            _inOrder.Enqueue((peer, now));
            while (_inOrder.TryPeek(out var oldest)
                && (_inOrder.Count > Most || time.GetElapsedTime(oldest.Begun, now) > Span))
            {
                _inOrder.Dequeue();
                if (_begun.GetValueOrDefault(oldest.Peer) == oldest.Begun)
                {
                    _begun.Remove(oldest.Peer);
                }
            }
        }
    }

    /// <summary>Whether a probe is at the other end of a connection, or was until a while ago.</summary>
    public bool Have(ConnectionPeer peer)
    {
        lock (_guard)
        {
            return _begun.TryGetValue(peer, out var begun) && time.GetElapsedTime(begun) <= Span;
        }
    }
}
