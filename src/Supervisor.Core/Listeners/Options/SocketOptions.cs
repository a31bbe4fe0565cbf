using System.Collections.Immutable;

namespace Supervisor.Core.Listeners.Options;

/// <summary>
/// The catalogue of socket options: numbers from the Linux ABI (asm-generic/socket.h, linux/in.h, linux/in6.h,
/// linux/tcp.h), which a generated C program checks against the installed headers
/// (<c>tests/Core.Tests/Listeners/SocketOptionAbiTests.cs</c>). The order within a phase is the order in which they are set.
/// </summary>
public static class SocketOptions
{
    private const int SolSocket = 1;
    private const int IpprotoIp = 0;
    private const int IpprotoIpv6 = 41;
    private const int IpprotoTcp = 6;

    // Before bind(): who may own the address.

    /// <summary>Bind over closed connections that linger; never a share in a live listener. socket(7).</summary>
    public static readonly SocketOption ReuseAddress = Socket("SO_REUSEADDR", 2, OptionShape.Flag, HandlePhase.PreBind, "bind.reuse_address", OptionScope.Any, OptionInheritance.Inherited) with { AffectsBindOwnership = true };

    /// <summary>Several sockets on one address, connections spread over them by the kernel. Linux 3.9, socket(7).</summary>
    public static readonly SocketOption ReusePort = Socket("SO_REUSEPORT", 15, OptionShape.Flag, HandlePhase.PreBind, "bind.reuse_port", OptionScope.Any, OptionInheritance.Inherited) with { AffectsBindOwnership = true };

    /// <summary>[::] without the IPv4 side. ipv6(7).</summary>
    public static readonly SocketOption V6Only = IPv6("IPV6_V6ONLY", 26, HandlePhase.PreBind, "bind.ipv6_only", OptionShape.Flag) with { AffectsBindOwnership = true, ChangeableInPlace = false };

    /// <summary>Bind to an address that no interface has (yet). ip(7).</summary>
    public static readonly SocketOption FreeBind = IPv4("IP_FREEBIND", 15, HandlePhase.PreBind, "bind.free_bind", OptionShape.Flag) with { AffectsBindOwnership = true };

    /// <summary>Transparent proxying; CAP_NET_RAW or CAP_NET_ADMIN. Linux 2.6.24, ip(7).</summary>
    public static readonly SocketOption Transparent = IPv4("IP_TRANSPARENT", 19, HandlePhase.PreBind, "bind.transparent", OptionShape.Flag) with { AffectsBindOwnership = true };

    /// <summary>Only traffic of one interface. Unprivileged since Linux 5.7 for a socket that has no device yet. socket(7).</summary>
    public static readonly SocketOption BindToDevice = Socket("SO_BINDTODEVICE", 25, OptionShape.Name, HandlePhase.PreBind, "bind.device", OptionScope.Internet, OptionInheritance.Inherited) with { AffectsBindOwnership = true, ChangeableInPlace = false };

    /// <summary>The firewall mark; CAP_NET_RAW or CAP_NET_ADMIN. socket(7).</summary>
    public static readonly SocketOption Mark = Socket("SO_MARK", 36, OptionShape.Number, HandlePhase.PreBind, "bind.mark", OptionScope.Any, OptionInheritance.Inherited);

    /// <summary>Credentials with each message. unix(7).</summary>
    public static readonly SocketOption PassCredentials = Socket("SO_PASSCRED", 16, OptionShape.Flag, HandlePhase.PreBind, "unix.pass_credentials", OptionScope.Unix, OptionInheritance.Inherited);

    // Before listen(): kernel memory.

    /// <summary>Receive buffer in bytes; doubled for the kernel's bookkeeping, capped. socket(7).</summary>
    public static readonly SocketOption ReceiveBuffer = Socket("SO_RCVBUF", 8, OptionShape.Number, HandlePhase.PreListen, "buffers.receive", OptionScope.Any, OptionInheritance.Inherited) with { BoundedBy = "net.core.rmem_max" };

