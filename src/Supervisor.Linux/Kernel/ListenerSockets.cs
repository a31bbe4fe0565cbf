using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Kernel;

/// <summary>socket(2) for a listener of each kind.</summary>
public static class ListenerSockets
{
    /// <summary>
    /// Makes the socket for the first step of a plan; the caller owns the descriptor. Null and the failed call in
    /// <paramref name="failure"/> if that fails.
    /// </summary>
    public static DescriptorHandle? Open(CreateStep create, out SystemCallFailure? failure)
    {
        var protocol = create.Kind switch
        {
            ListenerKind.Mptcp => IPPROTO_MPTCP,
            ListenerKind.Sctp => IPPROTO_SCTP,
            ListenerKind.Netlink => create.Protocol,
            _ => 0,
        };
        var socket = Sockets.Create(Family(create.Domain), Type(create.Kind), protocol, create.NonBlocking, out var error);
        failure = socket is null ? error.With(Describe(create)) : null;
        return socket;
    }

    /// <summary>The arguments of the call as C names.</summary>
    public static string Describe(CreateStep create) =>
        $"{FamilyName(create.Domain)}, {TypeName(create.Kind)}{create.Kind switch
        {
            ListenerKind.Mptcp => ", IPPROTO_MPTCP",
            ListenerKind.Sctp => ", IPPROTO_SCTP",
            ListenerKind.Netlink => $", {create.Protocol}",
            _ => "",
        }}";

    private static int Family(SocketDomain domain) => domain switch
    {
        SocketDomain.Unix => AF_UNIX,
        SocketDomain.IPv4 => AF_INET,
        SocketDomain.IPv6 => AF_INET6,
        SocketDomain.Vsock => AF_VSOCK,
        SocketDomain.Netlink => AF_NETLINK,
        _ => throw new ArgumentOutOfRangeException(nameof(domain)),
    };

    private static string FamilyName(SocketDomain domain) => domain switch
    {
        SocketDomain.Unix => "AF_UNIX",
        SocketDomain.IPv4 => "AF_INET",
        SocketDomain.IPv6 => "AF_INET6",
        SocketDomain.Vsock => "AF_VSOCK",
        SocketDomain.Netlink => "AF_NETLINK",
        _ => throw new ArgumentOutOfRangeException(nameof(domain)),
    };

    private static int Type(ListenerKind kind) => kind switch
    {
        ListenerKind.Udp or ListenerKind.UnixDatagram => SOCK_DGRAM,
        ListenerKind.UnixSeqpacket => SOCK_SEQPACKET,
        ListenerKind.Netlink => SOCK_RAW,
        ListenerKind.Tcp or ListenerKind.Mptcp or ListenerKind.Sctp or ListenerKind.UnixStream or ListenerKind.Vsock => SOCK_STREAM,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static string TypeName(ListenerKind kind) => Type(kind) switch
    {
        SOCK_DGRAM => "SOCK_DGRAM",
        SOCK_SEQPACKET => "SOCK_SEQPACKET",
        SOCK_RAW => "SOCK_RAW",
        _ => "SOCK_STREAM",
    };
}
