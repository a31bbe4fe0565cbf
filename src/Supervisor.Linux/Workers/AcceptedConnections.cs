using System.Buffers.Binary;
using System.Text;
using Supervisor.Core.Listeners;
using Supervisor.Core.Workers;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Probes;
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
    private const uint ShowPeer = 0x4;
    private const ushort DiagPeer = 2;
    private const int Established = 1;
    private const int UnixMessage = 16;

    private const int InternetRequest = 56;
    private const int NoCookie = 48;
    private const int InternetMessage = 72;
    private const ushort DiagInfo = 2;

    // Of struct tcp_info, linux/tcp.h: milliseconds.
    private const int LastDataSent = 44;
    private const int LastDataReceived = 52;
    private const int LastAckReceived = 56;

    // The states of an accepted socket while a process holds it: established, syn-received (fast open), fin-wait-1 and -2,
    // close-wait, last-ack, closing; include/net/tcp_states.h.
    private const uint Connected = (1u << Established) | (1u << 3) | (1u << 4) | (1u << 5) | (1u << 8) | (1u << 9) | (1u << 11);

    private readonly (string Name, ListenAddress Address, string? Namespace)[] _listeners;

    /// <summary>UNIX listeners by the names of their sockets, and the network namespaces in which accepted ones may be.</summary>
    private readonly Dictionary<(string? Namespace, string Name), string> _unixNames;

    /// <summary>A query about these listeners as they are now. On the loop.</summary>
    public AcceptedConnections(IEnumerable<ListenerHandle> listeners)
    {
        var accepting = listeners.Where(handle => handle.Spec.Address.Kind.Listens() && handle.Effective is not null).ToArray();
        _unixNames = [];
        _listeners = [.. accepting.Select(handle => (handle.Name, handle.Effective!, handle.Spec.NetworkNamespace)).Distinct()];
        foreach (var handle in accepting)
        {
            foreach (var name in handle.UnixNames())
            {
                _unixNames.TryAdd((handle.Spec.NetworkNamespace, name), handle.Name);
                if (!handle.Spec.Address.IsAbstract)
                {
                    // An accepted socket is in its client's namespace (unix_stream_connect in net/unix/af_unix.c).
                    _unixNames.TryAdd((null, name), handle.Name);
                }
            }
        }
    }

    private AcceptedConnections(
        (string Name, ListenAddress Address, string? Namespace)[] listeners,
        Dictionary<(string? Namespace, string Name), string> unixNames) =>
        (_listeners, _unixNames) = (listeners, unixNames);

    /// <summary>True if no listener accepts connections, so that there can be none.</summary>
    public bool IsEmpty => _listeners.Length == 0;

    /// <summary>One query about the listeners of several.</summary>
    public static AcceptedConnections OfAll(IEnumerable<AcceptedConnections> queries)
    {
        var listeners = new HashSet<(string Name, ListenAddress Address, string? Namespace)>();
        var unixNames = new Dictionary<(string? Namespace, string Name), string>();
        foreach (var query in queries)
        {
            listeners.UnionWith(query._listeners);
            foreach (var (name, listener) in query._unixNames)
            {
                unixNames.TryAdd(name, listener);
            }
        }

        return new AcceptedConnections([.. listeners], unixNames);
    }

    /// <summary>
    /// Asks the kernel: at most one dump for each family and network namespace, however many listeners there are. A dump walks the
    /// kernel's whole table of connections, so ask once for all that an answer needs.
    /// </summary>
    public ConnectionSnapshot Read(bool withAges = false)
    {
        // An MPTCP connection has one socket for each path; all have one inode number.
        var found = new Dictionary<ulong, AcceptedConnection>();
        var places = _listeners.Select(listener => listener.Namespace).Concat(_unixNames.Keys.Select(name => name.Namespace)).Distinct();
        foreach (var place in places)
        {
            using var netlink = NamespaceCall.OpenSocketDiagnosis(place);
            if (netlink is not null)
            {
                AddInternet(netlink, place, withAges, found);
                AddUnix(netlink, place, found);
            }
        }

        return new ConnectionSnapshot([.. _listeners.Select(listener => (listener.Name, listener.Address))], found);
    }

    /// <summary>Whether one of its listeners has one of these addresses.</summary>
    internal bool HasAddressOf(IReadOnlySet<ListenAddress> addresses) => _listeners.Any(listener => addresses.Contains(listener.Address));

    private void AddInternet(Netlink netlink, string? place, bool withAges, Dictionary<ulong, AcceptedConnection> found)
    {
        var names = new LocalAddresses(_listeners.Where(listener => listener.Namespace == place && listener.Address.Kind.SpeaksTcp())
            .Select(listener => (listener.Name, listener.Address)));
        if (names.IsEmpty)
        {
            return;
        }

        // struct inet_diag_req_v2: family, protocol, ext, pad, states, then struct inet_diag_sockid.
        byte[] request = [.. new byte[InternetRequest], .. PortFilter.Of(names.Ports)];
        request[1] = IPPROTO_TCP;
        request[2] = withAges ? (byte)(1 << (DiagInfo - 1)) : (byte)0;
        BinaryPrimitives.WriteUInt32LittleEndian(request.AsSpan(4), Connected);
        request.AsSpan(NoCookie, 8).Fill(0xFF);
        foreach (var family in names.Families)
        {
            request[0] = family;
            netlink.Dump(SOCK_DIAG_BY_FAMILY, request, (_, message) =>
            {
                if (message.Length < InternetMessage || BinaryPrimitives.ReadUInt32LittleEndian(message[68..]) is not (not 0 and var inode))
                {
                    return;
                }

                var length = message[0] == AF_INET6 ? 16 : 4;
                var local = new ConnectionPeer(
                    ConnectionPeer.Number(message.Slice(8, length)), BinaryPrimitives.ReadUInt16BigEndian(message[4..]));
                var peer = new ConnectionPeer(
                    ConnectionPeer.Number(message.Slice(24, length)), BinaryPrimitives.ReadUInt16BigEndian(message[6..]));
                if (names.Find(local, message[0] == AF_INET6) is { } name && !OwnConnections.Shared.Have(local, peer))
                {
                    found[inode] = WithAges(
                        new AcceptedConnection(inode, name, peer),
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

    private void AddUnix(Netlink netlink, string? place, Dictionary<ulong, AcceptedConnection> found)
    {
        var names = _unixNames.Where(pair => pair.Key.Namespace == place)
            .ToDictionary(pair => pair.Key.Name, pair => pair.Value, StringComparer.Ordinal);
        if (names.Count == 0)
        {
            return;
        }

        // struct unix_diag_req: family, protocol, pad, states, ino, show, cookie[2].
        Span<byte> request = stackalloc byte[24];
        request.Clear();
        request[0] = 1;
        BinaryPrimitives.WriteUInt32LittleEndian(request[4..], 1u << Established);
        var own = OwnConnections.Shared;
        var hasOwn = own.HasUnix;
        BinaryPrimitives.WriteUInt32LittleEndian(request[12..], hasOwn ? ShowName | ShowPeer : ShowName);
        var listeners = names.GetAlternateLookup<ReadOnlySpan<char>>();
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
            if (inode != 0 && name.Length <= text.Length && !(hasOwn && (own.Have(inode) || own.Have(Peer(message[UnixMessage..]))))
                && listeners.TryGetValue(text[..Encoding.Latin1.GetChars(name, text)], out var listener))
            {
                found[inode] = new AcceptedConnection(inode, listener, Peer: null);
            }
        });
    }

    /// <summary>The inode of the other end; 0 without one.</summary>
    private static ulong Peer(ReadOnlySpan<byte> attributes) => Netlink.Attribute(attributes, DiagPeer) is { Length: >= 4 } peer
        ? BinaryPrimitives.ReadUInt32LittleEndian(peer)
        : 0;
}
