using System.Net;
using System.Net.Sockets;
using Supervisor.Core.Workers;

namespace Supervisor.Linux.Probes;

/// <summary>
/// The TCP connections of probes by the addresses that workers see: no client is at their other end, so none is cut with them. The
/// newest ones are kept, also after the probe has closed them: the worker may close them later. Any thread.
/// </summary>
internal static class OwnConnections
{
    private const int Most = 4096;

    private static readonly Lock Guard = new();
    private static readonly HashSet<ConnectionPeer> Known = [];
    private static readonly Queue<ConnectionPeer> InOrder = new();

    /// <summary>A probe has connected.</summary>
    public static void Add(Socket connection)
    {
        if (connection.LocalEndPoint is not IPEndPoint local)
        {
            return;
        }

        var peer = new ConnectionPeer(ConnectionPeer.Number(local.Address), (ushort)local.Port);
        lock (Guard)
        {
            if (!Known.Add(peer))
            {
                return;
            }

            InOrder.Enqueue(peer);
            if (InOrder.Count > Most)
            {
                Known.Remove(InOrder.Dequeue());
            }
        }
    }

    /// <summary>Whether a probe is, or was, at the other end of a connection.</summary>
    public static bool Have(ConnectionPeer peer)
    {
        lock (Guard)
        {
            return Known.Contains(peer);
        }
    }
}
