using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Linux.Kernel;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Evidence;

/// <summary>
/// The sockets of one port by NETLINK_SOCK_DIAG (sock_diag(7), linux/inet_diag.h): TCP in every state that has a port,
/// bound-only ones included since Linux 6.8 (state bit 13, net/ipv4/inet_diag.c, inet_diag_dump_icsk), UDP, and which of
/// the TCP ones are MPTCP. The kernel picks by port: idiag_sport of a dump request.
/// </summary>
/// <remarks>SO_REUSEADDR and SO_REUSEPORT are in no attribute: see <see cref="SharingFlags"/>.</remarks>
internal static class InternetSockets
{
    private const ushort ReqProtocol = 3;
    private const ushort DiagV6Only = 11;

    private const int NewSynReceived = 12;
    private const int TimeWait = 6;
    private const int Closed = 7;
    private const int Listen = 10;
    private const int BoundInactive = 13;

    /// <summary>struct inet_diag_msg.</summary>
    private const int MessageLength = 72;

    private static readonly string[] StateNames =
    [
        "", "established", "syn-sent", "syn-received", "fin-wait-1", "fin-wait-2", "time-wait", "bound", "close-wait", "last-ack", "listen",
        "closing", "syn-received", "bound",
    ];

    /// <summary>All sockets of that port, without processes and without sharing flags.</summary>
    public static List<SocketHolder> OfPort(PortSpace space, int port)
    {
        // Half-open requests (NEW_SYN_RECV) belong to their listener, and have no port of their own.
        var holders = Dump(space, port, ((1u << 14) - 1) & ~(1u << NewSynReceived), out var netlink);
        using (netlink)
        {
            if (netlink is not null && space == PortSpace.Tcp && holders.Exists(holder => holder.State == BoundState.Listening))
            {
                MarkMptcp(netlink, port, holders);
            }
        }

        return holders;
    }

    /// <summary>
    /// The sockets that receive what arrives at that port: TCP listeners, and UDP sockets without a peer. The cost does not
    /// depend on the number of connections.
    /// </summary>
    public static List<SocketHolder> Binders(PortSpace space, int port)
    {
        var holders = Dump(space, port, space == PortSpace.Tcp ? 1u << Listen : 1u << Closed, out var netlink);
        netlink?.Dispose();
        return holders;
    }

    private static List<SocketHolder> Dump(PortSpace space, int port, uint states, out Netlink? opened)
    {
        var holders = new List<SocketHolder>();
        var netlink = opened = Netlink.TryOpen(NETLINK_SOCK_DIAG);
        if (netlink is null)
        {
            return holders;
        }

        var protocol = space == PortSpace.Tcp ? IPPROTO_TCP : IPPROTO_UDP;
        Span<byte> request = stackalloc byte[56];
        foreach (var family in (ReadOnlySpan<byte>)[AF_INET, AF_INET6])
        {
            Fill(request, family, protocol, states, port);
            netlink.Dump(SOCK_DIAG_BY_FAMILY, request, (_, message) => Read(space, message, holders));
        }

        return holders;
    }

    private static void Fill(Span<byte> request, byte family, int protocol, uint states, int port)
    {
        // struct inet_diag_req_v2: family, protocol, ext, pad, states, then struct inet_diag_sockid.
        request.Clear();
        request[0] = family;
        request[1] = (byte)protocol;
        BinaryPrimitives.WriteUInt32LittleEndian(request[4..], states);
        BinaryPrimitives.WriteUInt16BigEndian(request[8..], (ushort)port);
        request.Slice(48, 8).Fill(0xFF);
    }

