namespace Supervisor.Native;

/// <summary>
/// Numbers of the socket interface that more than one file needs, from the Linux headers; AbiTests compares each with the
/// installed headers. The socket options that a listener can have are rows of the catalogue in Supervisor.Core.
/// </summary>
public static class SocketConstants
{
    /// <summary>AF_UNIX.</summary>
    public const int AfUnix = 1;

    /// <summary>AF_INET.</summary>
    public const int AfInet = 2;

    /// <summary>AF_INET6.</summary>
    public const int AfInet6 = 10;

    /// <summary>AF_NETLINK.</summary>
    public const int AfNetlink = 16;

    /// <summary>AF_VSOCK.</summary>
    public const int AfVsock = 40;

    /// <summary>SOCK_STREAM.</summary>
    public const int SockStream = 1;

    /// <summary>SOCK_DGRAM.</summary>
    public const int SockDgram = 2;

    /// <summary>SOCK_RAW.</summary>
    public const int SockRaw = 3;

    /// <summary>SOCK_SEQPACKET.</summary>
    public const int SockSeqpacket = 5;

    /// <summary>SOL_SOCKET: the level of the options that all sockets have.</summary>
    public const int SolSocket = 1;

    /// <summary>SO_TYPE.</summary>
    public const int SoType = 3;

    /// <summary>SO_GET_FILTER: SO_ATTACH_FILTER, for getsockopt.</summary>
    public const int SoGetFilter = 26;

    /// <summary>SO_DETACH_FILTER.</summary>
    public const int SoDetachFilter = 27;

    /// <summary>SO_ACCEPTCONN: whether the socket listens.</summary>
    public const int SoAcceptConn = 30;

    /// <summary>SO_PROTOCOL.</summary>
    public const int SoProtocol = 38;

    /// <summary>SO_DOMAIN.</summary>
    public const int SoDomain = 39;

    /// <summary>SO_LOCK_FILTER.</summary>
    public const int SoLockFilter = 44;

    /// <summary>SO_ATTACH_REUSEPORT_CBPF.</summary>
    public const int SoAttachReusePortCbpf = 51;

    /// <summary>SO_MEMINFO.</summary>
    public const int SoMemInfo = 55;

    /// <summary>IPPROTO_IP.</summary>
    public const int IpprotoIp = 0;

    /// <summary>IPPROTO_TCP.</summary>
    public const int IpprotoTcp = 6;

    /// <summary>IPPROTO_UDP.</summary>
    public const int IpprotoUdp = 17;

    /// <summary>IPPROTO_IPV6.</summary>
    public const int IpprotoIpv6 = 41;

    /// <summary>IPPROTO_MPTCP.</summary>
    public const int IpprotoMptcp = 262;

    /// <summary>TCP_INFO.</summary>
    public const int TcpInfo = 11;

    /// <summary>MCAST_JOIN_GROUP.</summary>
    public const int McastJoinGroup = 42;

    /// <summary>MCAST_LEAVE_GROUP.</summary>
    public const int McastLeaveGroup = 45;

    /// <summary>MCAST_JOIN_SOURCE_GROUP.</summary>
    public const int McastJoinSourceGroup = 46;

    /// <summary>MCAST_LEAVE_SOURCE_GROUP.</summary>
    public const int McastLeaveSourceGroup = 47;

    /// <summary>NETLINK_ROUTE.</summary>
    public const int NetlinkRoute = 0;

    /// <summary>NETLINK_SOCK_DIAG.</summary>
    public const int NetlinkSockDiag = 4;

    /// <summary>SOCK_DIAG_BY_FAMILY.</summary>
    public const ushort SockDiagByFamily = 20;
}
