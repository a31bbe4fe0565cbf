using System.Collections.Immutable;

namespace Supervisor.Core.Listeners.Options;

/// <summary>A level of setsockopt() and the options that the kernel has there.</summary>
/// <param name="Name">The kernel's name.</param>
/// <param name="Number">The number in the Linux ABI.</param>
/// <param name="Options">The kernel's names of its options and their numbers.</param>
public sealed record OptionLevel(string Name, int Number, ImmutableArray<(string Name, int Number)> Options);

/// <summary>
/// The levels and options that <c>options</c> of a listener knows by name, those that can only be read included. Another one has
/// its number. SocketOptionAbiTests compares the numbers with the installed headers, as far as these have the name.
/// </summary>
public static class OptionNames
{
    /// <summary>The levels, each once, by the name that the catalogue uses.</summary>
    public static readonly ImmutableArray<OptionLevel> Levels =
    [
        new("SOL_SOCKET", 1,
        [
            ("SO_DEBUG", 1), ("SO_REUSEADDR", 2), ("SO_TYPE", 3), ("SO_ERROR", 4), ("SO_DONTROUTE", 5), ("SO_BROADCAST", 6),
            ("SO_SNDBUF", 7), ("SO_RCVBUF", 8), ("SO_KEEPALIVE", 9), ("SO_OOBINLINE", 10), ("SO_NO_CHECK", 11), ("SO_PRIORITY", 12),
            ("SO_LINGER", 13), ("SO_BSDCOMPAT", 14), ("SO_REUSEPORT", 15), ("SO_PASSCRED", 16), ("SO_PEERCRED", 17), ("SO_RCVLOWAT", 18),
            ("SO_SNDLOWAT", 19), ("SO_RCVTIMEO", 20), ("SO_SNDTIMEO", 21), ("SO_SECURITY_AUTHENTICATION", 22),
            ("SO_SECURITY_ENCRYPTION_TRANSPORT", 23), ("SO_SECURITY_ENCRYPTION_NETWORK", 24), ("SO_BINDTODEVICE", 25),
            ("SO_ATTACH_FILTER", 26), ("SO_DETACH_FILTER", 27), ("SO_PEERNAME", 28), ("SO_TIMESTAMP", 29), ("SO_ACCEPTCONN", 30),
            ("SO_PEERSEC", 31), ("SO_SNDBUFFORCE", 32), ("SO_RCVBUFFORCE", 33), ("SO_PASSSEC", 34), ("SO_TIMESTAMPNS", 35),
            ("SO_MARK", 36), ("SO_TIMESTAMPING", 37), ("SO_PROTOCOL", 38), ("SO_DOMAIN", 39), ("SO_RXQ_OVFL", 40), ("SO_WIFI_STATUS", 41),
            ("SO_PEEK_OFF", 42), ("SO_NOFCS", 43), ("SO_LOCK_FILTER", 44), ("SO_SELECT_ERR_QUEUE", 45), ("SO_BUSY_POLL", 46),
            ("SO_MAX_PACING_RATE", 47), ("SO_BPF_EXTENSIONS", 48), ("SO_INCOMING_CPU", 49), ("SO_ATTACH_BPF", 50),
            ("SO_ATTACH_REUSEPORT_CBPF", 51), ("SO_ATTACH_REUSEPORT_EBPF", 52), ("SO_CNX_ADVICE", 53), ("SO_MEMINFO", 55),
            ("SO_INCOMING_NAPI_ID", 56), ("SO_COOKIE", 57), ("SO_PEERGROUPS", 59), ("SO_ZEROCOPY", 60), ("SO_TXTIME", 61),
            ("SO_BINDTOIFINDEX", 62), ("SO_TIMESTAMP_NEW", 63), ("SO_TIMESTAMPNS_NEW", 64), ("SO_TIMESTAMPING_NEW", 65),
            ("SO_RCVTIMEO_NEW", 66), ("SO_SNDTIMEO_NEW", 67), ("SO_DETACH_REUSEPORT_BPF", 68), ("SO_PREFER_BUSY_POLL", 69),
            ("SO_BUSY_POLL_BUDGET", 70), ("SO_NETNS_COOKIE", 71), ("SO_BUF_LOCK", 72), ("SO_RESERVE_MEM", 73), ("SO_TXREHASH", 74),
            ("SO_RCVMARK", 75), ("SO_PASSPIDFD", 76), ("SO_PEERPIDFD", 77), ("SO_RCVPRIORITY", 82), ("SO_PASSRIGHTS", 83),
        ]),
        new("IPPROTO_IP", 0,
        [
            ("IP_TOS", 1), ("IP_TTL", 2), ("IP_HDRINCL", 3), ("IP_OPTIONS", 4), ("IP_ROUTER_ALERT", 5), ("IP_RECVOPTS", 6),
            ("IP_PKTINFO", 8), ("IP_PKTOPTIONS", 9), ("IP_MTU_DISCOVER", 10), ("IP_RECVERR", 11), ("IP_RECVTTL", 12), ("IP_RECVTOS", 13),
            ("IP_MTU", 14), ("IP_FREEBIND", 15), ("IP_IPSEC_POLICY", 16), ("IP_XFRM_POLICY", 17), ("IP_PASSSEC", 18),
            ("IP_TRANSPARENT", 19), ("IP_ORIGDSTADDR", 20), ("IP_MINTTL", 21), ("IP_NODEFRAG", 22), ("IP_CHECKSUM", 23),
            ("IP_BIND_ADDRESS_NO_PORT", 24), ("IP_RECVFRAGSIZE", 25), ("IP_RECVERR_RFC4884", 26), ("IP_MULTICAST_IF", 32),
            ("IP_MULTICAST_TTL", 33), ("IP_MULTICAST_LOOP", 34), ("IP_ADD_MEMBERSHIP", 35), ("IP_DROP_MEMBERSHIP", 36),
            ("IP_UNBLOCK_SOURCE", 37), ("IP_BLOCK_SOURCE", 38), ("IP_ADD_SOURCE_MEMBERSHIP", 39), ("IP_DROP_SOURCE_MEMBERSHIP", 40),
            ("IP_MSFILTER", 41), ("MCAST_JOIN_GROUP", 42), ("MCAST_BLOCK_SOURCE", 43), ("MCAST_UNBLOCK_SOURCE", 44),
            ("MCAST_LEAVE_GROUP", 45), ("MCAST_JOIN_SOURCE_GROUP", 46), ("MCAST_LEAVE_SOURCE_GROUP", 47), ("MCAST_MSFILTER", 48),
            ("IP_MULTICAST_ALL", 49), ("IP_UNICAST_IF", 50), ("IP_LOCAL_PORT_RANGE", 51),
        ]),
        new("IPPROTO_IPV6", 41,
        [
            ("IPV6_ADDRFORM", 1), ("IPV6_2292PKTINFO", 2), ("IPV6_2292HOPOPTS", 3), ("IPV6_2292DSTOPTS", 4), ("IPV6_2292RTHDR", 5),
            ("IPV6_2292PKTOPTIONS", 6), ("IPV6_CHECKSUM", 7), ("IPV6_2292HOPLIMIT", 8), ("IPV6_NEXTHOP", 9), ("IPV6_AUTHHDR", 10),
            ("IPV6_FLOWINFO", 11), ("IPV6_UNICAST_HOPS", 16), ("IPV6_MULTICAST_IF", 17), ("IPV6_MULTICAST_HOPS", 18),
            ("IPV6_MULTICAST_LOOP", 19), ("IPV6_ADD_MEMBERSHIP", 20), ("IPV6_DROP_MEMBERSHIP", 21), ("IPV6_ROUTER_ALERT", 22),
            ("IPV6_MTU_DISCOVER", 23), ("IPV6_MTU", 24), ("IPV6_RECVERR", 25), ("IPV6_V6ONLY", 26), ("IPV6_JOIN_ANYCAST", 27),
            ("IPV6_LEAVE_ANYCAST", 28), ("IPV6_MULTICAST_ALL", 29), ("IPV6_ROUTER_ALERT_ISOLATE", 30), ("IPV6_RECVERR_RFC4884", 31),
            ("IPV6_FLOWLABEL_MGR", 32), ("IPV6_FLOWINFO_SEND", 33), ("IPV6_IPSEC_POLICY", 34), ("IPV6_XFRM_POLICY", 35),
            ("IPV6_HDRINCL", 36), ("MCAST_JOIN_GROUP", 42), ("MCAST_BLOCK_SOURCE", 43), ("MCAST_UNBLOCK_SOURCE", 44),
            ("MCAST_LEAVE_GROUP", 45), ("MCAST_JOIN_SOURCE_GROUP", 46), ("MCAST_LEAVE_SOURCE_GROUP", 47), ("MCAST_MSFILTER", 48),
            ("IPV6_RECVPKTINFO", 49), ("IPV6_PKTINFO", 50), ("IPV6_RECVHOPLIMIT", 51), ("IPV6_HOPLIMIT", 52), ("IPV6_RECVHOPOPTS", 53),
            ("IPV6_HOPOPTS", 54), ("IPV6_RTHDRDSTOPTS", 55), ("IPV6_RECVRTHDR", 56), ("IPV6_RTHDR", 57), ("IPV6_RECVDSTOPTS", 58),
            ("IPV6_DSTOPTS", 59), ("IPV6_RECVPATHMTU", 60), ("IPV6_PATHMTU", 61), ("IPV6_DONTFRAG", 62), ("IPV6_RECVTCLASS", 66),
            ("IPV6_TCLASS", 67), ("IPV6_AUTOFLOWLABEL", 70), ("IPV6_ADDR_PREFERENCES", 72), ("IPV6_MINHOPCOUNT", 73),
            ("IPV6_ORIGDSTADDR", 74), ("IPV6_TRANSPARENT", 75), ("IPV6_UNICAST_IF", 76), ("IPV6_RECVFRAGSIZE", 77), ("IPV6_FREEBIND", 78),
        ]),
        new("IPPROTO_TCP", 6,
        [
            ("TCP_NODELAY", 1), ("TCP_MAXSEG", 2), ("TCP_CORK", 3), ("TCP_KEEPIDLE", 4), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 6),
            ("TCP_SYNCNT", 7), ("TCP_LINGER2", 8), ("TCP_DEFER_ACCEPT", 9), ("TCP_WINDOW_CLAMP", 10), ("TCP_INFO", 11),
            ("TCP_QUICKACK", 12), ("TCP_CONGESTION", 13), ("TCP_MD5SIG", 14), ("TCP_THIN_LINEAR_TIMEOUTS", 16), ("TCP_THIN_DUPACK", 17),
            ("TCP_USER_TIMEOUT", 18), ("TCP_REPAIR", 19), ("TCP_REPAIR_QUEUE", 20), ("TCP_QUEUE_SEQ", 21), ("TCP_REPAIR_OPTIONS", 22),
            ("TCP_FASTOPEN", 23), ("TCP_TIMESTAMP", 24), ("TCP_NOTSENT_LOWAT", 25), ("TCP_CC_INFO", 26), ("TCP_SAVE_SYN", 27),
            ("TCP_SAVED_SYN", 28), ("TCP_REPAIR_WINDOW", 29), ("TCP_FASTOPEN_CONNECT", 30), ("TCP_ULP", 31), ("TCP_MD5SIG_EXT", 32),
            ("TCP_FASTOPEN_KEY", 33), ("TCP_FASTOPEN_NO_COOKIE", 34), ("TCP_ZEROCOPY_RECEIVE", 35), ("TCP_INQ", 36), ("TCP_TX_DELAY", 37),
            ("TCP_AO_ADD_KEY", 38), ("TCP_AO_DEL_KEY", 39), ("TCP_AO_INFO", 40), ("TCP_AO_GET_KEYS", 41), ("TCP_AO_REPAIR", 42),
            ("TCP_IS_MPTCP", 43), ("TCP_RTO_MAX_MS", 44), ("TCP_RTO_MIN_US", 45), ("TCP_DELACK_MAX_US", 46),
        ]),
        new("IPPROTO_UDP", 17,
        [
            ("UDP_CORK", 1), ("UDP_ENCAP", 100), ("UDP_NO_CHECK6_TX", 101), ("UDP_NO_CHECK6_RX", 102), ("UDP_SEGMENT", 103),
            ("UDP_GRO", 104),
        ]),
        new("AF_VSOCK", 40,
        [
            ("SO_VM_SOCKETS_BUFFER_SIZE", 0), ("SO_VM_SOCKETS_BUFFER_MIN_SIZE", 1), ("SO_VM_SOCKETS_BUFFER_MAX_SIZE", 2),
            ("SO_VM_SOCKETS_PEER_HOST_VM_ID", 3), ("SO_VM_SOCKETS_TRUSTED", 5), ("SO_VM_SOCKETS_CONNECT_TIMEOUT", 6),
            ("SO_VM_SOCKETS_NONBLOCK_TXRX", 7), ("SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW", 8),
        ]),
        new("SOL_NETLINK", 270,
        [
            ("NETLINK_ADD_MEMBERSHIP", 1), ("NETLINK_DROP_MEMBERSHIP", 2), ("NETLINK_PKTINFO", 3), ("NETLINK_BROADCAST_ERROR", 4),
            ("NETLINK_NO_ENOBUFS", 5), ("NETLINK_RX_RING", 6), ("NETLINK_TX_RING", 7), ("NETLINK_LISTEN_ALL_NSID", 8),
            ("NETLINK_LIST_MEMBERSHIPS", 9), ("NETLINK_CAP_ACK", 10), ("NETLINK_EXT_ACK", 11), ("NETLINK_GET_STRICT_CHK", 12),
        ]),
        new("IPPROTO_UDPLITE", 136, [("UDPLITE_SEND_CSCOV", 10), ("UDPLITE_RECV_CSCOV", 11)]),
        new("SOL_TLS", 282, [("TLS_TX", 1), ("TLS_RX", 2)]),
        new("SOL_MPTCP", 284, [("MPTCP_INFO", 1), ("MPTCP_TCPINFO", 2), ("MPTCP_SUBFLOW_ADDRS", 3), ("MPTCP_FULL_INFO", 4)]),
        new("IPPROTO_SCTP", 132, []),
    ];

    /// <summary>Other names of the same levels.</summary>
    private static readonly ImmutableArray<(string Name, int Number)> Aliases =
    [
        ("SOL_IP", 0), ("SOL_TCP", 6), ("SOL_UDP", 17), ("SOL_IPV6", 41), ("SOL_SCTP", 132), ("SOL_UDPLITE", 136), ("SOL_VSOCK", 40),
    ];

    /// <summary>Every name of a level.</summary>
    public static IEnumerable<string> LevelNames => Levels.Select(level => level.Name).Concat(Aliases.Select(alias => alias.Name));

    /// <summary>The number of a level; null if the name is unknown.</summary>
    public static int? LevelNumber(string name) =>
        Levels.FirstOrDefault(level => level.Name == name)?.Number
        ?? (Aliases.FirstOrDefault(alias => alias.Name == name) is { Name: not null } alias ? alias.Number : null);

    /// <summary>The options of a level; none if the level is unknown.</summary>
    public static ImmutableArray<(string Name, int Number)> At(int level) => Known(level)?.Options ?? [];

    /// <summary>The level with that number; null if it is unknown.</summary>
    public static OptionLevel? Known(int level) => Levels.FirstOrDefault(known => known.Number == level);
}