    /// <summary>The same over the cap; CAP_NET_ADMIN. Linux 2.6.14, socket(7).</summary>
    public static readonly SocketOption ReceiveBufferForce = Socket("SO_RCVBUFFORCE", 33, OptionShape.Number, HandlePhase.PreListen, "buffers.receive", OptionScope.Any, OptionInheritance.Inherited) with { ReadNumber = 8 };

    /// <summary>Send buffer in bytes; doubled for the kernel's bookkeeping, capped. socket(7).</summary>
    public static readonly SocketOption SendBuffer = Socket("SO_SNDBUF", 7, OptionShape.Number, HandlePhase.PreListen, "buffers.send", OptionScope.Any, OptionInheritance.Inherited) with { BoundedBy = "net.core.wmem_max" };

    /// <summary>The same over the cap; CAP_NET_ADMIN. Linux 2.6.14, socket(7).</summary>
    public static readonly SocketOption SendBufferForce = Socket("SO_SNDBUFFORCE", 32, OptionShape.Number, HandlePhase.PreListen, "buffers.send", OptionScope.Any, OptionInheritance.Inherited) with { ReadNumber = 7 };

    // Before listen(): what waits below accept().

    /// <summary>Wake accept() for connections that have sent something; seconds, rounded to retransmissions. tcp(7).</summary>
    public static readonly SocketOption DeferAccept = Tcp("TCP_DEFER_ACCEPT", 9, "listen.defer_accept", OptionInheritance.ListenerOnly);

    /// <summary>Length of the queue of Fast Open requests. Linux 3.7, tcp(7).</summary>
    public static readonly SocketOption FastOpen = Tcp("TCP_FASTOPEN", 23, "listen.fast_open", OptionInheritance.ListenerOnly) with { BoundedBy = "net.core.somaxconn" };

    // Before listen(): what accepted connections inherit.

    /// <summary>Nagle's algorithm off. tcp(7).</summary>
    public static readonly SocketOption NoDelay = Tcp("TCP_NODELAY", 1, "accepted.no_delay") with { Shape = OptionShape.Flag };

    /// <summary>Probe idle connections. socket(7).</summary>
    public static readonly SocketOption KeepAlive = Socket("SO_KEEPALIVE", 9, OptionShape.Flag, HandlePhase.PreListen, "accepted.keep_alive", OptionScope.Tcp, OptionInheritance.Inherited);

    /// <summary>Idle seconds before the first probe. tcp(7).</summary>
    public static readonly SocketOption KeepAliveIdle = Tcp("TCP_KEEPIDLE", 4, "accepted.keep_alive_idle");

    /// <summary>Seconds between probes. tcp(7).</summary>
    public static readonly SocketOption KeepAliveInterval = Tcp("TCP_KEEPINTVL", 5, "accepted.keep_alive_interval");

    /// <summary>Probes without an answer before the connection ends. tcp(7).</summary>
    public static readonly SocketOption KeepAliveProbes = Tcp("TCP_KEEPCNT", 6, "accepted.keep_alive_probes");

    /// <summary>Milliseconds that sent data may stay unacknowledged. Linux 2.6.37, tcp(7).</summary>
    public static readonly SocketOption UserTimeout = Tcp("TCP_USER_TIMEOUT", 18, "accepted.user_timeout");

    /// <summary>Seconds that close() waits for unsent data; 0 resets. socket(7).</summary>
    public static readonly SocketOption Linger = Socket("SO_LINGER", 13, OptionShape.Linger, HandlePhase.PreListen, "accepted.linger", OptionScope.Tcp, OptionInheritance.Inherited);

    /// <summary>Bytes of unsent data below which a socket is writable. Linux 3.12, tcp(7).</summary>
    public static readonly SocketOption NotSentLowWater = Tcp("TCP_NOTSENT_LOWAT", 25, "accepted.not_sent_low_water");

    /// <summary>The congestion control's name. Linux 2.6.13, tcp(7).</summary>
    public static readonly SocketOption Congestion = Tcp("TCP_CONGESTION", 13, "accepted.congestion") with { Shape = OptionShape.Name, BoundedBy = "net.ipv4.tcp_allowed_congestion_control" };

