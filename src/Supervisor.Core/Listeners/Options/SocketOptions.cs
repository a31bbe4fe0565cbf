using System.Collections.Immutable;
using static Supervisor.Core.Listeners.Options.SettingValue;

namespace Supervisor.Core.Listeners.Options;

/// <summary>
/// The catalogue of socket options. A row has the kernel's name of an option, the step in which it works, and its setting. To
/// add an option, add a row here and its setting in Supervisor.Config.
/// </summary>
/// <remarks>
/// The numbers come from the Linux ABI (asm-generic/socket.h, linux/in.h, linux/in6.h, linux/tcp.h); SocketOptionAbiTests
/// compares them with the installed headers.
/// </remarks>
public static class SocketOptions
{
    private const int SolSocket = 1;
    private const int IpprotoIp = 0;
    private const int IpprotoIpv6 = 41;
    private const int IpprotoTcp = 6;

    // Before bind(): who may own the address.

    /// <summary>Bind over closed connections in TIME_WAIT; it never shares a live listener's address. socket(7).</summary>
    public static readonly SocketOption ReuseAddress =
        Socket("SO_REUSEADDR", 2, OptionShape.Flag, HandlePhase.PreBind, "bind.reuse_address", OptionScope.Any,
            (spec, _) => Enable(spec.HasReuseAddress)) with
        { AffectsBindOwnership = true };

    /// <summary>Several sockets on one address; the kernel spreads connections over them. Linux 3.9, socket(7).</summary>
    public static readonly SocketOption ReusePort =
        Socket("SO_REUSEPORT", 15, OptionShape.Flag, HandlePhase.PreBind, "bind.reuse_port", OptionScope.Any,
            (spec, _) => Enable(spec.HasReusePort)) with
        { AffectsBindOwnership = true };

    /// <summary>[::] without the IPv4 side. Always set, because net.ipv6.bindv6only may change the host's default. ipv6(7).</summary>
    public static readonly SocketOption V6Only =
        IPv6("IPV6_V6ONLY", 26, OptionShape.Flag, HandlePhase.PreBind, "bind.ipv6_only", (spec, _) => Flag(spec.Bind.IPv6Only))
            with
        { AffectsBindOwnership = true, ChangeableInPlace = false, ChangedByBind = true };

    /// <summary>Bind to an address that no interface has (yet). ip(7).</summary>
    public static readonly SocketOption FreeBind =
        IPv4("IP_FREEBIND", 15, OptionShape.Flag, HandlePhase.PreBind, "bind.free_bind", (spec, _) => Enable(spec.Bind.FreeBind))
            with
        { AffectsBindOwnership = true };

    /// <summary>Transparent proxying; CAP_NET_RAW or CAP_NET_ADMIN. Linux 2.6.24, ip(7).</summary>
    public static readonly SocketOption Transparent =
        IPv4("IP_TRANSPARENT", 19, OptionShape.Flag, HandlePhase.PreBind, "bind.transparent", (spec, _) => Enable(spec.Bind.Transparent))
            with
        { AffectsBindOwnership = true };

    /// <summary>Only traffic of one interface. Unprivileged since Linux 5.7 for a socket that has no device yet. socket(7).</summary>
    public static readonly SocketOption BindToDevice =
        Socket("SO_BINDTODEVICE", 25, OptionShape.Name, HandlePhase.PreBind, "bind.device", OptionScope.Internet,
            (spec, _) => Name(spec.Bind.Device)) with
        { AffectsBindOwnership = true, ChangeableInPlace = false };

    /// <summary>The firewall mark; CAP_NET_RAW or CAP_NET_ADMIN. socket(7).</summary>
    public static readonly SocketOption Mark =
        Socket("SO_MARK", 36, OptionShape.Number, HandlePhase.PreBind, "bind.mark", OptionScope.Any, (spec, _) => Number(spec.Bind.Mark));

    /// <summary>Credentials with each message. unix(7).</summary>
    public static readonly SocketOption PassCredentials =
        Socket("SO_PASSCRED", 16, OptionShape.Flag, HandlePhase.PreBind, "unix.pass_credentials", OptionScope.Local,
            (spec, _) => Flag(spec.Unix.PassCredentials));

    /// <summary>The security context of the sender with each message. Linux 2.6.18, unix(7).</summary>
    public static readonly SocketOption PassSecurity =
        Socket("SO_PASSSEC", 34, OptionShape.Flag, HandlePhase.PreBind, "unix.pass_security", OptionScope.Unix,
            (spec, _) => Flag(spec.Unix.PassSecurity));

