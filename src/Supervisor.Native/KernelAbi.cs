namespace Supervisor.Native;

/// <summary>
/// Numbers of the kernel's interface by their C names, once for all projects. A test compares each with the installed headers.
/// </summary>
/// <remarks>Options that a listener can have are in the catalogue (SocketOptions), signals that users name in Signals.</remarks>
public static class KernelAbi
{
    // errno(3).
    public const int EACCES = 13;
    public const int EADDRINUSE = 98;
    public const int EADDRNOTAVAIL = 99;
    public const int EAFNOSUPPORT = 97;
    public const int EAGAIN = 11;
    public const int ECONNREFUSED = 111;
    public const int ECONNRESET = 104;
    public const int EEXIST = 17;
    public const int EINTR = 4;
    public const int EINVAL = 22;
    public const int EFBIG = 27;
    public const int EISDIR = 21;
    public const int ELOOP = 40;
    public const int EMFILE = 24;
    public const int ENAMETOOLONG = 36;
    public const int ENFILE = 23;
    public const int ENODEV = 19;
    public const int ENOENT = 2;
    public const int ENOMEM = 12;
    public const int ENOSPC = 28;
    public const int ENOTDIR = 20;
    public const int EPIPE = 32;
    public const int EOPNOTSUPP = 95;
    public const int EPERM = 1;
    public const int EPROTOTYPE = 91;
    public const int ESTALE = 116;
    public const int ETIMEDOUT = 110;
    public const int ETOOMANYREFS = 109;
    public const int EXDEV = 18;

    // Address families, socket types and levels: socket(2).
    public const int AF_INET = 2;
    public const int AF_INET6 = 10;
    public const int AF_NETLINK = 16;
    public const int AF_UNIX = 1;
    public const int AF_VSOCK = 40;
    public const int IPPROTO_IP = 0;
    public const int IPPROTO_IPV6 = 41;
    public const int IPPROTO_MPTCP = 262;
    public const int IPPROTO_SCTP = 132;
    public const int IPPROTO_TCP = 6;
    public const int IPPROTO_UDP = 17;
    public const int SOCK_DGRAM = 2;
    public const int SOCK_RAW = 3;
    public const int SOCK_SEQPACKET = 5;
    public const int SOCK_STREAM = 1;
    public const int SOL_SOCKET = 1;

    // Options without a row in the catalogue of listen options: socket(7), tcp(7), ip(7).
    public const int MCAST_JOIN_GROUP = 42;
    public const int MCAST_JOIN_SOURCE_GROUP = 46;
    public const int MCAST_LEAVE_GROUP = 45;
    public const int MCAST_LEAVE_SOURCE_GROUP = 47;
    public const int SO_ACCEPTCONN = 30;
    public const int SO_ATTACH_REUSEPORT_CBPF = 51;
    public const int SO_ATTACH_REUSEPORT_EBPF = 52;
    public const int SO_DETACH_FILTER = 27;
    public const int SO_DOMAIN = 39;
    public const int SO_GET_FILTER = 26;
    public const int SO_LOCK_FILTER = 44;
    public const int SO_MEMINFO = 55;
    public const int SO_PASSCRED = 16;
    public const int SO_PEERCRED = 17;
    public const int SO_PROTOCOL = 38;
    public const int SO_RCVTIMEO = 20;
    public const int SO_SNDBUF = 7;
    public const int SO_SNDTIMEO = 21;
    public const int SO_TYPE = 3;
    public const int TCP_DEFER_ACCEPT = 9;
    public const int TCP_INFO = 11;

    // netlink(7), rtnetlink(7) and sock_diag(7).
    public const int NETLINK_ROUTE = 0;
    public const int NETLINK_SOCK_DIAG = 4;
    public const int NLMSG_DONE = 3;
    public const int NLMSG_ERROR = 2;
    public const int NLM_F_REQUEST = 1;
    public const int SOCK_DIAG_BY_FAMILY = 20;
    public const int UDIAG_SHOW_RQLEN = 16;
    public const int UNIX_DIAG_RQLEN = 4;

    // Signals: signal(7).
    public const int SIGKILL = 9;
    public const int SIGTERM = 15;
}
