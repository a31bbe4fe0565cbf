using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Supervisor.Core.Listeners;
using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Probes;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// The accepted connections of listeners by NETLINK_SOCK_DIAG: the sockets of the listener's port, or of its UNIX name, that
/// are connected and belong to a file (an inode number; one that waits in the accept queue, or was closed, has none). Which
/// process has one is then read from /proc/PID/fd. Any thread: it looks at no state of the loop.
/// </summary>
/// <remarks>
/// Of vsock listeners nothing is seen. The kernel picks by port and state, so connections in TIME_WAIT cost nothing; their
/// ages cost a lock of each socket, and are asked for only <c>withAges</c>.
/// </remarks>
public sealed class AcceptedConnections
{
    private const ushort SockDiagByFamily = 20;
    private const uint ShowName = 0x1;
    private const ushort DiagName = 0;
    private const int Established = 1;
    private const int UnixMessage = 16;

    private const byte AfInet = 2;
    private const byte AfInet6 = 10;
    private const int IpprotoTcp = 6;
    private const int InternetMessage = 72;
    private const ushort DiagInfo = 2;

    // Of struct tcp_info, linux/tcp.h: milliseconds.
    private const int LastDataSent = 44;
    private const int LastDataReceived = 52;
    private const int LastAckReceived = 56;

    // An accepted socket is in one of these for as long as some process has it: established, syn-received (fast open),
    // fin-wait-1 and -2, close-wait, last-ack, closing; include/net/tcp_states.h.
    private const uint Connected = (1u << Established) | (1u << 3) | (1u << 4) | (1u << 5) | (1u << 8) | (1u << 9) | (1u << 11);

    private readonly (string Name, ListenAddress Address)[] _listeners;

    /// <summary>A question about these listeners, as they are now. On the loop.</summary>
    public AcceptedConnections(IEnumerable<ListenerHandle> listeners) =>
        _listeners =
            [.. listeners.Where(handle => handle.Spec.Address.Kind.Listens() && handle.Effective is not null)
                .Select(handle => (handle.Name, handle.Effective!)).Distinct()];

    /// <summary>Whether there can be no connection, since no listener accepts any.</summary>
    public bool IsEmpty => _listeners.Length == 0;

    /// <summary>The connections of all processes, by inode number.</summary>
    public Dictionary<ulong, AcceptedConnection> All(bool withAges = false)
    {
        // A connection has as many sockets as paths where it is of mptcp, all with one inode number.
        var found = new Dictionary<ulong, AcceptedConnection>();
        foreach (var port in _listeners.Where(listener => listener.Address.Kind.SpeaksTcp()).GroupBy(listener => listener.Address.Port))
        {
            AddInternet((ushort)port.Key, [.. port.Select(listener => new Local(listener.Name, listener.Address))], withAges, found);
        }

        foreach (var (name, address) in _listeners
            .Where(listener => listener.Address.Kind is ListenerKind.UnixStream or ListenerKind.UnixSeqpacket))
        {
            AddUnix(name, address, found);
        }

        return found;
    }

    /// <summary>
    /// The connections that each of these processes, or a descendant of it, has open; null where it may not be looked into,
    /// or not within <paramref name="each"/>, or not before <paramref name="until"/> (a timestamp of <see cref="Stopwatch"/>).
    /// Where there is no connection at all, no process is looked into.
    /// </summary>
    public Dictionary<int, IReadOnlyList<AcceptedConnection>?> Of(
        IEnumerable<int> processes, TimeSpan each, long until, bool withAges = false)
    {
        var all = All(withAges);
        var inodes = all.Keys.ToHashSet();
        return processes.Distinct().ToDictionary(pid => pid,
            pid => Of(pid, all, inodes, Math.Min(until, Stopwatch.GetTimestamp() + (long)(each.TotalSeconds * Stopwatch.Frequency))));
    }

    /// <summary>
    /// Which of all connections, whose <paramref name="inodes"/> are given, that process or a descendant of it has open; null
    /// where it may not be looked into, or not before <paramref name="until"/>.
    /// </summary>
    public static IReadOnlyList<AcceptedConnection>? Of(int root, Dictionary<ulong, AcceptedConnection> all, IReadOnlySet<ulong> inodes,
        long until = long.MaxValue)
    {
        if (all.Count == 0)
        {
            return [];
        }

        var found = new List<OpenFiles.Found>();
        foreach (var pid in WorkerTree.Of(root, until))
        {
            if (!OpenFiles.FindSocketsOf(pid, inodes, found, until))
            {
                return null;
            }
        }

        if (Stopwatch.GetTimestamp() > until)
        {
            return null;
        }

        // A child has what its parent had when it was forked.
        return [.. found.Select(one => one.Inode).Distinct().Select(inode => all[inode])];
    }