    /// <summary>A pidfd of the sender with each message. Linux 6.5, unix(7).</summary>
    public static readonly SocketOption PassPidfd =
        Socket("SO_PASSPIDFD", 76, OptionShape.Flag, HandlePhase.PreBind, "unix.pass_pidfd", OptionScope.Unix,
            (spec, _) => Flag(spec.Unix.PassPidfd));

    // Before listen(): kernel memory.

    /// <summary>Receive buffer in bytes; the kernel doubles it for its own bookkeeping and caps it. socket(7).</summary>
    public static readonly SocketOption ReceiveBuffer =
        Buffer("SO_RCVBUF", 8, "buffers.receive", spec => spec.Buffers.Force ? null : spec.Buffers.Receive)
            with
        { BoundedBy = "net.core.rmem_max" };

    /// <summary>Receive buffer beyond the cap; CAP_NET_ADMIN. Linux 2.6.14, socket(7).</summary>
    public static readonly SocketOption ReceiveBufferForce =
        Buffer("SO_RCVBUFFORCE", 33, "buffers.receive", spec => spec.Buffers.Force ? spec.Buffers.Receive : null)
            with
        { ReadNumber = 8, Fallback = ReceiveBuffer };

    /// <summary>Send buffer in bytes; the kernel doubles it for its own bookkeeping and caps it. socket(7).</summary>
    public static readonly SocketOption SendBuffer =
        Buffer("SO_SNDBUF", 7, "buffers.send", spec => spec.Buffers.Force ? null : spec.Buffers.Send)
            with
        { BoundedBy = "net.core.wmem_max" };

    /// <summary>Send buffer beyond the cap; CAP_NET_ADMIN. Linux 2.6.14, socket(7).</summary>
    public static readonly SocketOption SendBufferForce =
        Buffer("SO_SNDBUFFORCE", 32, "buffers.send", spec => spec.Buffers.Force ? spec.Buffers.Send : null)
            with
        { ReadNumber = 7, Fallback = SendBuffer };

    // Before listen(): the queues before accept().

    /// <summary>Wake accept() only for connections that have sent something; seconds, rounded to retransmissions. tcp(7).</summary>
    public static readonly SocketOption DeferAccept =
        Tcp("TCP_DEFER_ACCEPT", 9, "listen.defer_accept", spec => Seconds(spec.Listen.DeferAccept))
            with
        { Inheritance = OptionInheritance.ListenerOnly };

    /// <summary>Length of the queue of Fast Open requests. Linux 3.7, tcp(7).</summary>
    public static readonly SocketOption FastOpen =
        Tcp("TCP_FASTOPEN", 23, "listen.fast_open", spec => Number(spec.Listen.FastOpen))
            with
        { Inheritance = OptionInheritance.ListenerOnly, BoundedBy = "net.core.somaxconn" };

    // Before listen(): what accepted connections inherit.

    /// <summary>Nagle's algorithm off. tcp(7).</summary>
    public static readonly SocketOption NoDelay =
        Tcp("TCP_NODELAY", 1, "accepted.no_delay", spec => Flag(spec.Accepted.NoDelay)) with { Shape = OptionShape.Flag };

    /// <summary>Probe idle connections. socket(7).</summary>
    public static readonly SocketOption KeepAlive =
        Socket("SO_KEEPALIVE", 9, OptionShape.Flag, HandlePhase.PreListen, "accepted.keep_alive", OptionScope.Tcp,
            (spec, _) => Flag(spec.Accepted.KeepAlive));

    /// <summary>Idle seconds before the first probe. tcp(7).</summary>
    public static readonly SocketOption KeepAliveIdle =
        Tcp("TCP_KEEPIDLE", 4, "accepted.keep_alive_idle", spec => Seconds(spec.Accepted.KeepAliveIdle));

    /// <summary>Seconds between probes. tcp(7).</summary>
    public static readonly SocketOption KeepAliveInterval =
        Tcp("TCP_KEEPINTVL", 5, "accepted.keep_alive_interval", spec => Seconds(spec.Accepted.KeepAliveInterval));

    /// <summary>Unanswered probes before the connection is closed. tcp(7).</summary>
    public static readonly SocketOption KeepAliveProbes =
        Tcp("TCP_KEEPCNT", 6, "accepted.keep_alive_probes", spec => Number(spec.Accepted.KeepAliveProbes));

