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
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Finds the accepted connections of listeners by NETLINK_SOCK_DIAG: the connected sockets of the listener's port or UNIX name
/// that a process has accepted. These have an inode number; a connection in the accept queue and a closed one have none. Which
/// process holds a socket is read from /proc/PID/fd. Any thread: it uses no state of the loop.
/// </summary>
/// <remarks>
/// It does not support vsock listeners. The kernel filters by port and state, so connections in TIME_WAIT cost nothing. The age
/// of a connection costs a lock of its socket, so it is read only with <c>withAges</c>.
/// </remarks>
public sealed class AcceptedConnections
{
    private const uint ShowName = 0x1;
    private const ushort DiagName = 0;
    private const int Established = 1;
    private const int UnixMessage = 16;

    private const int InternetMessage = 72;
    private const ushort DiagInfo = 2;

    // Of struct tcp_info, linux/tcp.h: milliseconds.
    private const int LastDataSent = 44;
    private const int LastDataReceived = 52;
    private const int LastAckReceived = 56;

    // The states of an accepted socket while a process holds it: established, syn-received (fast open), fin-wait-1 and -2,
    // close-wait, last-ack, closing; include/net/tcp_states.h.
    private const uint Connected = (1u << Established) | (1u << 3) | (1u << 4) | (1u << 5) | (1u << 8) | (1u << 9) | (1u << 11);

    private readonly (string Name, ListenAddress Address)[] _listeners;

    /// <summary>UNIX listeners by the names of their sockets.</summary>
    private readonly Dictionary<string, string> _unixNames = new(StringComparer.Ordinal);

    /// <summary>A query about these listeners as they are now. On the loop.</summary>
    public AcceptedConnections(IEnumerable<ListenerHandle> listeners)
    {
        var accepting = listeners.Where(handle => handle.Spec.Address.Kind.Listens() && handle.Effective is not null).ToArray();
        _listeners = [.. accepting.Select(handle => (handle.Name, handle.Effective!)).Distinct()];
        foreach (var handle in accepting)
        {
            foreach (var name in handle.UnixNames())
            {
                _unixNames.TryAdd(name, handle.Name);
            }
        }
    }

    /// <summary>True if no listener accepts connections, so that there can be none.</summary>
    public bool IsEmpty => _listeners.Length == 0;

    /// <summary>The connections of all processes, by inode number.</summary>
    public Dictionary<ulong, AcceptedConnection> All(bool withAges = false)
    {
        // An MPTCP connection has one socket for each path; all have one inode number.
        var found = new Dictionary<ulong, AcceptedConnection>();
        foreach (var port in _listeners.Where(listener => listener.Address.Kind.SpeaksTcp()).GroupBy(listener => listener.Address.Port))
        {
            AddInternet((ushort)port.Key, [.. port.Select(listener => new Local(listener.Name, listener.Address))], withAges, found);
        }

        AddUnix(found);
        return found;
    }

    /// <summary>
    /// Finds the open connections of each of these processes and its descendants. Null if the daemon may not read a process, or
    /// not within <paramref name="each"/>, or not before <paramref name="until"/> (a timestamp of <see cref="Stopwatch"/>). If
    /// there are no connections, it reads no process.
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
    /// Finds which of the connections with these <paramref name="inodes"/> the process or a descendant has open. Null if the
    /// daemon may not read the process, or not before <paramref name="until"/>.
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

        // A child inherits the descriptors that its parent had at the fork.
        return [.. found.Select(one => one.Inode).Distinct().Select(inode => all[inode])];
    }

    private static void AddInternet(ushort port, Local[] listeners, bool withAges, Dictionary<ulong, AcceptedConnection> found)
    {
        using var netlink = Netlink.TryOpen(NETLINK_SOCK_DIAG);
        if (netlink is null)
        {
            return;
        }

        // struct inet_diag_req_v2: family, protocol, ext, pad, states, then struct inet_diag_sockid.
        Span<byte> request = stackalloc byte[56];
        foreach (var family in (ReadOnlySpan<byte>)[AF_INET, AF_INET6])
        {
            request.Clear();
            request[0] = family;
            request[1] = IPPROTO_TCP;
            request[2] = withAges ? (byte)(1 << (DiagInfo - 1)) : (byte)0;
            BinaryPrimitives.WriteUInt32LittleEndian(request[4..], Connected);
            BinaryPrimitives.WriteUInt16BigEndian(request[8..], port);
            request.Slice(48, 8).Fill(0xFF);
            netlink.Dump(SOCK_DIAG_BY_FAMILY, request, (_, message) =>
            {
                if (message.Length < InternetMessage || BinaryPrimitives.ReadUInt32LittleEndian(message[68..]) is not (not 0 and var inode))
                {
                    return;
                }

                var length = message[0] == AF_INET6 ? 16 : 4;
                if (NameOf(listeners, ConnectionPeer.Number(message.Slice(8, length)), message[0] == AF_INET6) is { } name)
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
    /// The listener of a port that has that local address, or else the listener on the wildcard. If two of them differ in
    /// family, the one of the socket's family: an accepted socket keeps its listener's.
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

    private void AddUnix(Dictionary<ulong, AcceptedConnection> found)
    {
        using var netlink = _unixNames.Count == 0 ? null : Netlink.TryOpen(NETLINK_SOCK_DIAG);
        if (netlink is null)
        {
            return;
        }

        // struct unix_diag_req: family, protocol, pad, states, ino, show, cookie[2].
        Span<byte> request = stackalloc byte[24];
        request.Clear();
        request[0] = 1;
        BinaryPrimitives.WriteUInt32LittleEndian(request[4..], 1u << Established);
        BinaryPrimitives.WriteUInt32LittleEndian(request[12..], ShowName);
        var listeners = _unixNames.GetAlternateLookup<ReadOnlySpan<char>>();
        netlink.Dump(SOCK_DIAG_BY_FAMILY, request, (_, message) =>
        {
            if (message.Length < UnixMessage || message[2] != Established)
            {
                return;
            }

            // An accepted socket shares its listener's address (unix_stream_connect in net/unix/af_unix.c).
            var inode = BinaryPrimitives.ReadUInt32LittleEndian(message[4..]);
            var name = Netlink.Attribute(message[UnixMessage..], DiagName);
            Span<char> text = stackalloc char[Sockaddr.MaxLength];
            if (inode != 0 && name.Length <= text.Length
                && listeners.TryGetValue(text[..Encoding.Latin1.GetChars(name, text)], out var listener))
            {
                found[inode] = new AcceptedConnection(inode, listener, Peer: null);
            }
        });
    }

    /// <summary>A listener of a port, with its address in the form of the dump's rows.</summary>
    private sealed class Local(string name, ListenAddress address)
    {
        public string Name { get; } = name;

        public bool IsWildcard { get; } = address.Host is null || address.IsWildcard;

        public bool IsIPv6 { get; } = address.Host is not { AddressFamily: AddressFamily.InterNetwork };

        public UInt128 Address { get; } = address.Host is { } host ? ConnectionPeer.Number(host) : 0;
    }
}