    private static void Read(PortSpace space, ReadOnlySpan<byte> message, List<SocketHolder> holders)
    {
        if (message.Length < MessageLength)
        {
            return;
        }

        var state = message[1];
        var isIPv6 = message[0] == AF_INET6;
        var port = BinaryPrimitives.ReadUInt16BigEndian(message[4..]);
        var local = Address(message.Slice(8, 16), isIPv6);
        var device = BinaryPrimitives.ReadUInt32LittleEndian(message[40..]);
        var peerPort = BinaryPrimitives.ReadUInt16BigEndian(message[6..]);
        var v6Only = Netlink.Attribute(message[MessageLength..], DiagV6Only) is [1, ..];
        var bound = state switch
        {
            Listen => BoundState.Listening,
            TimeWait => BoundState.TimeWait,
            Closed or BoundInactive => BoundState.Bound,
            _ => BoundState.Connected,
        };
        var kind = space == PortSpace.Tcp ? ListenerKind.Tcp : ListenerKind.Udp;
        var name = device == 0 ? null : Supervisor.Native.Interfaces.Name(device) ?? device.ToString(CultureInfo.InvariantCulture);
        holders.Add(new SocketHolder
        {
            Address = ListenAddress.Internet(kind, local, port, isIPv6 && local.IsIPv6LinkLocal ? name : null).ToString(),
            Socket = new BoundSocket
            {
                Space = space,
                Address = local,
                Port = port,
                V6Only = v6Only,
                KeepsV6Only = bound is BoundState.Connected or BoundState.TimeWait,
                Uid = BinaryPrimitives.ReadUInt32LittleEndian(message[64..]),
                Device = device,
                State = bound,
            },
            State = bound,
            StateName = state < StateNames.Length ? StateNames[state] : state.ToString(CultureInfo.InvariantCulture),
            Peer = peerPort == 0 ? null : new IPEndPoint(Address(message.Slice(24, 16), isIPv6), peerPort).ToString(),
            Inode = BinaryPrimitives.ReadUInt32LittleEndian(message[68..]),
            Uid = BinaryPrimitives.ReadUInt32LittleEndian(message[64..]),
            Device = name,

            // For TIME_WAIT, idiag_expires is the remaining time in milliseconds (inet_twsk_diag_fill).
            Expires = bound == BoundState.TimeWait
                ? TimeSpan.FromMilliseconds(BinaryPrimitives.ReadUInt32LittleEndian(message[52..]))
                : null,
        });
    }

    /// <summary>
    /// An MPTCP listener shows as the TCP socket below it, with the same inode (net/mptcp/subflow.c,
    /// mptcp_subflow_create_socket).
    /// </summary>
    private static void MarkMptcp(Netlink netlink, int port, List<SocketHolder> holders)
    {
        // The protocol's number does not fit into sdiag_protocol: it goes as attribute INET_DIAG_REQ_PROTOCOL (Linux 5.9).
        Span<byte> request = stackalloc byte[64];
        var inodes = new HashSet<ulong>();
        foreach (var family in (ReadOnlySpan<byte>)[AF_INET, AF_INET6])
        {
            Fill(request[..56], family, unchecked((byte)IPPROTO_MPTCP), 1u << Listen, port);
            BinaryPrimitives.WriteUInt16LittleEndian(request[56..], 8);
            BinaryPrimitives.WriteUInt16LittleEndian(request[58..], ReqProtocol);
            BinaryPrimitives.WriteUInt32LittleEndian(request[60..], IPPROTO_MPTCP);
            netlink.Dump(SOCK_DIAG_BY_FAMILY, request, (_, message) =>
            {
                if (message.Length >= MessageLength && message[1] == Listen)
                {
                    inodes.Add(BinaryPrimitives.ReadUInt32LittleEndian(message[68..]));
                }
            });
        }

        for (var i = 0; i < holders.Count && inodes.Count > 0; i++)
        {
            if (holders[i].Inode != 0 && inodes.Contains(holders[i].Inode))
            {
                holders[i] = holders[i] with { Address = "m" + holders[i].Address };
            }
        }
    }

    private static IPAddress Address(ReadOnlySpan<byte> bytes, bool isIPv6) => new(isIPv6 ? bytes : bytes[..4]);
}