    /// <summary>Milliseconds that sent data may stay unacknowledged. Linux 2.6.37, tcp(7).</summary>
    public static readonly SocketOption UserTimeout =
        Tcp("TCP_USER_TIMEOUT", 18, "accepted.user_timeout", spec => Milliseconds(spec.Accepted.UserTimeout));

    /// <summary>Seconds that close() waits for unsent data; 0 resets. socket(7).</summary>
    public static readonly SocketOption Linger =
        Socket("SO_LINGER", 13, OptionShape.Linger, HandlePhase.PreListen, "accepted.linger", OptionScope.Tcp,
            (spec, _) => Seconds(spec.Accepted.Linger));

    /// <summary>Bytes of unsent data below which a socket is writable. Linux 3.12, tcp(7).</summary>
    public static readonly SocketOption NotSentLowWater =
        Tcp("TCP_NOTSENT_LOWAT", 25, "accepted.not_sent_low_water", spec => Number(spec.Accepted.NotSentLowWater));

    /// <summary>The congestion control's name. Linux 2.6.13, tcp(7).</summary>
    public static readonly SocketOption Congestion =
        Tcp("TCP_CONGESTION", 13, "accepted.congestion", spec => Name(spec.Accepted.Congestion))
            with
        { Shape = OptionShape.Name, BoundedBy = "net.ipv4.tcp_allowed_congestion_control" };

    /// <summary>The IPv4 type-of-service octet; TCP keeps its two ECN bits. ip(7).</summary>
    public static readonly SocketOption TypeOfService =
        IPv4("IP_TOS", 1, OptionShape.Number, HandlePhase.PreListen, "accepted.tos",
            (spec, domain) => IfIPv4(spec, domain, Number(Accepted(spec).TypeOfService)));

    /// <summary>The IPv6 traffic class. ipv6(7).</summary>
    public static readonly SocketOption TrafficClass =
        IPv6("IPV6_TCLASS", 67, OptionShape.Number, HandlePhase.PreListen, "accepted.tos",
            (spec, _) => Number(Accepted(spec).TypeOfService));

    /// <summary>The IPv4 time to live, in hops. ip(7).</summary>
    public static readonly SocketOption TimeToLive =
        IPv4("IP_TTL", 2, OptionShape.Number, HandlePhase.PreListen, "accepted.ttl",
            (spec, domain) => IfIPv4(spec, domain, Number(Accepted(spec).TimeToLive)));

    /// <summary>The IPv6 hop limit. ipv6(7).</summary>
    public static readonly SocketOption HopLimit =
        IPv6("IPV6_UNICAST_HOPS", 16, OptionShape.Number, HandlePhase.PreListen, "accepted.ttl",
            (spec, _) => Number(Accepted(spec).TimeToLive));

    /// <summary>The priority of sent packets; above 6 with CAP_NET_ADMIN. After IP_TOS, which changes it. socket(7).</summary>
    public static readonly SocketOption Priority =
        Socket("SO_PRIORITY", 12, OptionShape.Number, HandlePhase.PreListen, "bind.priority", OptionScope.Any,
            (spec, _) => Number(spec.Bind.Priority)) with
        { Inheritance = OptionInheritance.ListenerOnly };

    // Datagrams.

    /// <summary>The time of arrival with each datagram, in microseconds. socket(7).</summary>
    public static readonly SocketOption Timestamp =
        Socket("SO_TIMESTAMP", 29, OptionShape.Flag, HandlePhase.PreListen, "datagram.timestamping", OptionScope.Udp,
            (spec, _) => Enable(spec.Datagram.Timestamping == TimestampUnit.Microseconds)) with
        { Inheritance = OptionInheritance.NotApplicable };

    /// <summary>The time of arrival with each datagram, in nanoseconds. Linux 2.6.22, socket(7).</summary>
    public static readonly SocketOption TimestampNanoseconds =
        Socket("SO_TIMESTAMPNS", 35, OptionShape.Flag, HandlePhase.PreListen, "datagram.timestamping", OptionScope.Udp,
            (spec, _) => Enable(spec.Datagram.Timestamping == TimestampUnit.Nanoseconds)) with
        { Inheritance = OptionInheritance.NotApplicable };

    /// <summary>Sending to broadcast addresses. socket(7).</summary>
    public static readonly SocketOption Broadcast =
        Socket("SO_BROADCAST", 6, OptionShape.Flag, HandlePhase.PreListen, "datagram.broadcast", OptionScope.Udp,
            (spec, _) => Flag(spec.Datagram.Broadcast)) with
        { Inheritance = OptionInheritance.NotApplicable };

