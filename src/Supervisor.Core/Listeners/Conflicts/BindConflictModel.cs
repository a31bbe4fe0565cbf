namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>
/// Linux's conflict rules of bind() and listen() for TCP, MPTCP and UDP, as a function of IPv4, IPv6, dual-stack, mapped
/// addresses, SO_REUSEADDR, SO_REUSEPORT, users, devices, and the state of the other socket.
/// </summary>
/// <remarks>
/// <para>
/// It models Linux 6.1 and later: a concrete address is looked up in the hash of addresses and ports (bhash2), a wildcard in
/// the hash of ports. Earlier kernels use the hash of ports for both, which differs in one case only
/// (<see cref="AddressesMeetTcp"/>). Not modelled: VRFs (a bind bucket belongs to one), port 0, and a change of SO_REUSEADDR or
/// SO_REUSEPORT between bind() and listen() of the *other* socket.
/// </para>
/// <para>
/// A port also remembers its last accepted SO_REUSEPORT bind, which can permit more than a comparison of sockets:
/// <see cref="ReusePortShortcut"/>. If that history is unknown, leave it out: the answer is then correct for a port that
/// remembers nothing. The other shortcut, tb->fastreuse, never changes an answer.
/// </para>
/// </remarks>
public static class BindConflictModel
{
    /// <summary>bind(): null if the kernel accepts it.</summary>
    /// <param name="wanted">The socket as it is at bind().</param>
    /// <param name="holders">The others in the order in which they were bound, oldest first.</param>
    /// <param name="shortcut">What the port remembers; only for TCP.</param>
    public static BindConflict? Bind(BoundSocket wanted, IReadOnlyList<BoundSocket> holders, ReusePortShortcut? shortcut = null)
    {
        // net/ipv6/af_inet6.c, __inet6_bind: "Binding to v4-mapped address on a v6-only socket makes no sense", EINVAL.
        if (wanted.IsMapped && wanted.V6Only)
        {
            return new BindConflict(null, ConflictRule.MappedOnV6Only);
        }

        return wanted.Space == PortSpace.Udp ? BindUdp(wanted, holders) : BindTcp(wanted, holders, shortcut);
    }

    /// <summary>
    /// listen() on a bound TCP socket: it asks for its port again by the same rules (net/ipv4/inet_connection_sock.c,
    /// inet_csk_listen_start). Right after bind() it cannot fail. Later it fails if another socket with SO_REUSEADDR on the
    /// same address has begun to listen.
    /// </summary>
    public static BindConflict? Listen(BoundSocket bound, IReadOnlyList<BoundSocket> others, ReusePortShortcut? shortcut = null) =>
        bound.Space == PortSpace.Tcp ? BindTcp(bound, others, shortcut) : null;

    /// <summary>Whether both would receive the same traffic, regardless of their flags: port, device and address overlap.</summary>
    public static bool Meet(BoundSocket wanted, BoundSocket holder) =>
        wanted.Space == holder.Space
        && wanted.Port == holder.Port
        && DevicesMeet(wanted, holder)
        && (wanted.Space == PortSpace.Udp ? AddressesMeet(wanted, holder) : AddressesMeetTcp(wanted, holder));

    /// <summary>net/ipv4/inet_connection_sock.c: inet_csk_get_port with relax and reuseport_ok, inet_csk_bind_conflict.</summary>
    private static BindConflict? BindTcp(BoundSocket wanted, IReadOnlyList<BoundSocket> holders, ReusePortShortcut? shortcut)
    {
        if (shortcut?.Admits(wanted) == true)
        {
            return null;
        }

        foreach (var holder in holders)
        {
            if (Meet(wanted, holder) && TcpRule(wanted, holder) is { } rule)
            {
                return new BindConflict(holder, rule);
            }
        }

        return null;
    }

    /// <summary>net/ipv4/inet_connection_sock.c, inet_bind_conflict.</summary>
    private static ConflictRule? TcpRule(BoundSocket wanted, BoundSocket holder)
    {
        if (wanted.ReuseAddress && holder.ReuseAddress && holder.State != BoundState.Listening)
        {
            return null;
        }

        if (wanted.ReusePort && holder.ReusePort)
        {
            // A closed connection's TIME_WAIT socket has no owner.
            return holder.State == BoundState.TimeWait || wanted.Uid == holder.Uid ? null : ConflictRule.OtherUser;
        }

        return wanted.ReuseAddress && holder.ReuseAddress ? ConflictRule.Listens : ConflictRule.NotShared;
    }

