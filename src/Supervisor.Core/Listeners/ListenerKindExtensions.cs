namespace Supervisor.Core.Listeners;

/// <summary>Facts about each kind of listener.</summary>
public static class ListenerKindExtensions
{
    /// <summary>The URL scheme, without <c>://</c>; also the <c>kind</c> that users see.</summary>
    public static string Scheme(this ListenerKind kind) => kind switch
    {
        ListenerKind.Tcp => "tcp",
        ListenerKind.Udp => "udp",
        ListenerKind.Mptcp => "mptcp",
        ListenerKind.UnixStream => "unix",
        ListenerKind.UnixDatagram => "unix-dgram",
        ListenerKind.UnixSeqpacket => "unix-seqpacket",
        ListenerKind.Vsock => "vsock",
        ListenerKind.Sctp => "sctp",
        ListenerKind.Fifo => "fifo",
        ListenerKind.MessageQueue => "mqueue",
        ListenerKind.Netlink => "netlink",
        ListenerKind.Special => "special",
        ListenerKind.Other => "other",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>Whether listen() applies: a stream or seqpacket socket has an accept queue, a datagram socket has none.</summary>
    public static bool Listens(this ListenerKind kind) =>
        kind.IsSocket() && kind is not (ListenerKind.Udp or ListenerKind.UnixDatagram or ListenerKind.Netlink or ListenerKind.Other);

    /// <summary>Whether it is a socket, or may be one: it is not opened like a file.</summary>
    public static bool IsSocket(this ListenerKind kind) =>
        kind is not (ListenerKind.Fifo or ListenerKind.MessageQueue or ListenerKind.Special);

    /// <summary>Whether the address is an IPv4 or IPv6 address and a port.</summary>
    public static bool IsInternet(this ListenerKind kind) =>
        kind is ListenerKind.Tcp or ListenerKind.Udp or ListenerKind.Mptcp or ListenerKind.Sctp;

    /// <summary>Whether TCP's own options (level IPPROTO_TCP) apply.</summary>
    public static bool SpeaksTcp(this ListenerKind kind) => kind is ListenerKind.Tcp or ListenerKind.Mptcp;

    /// <summary>Whether the address is a UNIX path or abstract name.</summary>
    public static bool IsUnix(this ListenerKind kind) =>
        kind is ListenerKind.UnixStream or ListenerKind.UnixDatagram or ListenerKind.UnixSeqpacket;

    /// <summary>Whether a probe can connect to a listener of this kind.</summary>
    public static bool TakesProbe(this ListenerKind kind) => kind is ListenerKind.Tcp or ListenerKind.Mptcp or ListenerKind.UnixStream;
}