    /// <summary>Destination address and interface with each IPv4 datagram. ip(7).</summary>
    public static readonly SocketOption PacketInfo =
        IPv4("IP_PKTINFO", 8, OptionShape.Flag, HandlePhase.PreListen, "datagram.packet_info",
            (spec, domain) => IfIPv4(spec, domain, Flag(spec.Datagram.PacketInfo)))
            with
        { Scope = OptionScope.Udp, Inheritance = OptionInheritance.NotApplicable };

    /// <summary>Destination address and interface with each IPv6 datagram. Linux 2.6.14, ipv6(7).</summary>
    public static readonly SocketOption ReceivePacketInfo6 =
        IPv6("IPV6_RECVPKTINFO", 49, OptionShape.Flag, HandlePhase.PreListen, "datagram.packet_info",
            (spec, _) => Flag(spec.Datagram.PacketInfo))
            with
        { Scope = OptionScope.UdpIPv6, Inheritance = OptionInheritance.NotApplicable };

    /// <summary>Every option of the catalogue, in the order in which a listener's are set: by phase.</summary>
    public static readonly ImmutableArray<SocketOption> All =
    [
        ReuseAddress, ReusePort, V6Only, FreeBind, Transparent, BindToDevice, Mark, PassCredentials, PassSecurity, PassPidfd,
        ReceiveBuffer, ReceiveBufferForce, SendBuffer, SendBufferForce, DeferAccept, FastOpen,
        NoDelay, KeepAlive, KeepAliveIdle, KeepAliveInterval, KeepAliveProbes, UserTimeout, Linger, NotSentLowWater,
        Congestion, TypeOfService, TrafficClass, TimeToLive, HopLimit, Priority,
        Timestamp, TimestampNanoseconds, Broadcast, PacketInfo, ReceivePacketInfo6,
    ];

    /// <summary>
    /// The options whose values are shown for every socket that has them. The FORCE variants are not included: SO_RCVBUF and
    /// SO_SNDBUF show their values.
    /// </summary>
    public static readonly ImmutableArray<SocketOption> Shown = [.. All.Where(option => option.ReadNumber == option.Number)];

    /// <summary>The catalogue, and the further options of this specification.</summary>
    public static ImmutableArray<SocketOption> Of(ListenerSpec spec) => spec.Options.IsEmpty ? All : With(All, spec);

    /// <summary><see cref="Shown"/> for this specification: with its further options, and with the phase that it gives.</summary>
    public static ImmutableArray<SocketOption> ShownOf(ListenerSpec spec) => spec.Options.IsEmpty ? Shown : With(Shown, spec);

    private static ImmutableArray<SocketOption> With(ImmutableArray<SocketOption> rows, ListenerSpec spec)
    {
        SocketOption[] custom = [.. spec.Options.Select(option => option.Row()).OfType<SocketOption>()];
        return
        [
            .. rows.Select(row => Array.Find(custom, row.Equals) ?? row),
            .. custom.Where(row => !rows.Contains(row) && !All.Contains(row)),
        ];
    }

    private static SocketOption Socket(
        string name, int number, OptionShape shape, HandlePhase phase, string setting, OptionScope scope, OptionValueReader value) =>
        new(name, "SOL_SOCKET", SolSocket, number, shape, phase, setting, scope, OptionInheritance.Inherited, value);

    private static SocketOption Buffer(string name, int number, string setting, Func<ListenerSpec, int?> bytes) =>
        Socket(name, number, OptionShape.Number, HandlePhase.PreListen, setting, OptionScope.Any, (spec, _) => Number(bytes(spec)));

    private static SocketOption IPv4(
        string name, int number, OptionShape shape, HandlePhase phase, string setting, OptionValueReader value) =>
        new(name, "IPPROTO_IP", IpprotoIp, number, shape, phase, setting, OptionScope.IPv4, OptionInheritance.Inherited, value);

    private static SocketOption IPv6(
        string name, int number, OptionShape shape, HandlePhase phase, string setting, OptionValueReader value) =>
        new(name, "IPPROTO_IPV6", IpprotoIpv6, number, shape, phase, setting, OptionScope.IPv6, OptionInheritance.Inherited, value);

    private static SocketOption Tcp(string name, int number, string setting, Func<ListenerSpec, OptionValue?> value) =>
        new(name, "IPPROTO_TCP", IpprotoTcp, number, OptionShape.Number, HandlePhase.PreListen, setting, OptionScope.Tcp,
            OptionInheritance.Inherited, (spec, _) => value(spec));
}
