using System.Buffers.Binary;
using System.Net;
using System.Text;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Probes;

namespace Supervisor.Linux.Evidence;

/// <summary>A connection that was accepted from one of our listeners and is open: some process has its socket.</summary>
/// <param name="Inode">The inode number of the accepted socket.</param>
/// <param name="Listener">The listener's name.</param>
/// <param name="Peer">Who is at the other end; null where that has no address.</param>
public readonly record struct AcceptedConnection(ulong Inode, string Listener, string? Peer);

/// <summary>
/// The accepted connections of listeners by NETLINK_SOCK_DIAG: the sockets of the listener's port, or of its UNIX name, that
/// are connected and belong to a file (an inode number; one that waits in the accept queue, or was closed, has none). Which
/// process has one is then read from /proc/PID/fd. Any thread: it looks at no state of the loop.
/// </summary>
public sealed class AcceptedConnections
{
    private const ushort SockDiagByFamily = 20;
    private const uint ShowName = 0x1;
    private const ushort DiagName = 0;
    private const int Established = 1;
    private const int UnixMessage = 16;

    private readonly (string Name, ListenAddress Address)[] _listeners;

    /// <summary>A question about these listeners, as they are now. On the loop.</summary>
    public AcceptedConnections(IEnumerable<ListenerHandle> listeners) =>
        _listeners = [.. listeners.Where(handle => handle.Spec.Address.Kind.Listens() && handle.Effective is not null).Select(handle => (handle.Name, handle.Effective!))];

    /// <summary>The connections of all processes.</summary>
    public List<AcceptedConnection> All()
    {
        var found = new List<AcceptedConnection>();
        foreach (var port in _listeners.Where(listener => listener.Address.Kind.SpeaksTcp()).GroupBy(listener => listener.Address.Port))
        {
            foreach (var holder in InternetSockets.OfPort(PortSpace.Tcp, (int)port.Key))
            {
                if (holder is { State: BoundState.Connected, Inode: not 0, Socket: { } socket } && Of(port, socket.Address) is { } name)
                {
                    found.Add(new AcceptedConnection(holder.Inode, name, holder.Peer));
                }
            }
        }

        foreach (var (name, address) in _listeners.Where(listener => listener.Address.Kind is ListenerKind.UnixStream or ListenerKind.UnixSeqpacket))
        {
            AddUnix(name, address, found);
        }

        return found;
    }

    /// <summary>
    /// The connections that each of these processes, or a descendant of it, has open; null where it may not be looked into.
    /// Where there is no connection at all, no process is looked into.
    /// </summary>
    public Dictionary<int, IReadOnlyList<AcceptedConnection>?> Of(IEnumerable<int> processes)
    {
        // A connection has as many sockets as paths where it is of mptcp, all with one inode number.
        var all = All().DistinctBy(connection => connection.Inode).ToDictionary(connection => connection.Inode);
        return processes.Distinct().ToDictionary(pid => pid, pid => all.Count == 0 ? [] : Of(pid, all));
    }

    private static IReadOnlyList<AcceptedConnection>? Of(int root, Dictionary<ulong, AcceptedConnection> all)
    {
        var held = new Dictionary<ulong, AcceptedConnection>();
        try
        {
            foreach (var (_, target) in WorkerTree.Of(root).SelectMany(WorkerTree.Descriptors))
            {
                if (WorkerTree.SocketInode(target) is { } inode && all.TryGetValue(inode, out var connection))
                {
                    held[inode] = connection;
                }
            }
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }

        return [.. held.Values];
    }

    /// <summary>Which of the listeners of a port has that local address; one on the wildcard where none has it alone.</summary>
    private static string? Of(IEnumerable<(string Name, ListenAddress Address)> listeners, IPAddress local)
    {
        string? wildcard = null;
        foreach (var (name, address) in listeners)
        {
            if (address.Host is not { } own || own.Equals(IPAddress.Any) || own.Equals(IPAddress.IPv6Any))
            {
                wildcard = name;
            }
            else if (own.Equals(local) || (local.IsIPv4MappedToIPv6 && own.Equals(local.MapToIPv4())))
            {
                return name;
            }
        }

        return wildcard;
    }

    private static void AddUnix(string listener, ListenAddress address, List<AcceptedConnection> found)
    {
        using var netlink = Netlink.TryOpen(Netlink.SockDiag);
        if (netlink is null)
        {
            return;
        }

        var wanted = Encoding.UTF8.GetBytes(address.IsAbstract ? "\0" + address.Path : address.Path!);

        // struct unix_diag_req: family, protocol, pad, states, ino, show, cookie[2].
        Span<byte> request = stackalloc byte[24];
        request.Clear();
        request[0] = 1;
        BinaryPrimitives.WriteUInt32LittleEndian(request[4..], 1u << Established);
        BinaryPrimitives.WriteUInt32LittleEndian(request[12..], ShowName);
        netlink.Dump(SockDiagByFamily, request, (_, message) =>
        {
            if (message.Length < UnixMessage || message[2] != Established)
            {
                return;
            }

            // An accepted socket carries its listener's name (unix_stream_connect); a path's may end with a null.
            var name = Netlink.Attribute(message[UnixMessage..], DiagName);
            var inode = BinaryPrimitives.ReadUInt32LittleEndian(message[4..]);
            if (inode != 0 && (name.SequenceEqual(wanted) || (name.Length == wanted.Length + 1 && name[^1] == 0 && name[..^1].SequenceEqual(wanted))))
            {
                found.Add(new AcceptedConnection(inode, listener, Peer: null));
            }
        });
    }
}