    /// <summary>
    /// net/ipv4/udp.c, udp_lib_lport_inuse: the first socket in the port's list that permits sharing by SO_REUSEPORT ends the
    /// search with success, regardless of later ones.
    /// </summary>
    private static BindConflict? BindUdp(BoundSocket wanted, IReadOnlyList<BoundSocket> holders)
    {
        foreach (var holder in InListOrder(holders))
        {
            if ((wanted.ReuseAddress && holder.ReuseAddress) || !Meet(wanted, holder))
            {
                continue;
            }

            if (!wanted.ReusePort || !holder.ReusePort)
            {
                return new BindConflict(holder, ConflictRule.NotShared);
            }

            return wanted.Uid == holder.Uid ? null : new BindConflict(holder, ConflictRule.OtherUser);
        }

        return null;
    }

    /// <summary>include/net/sock.h, sk_add_node_rcu: newest first, but IPv6 sockets with SO_REUSEPORT go to the end.</summary>
    private static IEnumerable<BoundSocket> InListOrder(IReadOnlyList<BoundSocket> holders)
    {
        for (var i = holders.Count - 1; i >= 0; i--)
        {
            if (!GoesToTheEnd(holders[i]))
            {
                yield return holders[i];
            }
        }

        foreach (var holder in holders)
        {
            if (GoesToTheEnd(holder))
            {
                yield return holder;
            }
        }

        static bool GoesToTheEnd(BoundSocket socket) => socket.IsIPv6 && socket.ReusePort;
    }

    /// <summary>inet_bind_conflict, udp_lib_lport_inuse: sk_bound_dev_if separates two sockets only if both have one.</summary>
    private static bool DevicesMeet(BoundSocket wanted, BoundSocket holder) =>
        wanted.Device == 0 || holder.Device == 0 || wanted.Device == holder.Device;

    /// <summary>
    /// TCP since Linux 6.1. A wildcard is compared with every socket of the port by inet_rcv_saddr_equal. A concrete address is
    /// compared only with the wildcards (inet_bhash2_addr_any_conflict) and with its equals (inet_bhash2_conflict).
    /// </summary>
    private static bool AddressesMeetTcp(BoundSocket wanted, BoundSocket holder)
    {
        // inet_use_hash2_on_bind.
        if (wanted.IsWildcard)
        {
            return AddressesMeet(wanted, holder);
        }

        // __inet_bhash2_conflict.
        if (holder.V6Only && wanted.IsIPv4Only)
        {
            return false;
        }

        // inet_bind2_bucket_match_addr_any: [::] for all, the IPv4 wildcard for IPv4.
        if (holder.IsWildcard)
        {
            return !holder.IsIPv4Only || wanted.IsIPv4Only;
        }

        // inet_bind2_bucket_addr_match: the mapped form is the IPv4 address.
        return wanted.IsIPv4Only == holder.IsIPv4Only
            && (wanted.IsIPv4Only ? wanted.IPv4Address == holder.IPv4Address : wanted.Address.Equals(holder.Address));
    }

    /// <summary>
    /// net/ipv4/inet_connection_sock.c, inet_rcv_saddr_equal. A wildcard of <paramref name="wanted"/> overlaps every address of
    /// its families. A wildcard of <paramref name="holder"/> does so with <paramref name="matchHolderWildcard"/>, else only its
    /// equal.
    /// </summary>
    internal static bool AddressesMeet(BoundSocket wanted, BoundSocket holder, bool matchHolderWildcard = true) =>
        wanted.IsIPv6 ? AddressesMeetIPv6(wanted, holder, matchHolderWildcard) : AddressesMeetIPv4(wanted, holder, matchHolderWildcard);

    /// <summary>ipv4_rcv_saddr_equal. An IPv6 holder's IPv4 address is 0 for the wildcard, else 127.0.0.6.</summary>
    private static bool AddressesMeetIPv4(BoundSocket wanted, BoundSocket holder, bool matchHolderWildcard) =>
        !holder.V6Only
        && (wanted.IPv4Address == holder.IPv4Address || wanted.IPv4Address == 0 || (matchHolderWildcard && holder.IPv4Address == 0));

    /// <summary>ipv6_rcv_saddr_equal.</summary>
    private static bool AddressesMeetIPv6(BoundSocket wanted, BoundSocket holder, bool matchHolderWildcard)
    {
        if (wanted.IsMapped && holder.IsIPv4Only)
        {
            return AddressesMeetIPv4(wanted, holder, matchHolderWildcard);
        }

        var (wantsAll, holdsAll) = (!wanted.IsMapped && wanted.IsWildcard, !holder.IsIPv4Only && holder.IsWildcard);
        return (wantsAll && holdsAll)
            || (holdsAll && matchHolderWildcard && !(holder.V6Only && wanted.IsMapped))
            || (wantsAll && !(wanted.V6Only && holder.IsIPv4Only))
            || (!holder.IsIPv4Only && wanted.Address.Equals(holder.Address));
    }
}