    private static void AddInternet(ushort port, Local[] listeners, bool withAges, Dictionary<ulong, AcceptedConnection> found)
    {
        using var netlink = Netlink.TryOpen(Netlink.SockDiag);
        if (netlink is null)
        {
            return;
        }

        // struct inet_diag_req_v2: family, protocol, ext, pad, states, then struct inet_diag_sockid.
        Span<byte> request = stackalloc byte[56];
        foreach (var family in (ReadOnlySpan<byte>)[AfInet, AfInet6])
        {
            request.Clear();
            request[0] = family;
            request[1] = IpprotoTcp;
            request[2] = withAges ? (byte)(1 << (DiagInfo - 1)) : (byte)0;
            BinaryPrimitives.WriteUInt32LittleEndian(request[4..], Connected);
            BinaryPrimitives.WriteUInt16BigEndian(request[8..], port);
            request.Slice(48, 8).Fill(0xFF);
            netlink.Dump(SockDiagByFamily, request, (_, message) =>
            {
                if (message.Length < InternetMessage || BinaryPrimitives.ReadUInt32LittleEndian(message[68..]) is not (not 0 and var inode))
                {
                    return;
                }

                var length = message[0] == AfInet6 ? 16 : 4;
                if (NameOf(listeners, ConnectionPeer.Number(message.Slice(8, length)), message[0] == AfInet6) is { } name)
                {
                    found[inode] = WithAges(
                        new AcceptedConnection(inode, name,
                            new ConnectionPeer(ConnectionPeer.Number(message.Slice(24, length)),
                                BinaryPrimitives.ReadUInt16BigEndian(message[6..]))),
                        Netlink.Attribute(message[InternetMessage..], DiagInfo));
                }
            });
        }
    }

    private static AcceptedConnection WithAges(AcceptedConnection connection, ReadOnlySpan<byte> info)
    {
        if (info.Length < LastAckReceived + 4)
        {
            return connection;
        }

        var sent = BinaryPrimitives.ReadUInt32LittleEndian(info[LastDataSent..]);
        var received = BinaryPrimitives.ReadUInt32LittleEndian(info[LastDataReceived..]);
        return connection with
        {
            OpenFor = TimeSpan.FromMilliseconds(Math.Max(Math.Max(sent, received),
                BinaryPrimitives.ReadUInt32LittleEndian(info[LastAckReceived..]))),
            SilentFor = TimeSpan.FromMilliseconds(Math.Min(sent, received)),
        };
    }

    /// <summary>
    /// Which of the listeners of a port has that local address; one on the wildcard where none has it alone. Of two that
    /// differ in their family, the one of the socket's: an accepted socket keeps its listener's.
    /// </summary>
    private static string? NameOf(Local[] listeners, UInt128 address, bool isIPv6)
    {
        Local? best = null;
        var most = 0;
        foreach (var listener in listeners)
        {
            var fits = listener.IsWildcard ? 1 : listener.Address == address ? 2 : 0;
            if (fits > 0 && (fits += listener.IsIPv6 == isIPv6 ? 4 : 0) > most)
            {
                (best, most) = (listener, fits);
            }
        }

        return best?.Name;
    }

    private static void AddUnix(string listener, ListenAddress address, Dictionary<ulong, AcceptedConnection> found)
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
            if (inode != 0
                && (name.SequenceEqual(wanted) || (name.Length == wanted.Length + 1 && name[^1] == 0 && name[..^1].SequenceEqual(wanted))))
            {
                found[inode] = new AcceptedConnection(inode, listener, Peer: null);
            }
        });
    }

    /// <summary>A listener of a port, with its address as rows of the dump have it.</summary>
    private sealed class Local(string name, ListenAddress address)
    {
        public string Name { get; } = name;

        public bool IsWildcard { get; } = address.Host is null || address.IsWildcard;

        public bool IsIPv6 { get; } = address.Host is not { AddressFamily: AddressFamily.InterNetwork };

        public UInt128 Address { get; } = address.Host is { } host ? ConnectionPeer.Number(host) : 0;
    }
}
