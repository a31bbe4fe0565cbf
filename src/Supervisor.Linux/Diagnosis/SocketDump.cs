using System.Buffers.Binary;
using System.Text;
using Supervisor.Core.Diagnosis;
using Supervisor.Core.Listeners;
using Supervisor.Core.Workers;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Diagnosis;

/// <summary>
/// The queues of listeners and their connections by NETLINK_SOCK_DIAG (sock_diag(7), linux/inet_diag.h, linux/unix_diag.h): one dump for
/// each family, protocol and network namespace, however many listeners there are. Any thread.
/// </summary>
/// <remarks>
/// For a TCP listener idiag_rqueue is the length of the accept queue and idiag_wqueue its limit; a socket in SYN_RECV is a handshake in
/// progress; SK_MEMINFO_DROPS counts drops. A netlink socket shows the network namespace in which it was made. vsock has no such counters.
/// </remarks>
internal sealed class SocketDump
{
    /// <summary>More connections than this are counted only.</summary>
    private const int MostConnections = 1 << 18;

    private const int Listen = 10;
    private const int SynReceived = 3;
    private const int Closed = 7;
    private const uint AllDatagram = (1u << Closed) | (1u << ConnectionSample.Established);

    // Established, syn-received, fin-wait-1 and -2, close-wait, last-ack, closing, listen; include/net/tcp_states.h.
    private const uint AllTcp =
        (1u << 1) | (1u << SynReceived) | (1u << 4) | (1u << 5) | (1u << 8) | (1u << 9) | (1u << 11) | (1u << Listen);

    private const int InternetRequest = 56;
    private const int NoCookie = 48;
    private const int InternetMessage = 72;
    private const ushort AttributeInfo = 2;
    private const ushort AttributeCongestion = 4;
    private const ushort AttributeMemory = 7;

    private const int UnixMessage = 16;
    private const uint ShowName = 0x1;
    private const uint ShowMemory = 0x20;
    private const ushort UnixName = 0;
    private const ushort UnixMemory = 5;

    // Of the array in INET_DIAG_SKMEMINFO and UNIX_DIAG_MEMINFO: linux/sock_diag.h.
    private const int ReceiveBuffer = 1 * sizeof(uint);
    private const int SendBuffer = 3 * sizeof(uint);
    private const int Drops = 8 * sizeof(uint);

    private readonly Dictionary<ulong, SocketSample> _sockets = [];
    private readonly Dictionary<string, List<ConnectionSample>> _connections = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _halfOpen = new(StringComparer.Ordinal);
    private readonly HashSet<ulong> _wanted;
    private readonly IReadOnlyList<ListenerSubject> _listeners;
    private int _examined;
    private int _unexamined;

    /// <summary>A dump that nothing was read for yet.</summary>
    public SocketDump(IReadOnlyList<ListenerSubject> listeners)
    {
        _listeners = listeners;
        _wanted = [.. listeners.SelectMany(listener => listener.Sockets).Select(socket => socket.Inode)];
    }

    /// <summary>The sockets by inode number.</summary>
    public IReadOnlyDictionary<ulong, SocketSample> Sockets => _sockets;

    /// <summary>The connections by listener.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<ConnectionSample>> Connections =>
        _connections.ToDictionary(pair => pair.Key, pair => (IReadOnlyList<ConnectionSample>)pair.Value);

    /// <summary>Handshakes in progress by listener.</summary>
    public IReadOnlyDictionary<string, int> HalfOpen => _halfOpen;

    /// <summary>Connections that were counted only.</summary>
    public int Unexamined => _unexamined;