    /// <summary>The IPv4 type-of-service octet; TCP keeps its two ECN bits. ip(7).</summary>
    public static readonly SocketOption TypeOfService = IPv4("IP_TOS", 1, HandlePhase.PreListen, "accepted.tos", OptionShape.Number);

    /// <summary>The IPv6 traffic class. ipv6(7).</summary>
    public static readonly SocketOption TrafficClass = IPv6("IPV6_TCLASS", 67, HandlePhase.PreListen, "accepted.tos", OptionShape.Number);

    /// <summary>The IPv4 time to live, in hops. ip(7).</summary>
    public static readonly SocketOption TimeToLive = IPv4("IP_TTL", 2, HandlePhase.PreListen, "accepted.ttl", OptionShape.Number);

    /// <summary>The IPv6 hop limit. ipv6(7).</summary>
    public static readonly SocketOption HopLimit = IPv6("IPV6_UNICAST_HOPS", 16, HandlePhase.PreListen, "accepted.ttl", OptionShape.Number);

    // Datagrams.

    /// <summary>Sending to broadcast addresses. socket(7).</summary>
    public static readonly SocketOption Broadcast = Socket("SO_BROADCAST", 6, OptionShape.Flag, HandlePhase.PreListen, "datagram.broadcast", OptionScope.Udp, OptionInheritance.NotApplicable);

    /// <summary>Destination address and interface with each IPv4 datagram. ip(7).</summary>
    public static readonly SocketOption PacketInfo = new("IP_PKTINFO", "IPPROTO_IP", IpprotoIp, 8, OptionShape.Flag, HandlePhase.PreListen, "datagram.packet_info", OptionScope.Udp, OptionInheritance.NotApplicable);

    /// <summary>Destination address and interface with each IPv6 datagram. Linux 2.6.14, ipv6(7).</summary>
    public static readonly SocketOption ReceivePacketInfo6 = new("IPV6_RECVPKTINFO", "IPPROTO_IPV6", IpprotoIpv6, 49, OptionShape.Flag, HandlePhase.PreListen, "datagram.packet_info", OptionScope.UdpIPv6, OptionInheritance.NotApplicable);

    /// <summary>
    /// The options whose values are shown for every socket that has them, asked for or not.
    /// The FORCE variants are left out: they are other ways to set what SO_RCVBUF and SO_SNDBUF show.
    /// </summary>
    public static readonly ImmutableArray<SocketOption> Shown =
    [
        ReuseAddress, ReusePort, V6Only, FreeBind, Transparent, BindToDevice, Mark, PassCredentials,
        ReceiveBuffer, SendBuffer, DeferAccept, FastOpen,
        NoDelay, KeepAlive, KeepAliveIdle, KeepAliveInterval, KeepAliveProbes, UserTimeout, Linger, NotSentLowWater,
        Congestion, TypeOfService, TrafficClass, TimeToLive, HopLimit,
        Broadcast, PacketInfo, ReceivePacketInfo6,
    ];

    /// <summary>Every option of the catalogue.</summary>
    public static readonly ImmutableArray<SocketOption> All = [.. Shown, ReceiveBufferForce, SendBufferForce];

    private static SocketOption Socket(string name, int number, OptionShape shape, HandlePhase phase, string setting, OptionScope scope, OptionInheritance inheritance) =>
        new(name, "SOL_SOCKET", SolSocket, number, shape, phase, setting, scope, inheritance);

    private static SocketOption IPv4(string name, int number, HandlePhase phase, string setting, OptionShape shape) =>
        new(name, "IPPROTO_IP", IpprotoIp, number, shape, phase, setting, OptionScope.IPv4, OptionInheritance.Inherited);

    private static SocketOption IPv6(string name, int number, HandlePhase phase, string setting, OptionShape shape) =>
        new(name, "IPPROTO_IPV6", IpprotoIpv6, number, shape, phase, setting, OptionScope.IPv6, OptionInheritance.Inherited);

    private static SocketOption Tcp(string name, int number, string setting, OptionInheritance inheritance = OptionInheritance.Inherited) =>
        new(name, "IPPROTO_TCP", IpprotoTcp, number, OptionShape.Number, HandlePhase.PreListen, setting, OptionScope.Tcp, inheritance);
}
