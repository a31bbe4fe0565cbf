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

    /// <summary>
    /// What the broker was given to hold and no listener can be: a pipe, a file, a socket of another family. Never configured.
    /// </summary>
    Other,
}