    /// <summary>Reads the sockets of the listeners, and with <paramref name="withConnections"/> their connections.</summary>
    public void Read(bool withConnections, bool withCongestion = false)
    {
        // An accepted socket of a UNIX path is in its client's namespace, which is the daemon's for most.
        var paths = _listeners
            .Where(listener => listener is { NetworkNamespace: not null, Address.IsAbstract: false } && listener.Kind.IsUnix()).ToArray();
        foreach (var place in _listeners.Select(listener => listener.NetworkNamespace).Append(null).Distinct())
        {
            using var netlink = NamespaceCall.OpenSocketDiagnosis(place);
            if (netlink is not null)
            {
                ListenerSubject[] listeners = [.. _listeners.Where(listener => listener.NetworkNamespace == place)];
                ReadInternet(
                    netlink, listeners, IPPROTO_TCP, kind => kind.SpeaksTcp(), withConnections ? AllTcp : 1u << Listen, withCongestion);
                ReadInternet(netlink, listeners, IPPROTO_UDP, kind => kind == ListenerKind.Udp, AllDatagram, withCongestion: false);
                ReadUnix(netlink, place is null ? [.. listeners, .. paths] : listeners, withConnections);
            }
        }
    }

    private void ReadInternet(
        Netlink netlink, ListenerSubject[] listeners, int protocol, Func<ListenerKind, bool> isOf, uint states, bool withCongestion)
    {
        var names = new LocalAddresses(listeners.Where(listener => isOf(listener.Kind) && listener.Address is not null)
            .Select(listener => (listener.Name, listener.Address!)));
        if (names.IsEmpty)
        {
            return;
        }

        // struct inet_diag_req_v2: family, protocol, ext, pad, states, then struct inet_diag_sockid.
        byte[] request = [.. new byte[InternetRequest], .. PortFilter.Of(names.Ports)];
        request[1] = (byte)protocol;
        request[2] = (1 << (AttributeInfo - 1)) | (1 << (AttributeMemory - 1));
        request[2] |= withCongestion ? (byte)(1 << (AttributeCongestion - 1)) : (byte)0;
        BinaryPrimitives.WriteUInt32LittleEndian(request.AsSpan(4), states);
        request.AsSpan(NoCookie, 8).Fill(0xFF);
        foreach (var family in names.Families)
        {
            request[0] = family;
            netlink.Dump(SOCK_DIAG_BY_FAMILY, request, (_, message) =>
            {
                if (message.Length >= InternetMessage)
                {
                    AddInternet(message, names);
                }
            });
        }
    }

    private void AddInternet(ReadOnlySpan<byte> message, LocalAddresses names)
    {
        var inode = BinaryPrimitives.ReadUInt32LittleEndian(message[68..]);
        if (inode != 0 && _wanted.Contains(inode))
        {
            var memory = Netlink.Attribute(message[InternetMessage..], AttributeMemory);
            var length = BinaryPrimitives.ReadUInt32LittleEndian(message[56..]);
            var limit = message[1] == Listen ? BinaryPrimitives.ReadUInt32LittleEndian(message[60..]) : Value(memory, ReceiveBuffer);
            _sockets[inode] = new SocketSample(length, limit, memory.Length >= Drops + 4 ? Value(memory, Drops) : null);
            return;
        }

        var isIPv6 = message[0] == AF_INET6;
        var local = End(message, 8, 4, isIPv6);
        if (message[1] is Listen or Closed || names.Find(local, isIPv6) is not { } name)
        {
            return;
        }

        if (message[1] == SynReceived && inode == 0)
        {
            _halfOpen[name] = _halfOpen.GetValueOrDefault(name) + 1;
        }
        else
        {
            Add(name, message, local, isIPv6, inode);
        }
    }

    private void Add(string name, ReadOnlySpan<byte> message, ConnectionPeer local, bool isIPv6, uint inode)
    {
        if (!MayExamine())
        {
            return;
        }

        var attributes = message[InternetMessage..];
        var memory = Netlink.Attribute(attributes, AttributeMemory);
        Of(name).Add(new ConnectionSample
        {
            Cookie = BinaryPrimitives.ReadUInt64LittleEndian(message[44..]),
            Inode = inode,
            State = message[1],
            Local = local,
            Remote = End(message, 24, 6, isIPv6),
            Timer = (ConnectionTimer)message[2],
            TimerMs = BinaryPrimitives.ReadUInt32LittleEndian(message[52..]),
            ReceiveQueue = BinaryPrimitives.ReadUInt32LittleEndian(message[56..]),
            SendQueue = BinaryPrimitives.ReadUInt32LittleEndian(message[60..]),
            ReceiveBuffer = Value(memory, ReceiveBuffer),
            SendBuffer = Value(memory, SendBuffer),
            Tcp = TcpInfo.Read(
                Netlink.Attribute(attributes, AttributeInfo), Netlink.Attribute(attributes, AttributeCongestion)),
        });
    }

