namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>
/// What a TCP port remembers of the last SO_REUSEPORT bind(): tb->fastreuseport, fastuid and fast_rcv_saddr
/// (net/ipv4/inet_connection_sock.c, inet_csk_update_fastreuse). The kernel accepts a later socket of the same user and address
/// without checking the others.
/// </summary>
/// <remarks>
/// Usually that is the same answer in less time. It differs if the remembered socket was accepted because it and an older one
/// both had SO_REUSEADDR: the next SO_REUSEPORT socket is accepted without SO_REUSEADDR too. So the answer depends on earlier
/// binds and their order. The property test found that (tests/Diagnosis.Tests/Model).
/// </remarks>
/// <param name="Last">The remembered socket, as it was at bind().</param>
/// <param name="IsOnlyKind">FASTREUSEPORT_ANY: every socket of the port has SO_REUSEPORT and the same user, so addresses need
/// no comparison.</param>
public sealed record ReusePortShortcut(BoundSocket Last, bool IsOnlyKind)
{
    /// <summary>sk_reuseport_match: whether the port accepts <paramref name="wanted"/> without a further check.</summary>
    public bool Admits(BoundSocket wanted) =>
        wanted.ReusePort && wanted.Uid == Last.Uid
        && (IsOnlyKind || BindConflictModel.AddressesMeet(Last, wanted, matchHolderWildcard: false));

    /// <summary>
    /// inet_csk_update_fastreuse: what the port remembers once <paramref name="granted"/> was accepted, at bind() or listen().
    /// </summary>
    /// <param name="before">What it remembered; null: nothing.</param>
    /// <param name="granted">The socket.</param>
    /// <param name="isFirst">Whether the port was unused before.</param>
    public static ReusePortShortcut? After(ReusePortShortcut? before, BoundSocket granted, bool isFirst)
    {
        if (!granted.ReusePort)
        {
            return null;
        }

        return isFirst ? new ReusePortShortcut(granted, IsOnlyKind: true)
            : before?.Admits(granted) == true ? before
            : new ReusePortShortcut(granted, IsOnlyKind: false);
    }
}
