using System.Collections.Immutable;

namespace Supervisor.Core.Listeners.Options;

/// <summary>
/// Which listeners have the options of a level. The kernel refuses every option of another level (ENOPROTOOPT or EOPNOTSUPP), as
/// <c>OptionLevelTests</c> shows.
/// </summary>
public static class OptionLevelKinds
{
    private const int Ip = 0;
    private const int Ipv6 = 41;

    /// <summary>The kinds of listener that have options of that level; empty if any may have them.</summary>
    public static ImmutableArray<ListenerKind> Of(int level) => level switch
    {
        Ip or Ipv6 => [ListenerKind.Tcp, ListenerKind.Udp, ListenerKind.Mptcp, ListenerKind.Sctp],
        6 => [ListenerKind.Tcp, ListenerKind.Mptcp],
        17 or 136 => [ListenerKind.Udp],
        40 => [ListenerKind.Vsock],
        132 => [ListenerKind.Sctp],
        270 => [ListenerKind.Netlink],
        282 => [ListenerKind.Tcp],
        284 => [ListenerKind.Mptcp],
        _ => [],
    };

    /// <summary>Whether the kernel refuses every option of that level on a socket of that kind.</summary>
    public static bool IsRefused(int level, ListenerKind kind, SocketDomain domain) =>
        kind.IsSocket() && kind != ListenerKind.Other && Of(level) is { IsEmpty: false } kinds
        && (!kinds.Contains(kind) || (level == Ipv6 && domain == SocketDomain.IPv4));
}