    private void ReadUnix(Netlink netlink, ListenerSubject[] subjects, bool withConnections)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var listener in subjects.Where(listener => listener.Kind.IsUnix()))
        {
            foreach (var name in listener.UnixNames)
            {
                names.TryAdd(name, listener.Name);
            }
        }

        if (names.Count == 0 && !Array.Exists(subjects, listener => listener.Kind.IsUnix()))
        {
            return;
        }

        // struct unix_diag_req: family, protocol, pad, states, ino, show, cookie[2].
        Span<byte> request = stackalloc byte[24];
        request.Clear();
        request[0] = AF_UNIX;
        BinaryPrimitives.WriteUInt32LittleEndian(
            request[4..], (1u << Listen) | (1u << Closed) | (withConnections ? 1u << ConnectionSample.Established : 0));
        BinaryPrimitives.WriteUInt32LittleEndian(request[12..], ShowName | UDIAG_SHOW_RQLEN | ShowMemory);
        var listeners = names.GetAlternateLookup<ReadOnlySpan<char>>();
        netlink.Dump(SOCK_DIAG_BY_FAMILY, request, (_, message) =>
        {
            if (message.Length >= UnixMessage)
            {
                AddUnix(message, listeners);
            }
        });
    }

    private void AddUnix(ReadOnlySpan<byte> message, Dictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> listeners)
    {
        var inode = BinaryPrimitives.ReadUInt32LittleEndian(message[4..]);
        var attributes = message[UnixMessage..];
        var queues = Netlink.Attribute(attributes, UNIX_DIAG_RQLEN);
        var memory = Netlink.Attribute(attributes, UnixMemory);
        if (queues.Length < 8)
        {
            return;
        }

        var (receive, send) = (Value(queues, 0), Value(queues, 4));
        if (_wanted.Contains(inode))
        {
            // A UNIX datagram socket has no buffer of its own: its senders wait.
            _sockets[inode] = new SocketSample(
                receive, message[2] == Listen ? send : 0, memory.Length >= Drops + 4 ? Value(memory, Drops) : null);
            return;
        }

        // An accepted socket shares its listener's address (unix_stream_connect in net/unix/af_unix.c).
        var name = Netlink.Attribute(attributes, UnixName);
        Span<char> text = stackalloc char[Sockaddr.MaxLength];
        if (message[2] == ConnectionSample.Established && name.Length <= text.Length
            && listeners.TryGetValue(text[..Encoding.Latin1.GetChars(name, text)], out var listener) && MayExamine())
        {
            Of(listener).Add(new ConnectionSample
            {
                Cookie = inode,
                Inode = inode,
                State = ConnectionSample.Established,
                ReceiveQueue = receive,
                SendQueue = send,
                ReceiveBuffer = Value(memory, ReceiveBuffer),
                SendBuffer = Value(memory, SendBuffer),
            });
        }
    }

    private bool MayExamine()
    {
        if (_examined < MostConnections)
        {
            _examined++;
            return true;
        }

        _unexamined++;
        return false;
    }

    private List<ConnectionSample> Of(string listener)
    {
        if (!_connections.TryGetValue(listener, out var list))
        {
            _connections[listener] = list = [];
        }

        return list;
    }

    private static ConnectionPeer End(ReadOnlySpan<byte> message, int address, int port, bool isIPv6) => new(
        ConnectionPeer.Number(message.Slice(address, isIPv6 ? 16 : 4)), BinaryPrimitives.ReadUInt16BigEndian(message[port..]));

    private static long Value(ReadOnlySpan<byte> values, int at) =>
        values.Length >= at + 4 ? BinaryPrimitives.ReadUInt32LittleEndian(values[at..]) : 0;
}
