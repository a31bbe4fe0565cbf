namespace Supervisor.Core.Listeners;

/// <summary>What kind of socket a listener is: the scheme of its address.</summary>
public enum ListenerKind
{
    /// <summary><c>tcp://</c>: SOCK_STREAM over IPv4 or IPv6.</summary>
    Tcp,

    /// <summary><c>udp://</c>: SOCK_DGRAM over IPv4 or IPv6; bound, never listening.</summary>
    Udp,

    /// <summary><c>mptcp://</c>: SOCK_STREAM, IPPROTO_MPTCP (Linux 5.6, CONFIG_MPTCP).</summary>
    Mptcp,

    /// <summary><c>unix://</c>: SOCK_STREAM, by path or abstract name.</summary>
    UnixStream,

    /// <summary><c>unix-dgram://</c>: SOCK_DGRAM, by path or abstract name; bound, never listening.</summary>
    UnixDatagram,

    /// <summary><c>unix-seqpacket://</c>: SOCK_SEQPACKET, by path or abstract name.</summary>
    UnixSeqpacket,

    /// <summary><c>vsock://</c>: SOCK_STREAM between a virtual machine and its host.</summary>
    Vsock,

    /// <summary><c>sctp://</c>: SOCK_STREAM, IPPROTO_SCTP over IPv4 or IPv6 (CONFIG_IP_SCTP).</summary>
    Sctp,

    /// <summary><c>fifo://</c>: a named pipe, open for reading and writing (fifo(7)).</summary>
    Fifo,

    /// <summary><c>mqueue://</c>: a POSIX message queue, open for reading and writing (mq_overview(7)).</summary>
    MessageQueue,

    /// <summary><c>netlink://</c>: SOCK_RAW of a netlink family; bound, never listening (netlink(7)).</summary>
    Netlink,

    /// <summary><c>special://</c>: a character device, or a file such as those of /proc and /sys.</summary>
    Special,

    /// <summary>
    /// What the broker was given to hold and no listener can be: a pipe, a file, a socket of another family. Never configured.
    /// </summary>
    Other,
}
