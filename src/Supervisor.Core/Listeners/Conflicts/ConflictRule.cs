namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>The rule of the kernel by which two sockets cannot both have what they ask for.</summary>
public enum ConflictRule
{
    /// <summary>Not both have SO_REUSEADDR, and not both SO_REUSEPORT. inet_bind_conflict, udp_lib_lport_inuse.</summary>
    NotShared,

    /// <summary>The other one listens: SO_REUSEADDR is then no share. inet_bind_conflict: sk2->sk_state != TCP_LISTEN.</summary>
    Listens,

    /// <summary>Both have SO_REUSEPORT, and they belong to different users. inet_bind_conflict, udp_lib_lport_inuse: uid_eq().</summary>
    OtherUser,

    /// <summary>IPV6_V6ONLY on a mapped address is EINVAL. net/ipv6/af_inet6.c, __inet6_bind.</summary>
    MappedOnV6Only,
}
