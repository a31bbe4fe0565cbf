using System.Collections.Immutable;
using Supervisor.Core.Listeners.Plan;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>The causes of EADDRINUSE for TCP and UDP: which sockets are in the way, and why.</summary>
/// <remarks>
/// The order of the checks: first a process of an earlier run, because waiting helps. Then live sockets, SO_REUSEPORT before
/// addresses, because both sides must change it. Then sockets that are only bound, then connections, then TIME_WAIT. A sharing
/// flag that could not be read counts as neither set nor unset; the advice mentions it.
/// </remarks>
internal static class AddressInUse
{
    public static BindFinding Classify(ListenerSpec spec, BindEvidence evidence)
    {
        var request = BindRequest.Socket(spec, ListenerPlan.Domains(spec.Address)[0], evidence.Uid, evidence.Device);
        var inTheWay = InTheWay(request, evidence);
        if (inTheWay.IsEmpty)
        {
            return evidence.ShowsBound
                ? new(
                    BindCause.Unexplained,
                    "the kernel says that the address is in use, but no visible socket has it; it may just have been closed")
                : new(BindCause.BoundNotListening, "a socket has bound it without listening; kernels before Linux 6.8 do not show whose");
        }

        var live = inTheWay.Where(IsLive).ToImmutableArray();
        var former = inTheWay.Where(holder => IsOfPredecessor(holder, live)).ToImmutableArray();
        if (!former.IsEmpty)
        {
            return new(BindCause.HeldByPredecessor, former, HolderText.StillUse(former, former[0].Address));
        }

        return live.IsEmpty ? NothingLive(inTheWay, evidence) : Sharing(request, live, evidence) ?? ByAddress(spec, request, live);
    }

    /// <summary>
    /// Whether the socket receives what arrives. A UDP socket has no listen(): it receives if it is bound and not connected.
    /// </summary>
    public static bool IsLive(SocketHolder holder) =>
        holder.State == BoundState.Listening || (holder is { State: BoundState.Bound, Socket.Space: PortSpace.Udp });

    /// <summary>
    /// Whether a process of an earlier run holds the socket. Only the worker holds its connections, whether its daemon lives or not.
    /// So a connection does not show an earlier run while a socket receives on the address.
    /// </summary>
    private static bool IsOfPredecessor(SocketHolder holder, ImmutableArray<SocketHolder> live) =>
        holder.Processes.Any(process => process.IsPredecessor)
            && (live.IsEmpty || holder.State is BoundState.Listening or BoundState.Bound);

    /// <summary>
    /// If all sharing flags are known, the model selects the conflicting sockets; otherwise all that overlap may conflict.
    /// </summary>
    private static ImmutableArray<SocketHolder> InTheWay(BoundSocket request, BindEvidence evidence)
    {
        var overlapping = evidence.Holders
            .Where(holder => holder.Socket is { } socket && BindConflictModel.Meet(request, socket)).ToImmutableArray();
        var refusing = overlapping
            .Where(holder => !holder.FlagsKnown || BindConflictModel.Bind(request, [holder.Socket!]) is not null).ToImmutableArray();
        return refusing.IsEmpty ? overlapping : refusing;
    }

    private static BindFinding NothingLive(ImmutableArray<SocketHolder> inTheWay, BindEvidence evidence)
    {
        var bound = inTheWay.Where(holder => holder.State == BoundState.Bound).ToImmutableArray();
        if (!bound.IsEmpty)
        {
            return new(BindCause.BoundNotListening, bound, HolderText.BoundOnly(bound, bound[0].Address));
        }

        var open = inTheWay.Where(holder => holder.State == BoundState.Connected).ToImmutableArray();
        if (!open.IsEmpty)
        {
            var verb = open.Length == 1 ? "uses" : "use";
            var uses = $"{HolderText.Count(open.Length, "connection")} of {ProcessDescription.Holders(open)} {verb} the port";
            return new(BindCause.ConnectionsOpen, open, evidence.ShowsBound ? $"no socket listens there, but {uses}" : uses);
        }

        var remain = inTheWay.Length == 1 ? "remains" : "remain";
        var last = inTheWay.Max(holder => holder.Expires) is { } span ? $", the last one for {Duration.Rounded(span)} more" : "";
        return new(
            BindCause.TimeWait, inTheWay,
            $"only {HolderText.Count(inTheWay.Length, "closed connection")} in TIME_WAIT {remain}{last}");
    }

    /// <summary>The finding if SO_REUSEPORT decides; null if it does not.</summary>
    private static BindFinding? Sharing(BoundSocket request, ImmutableArray<SocketHolder> live, BindEvidence evidence)
    {
        if (!request.ReusePort)
        {
            var with = live.Where(holder => holder is { FlagsKnown: true, Socket.ReusePort: true }).ToImmutableArray();
            return with.IsEmpty
                ? null
                : new(BindCause.ReusePortMismatch, with, $"{HolderText.Use(with)} with SO_REUSEPORT, this listener is without");
        }

        var without = live.Where(holder => holder is { FlagsKnown: true, Socket.ReusePort: false }).ToImmutableArray();

        // Another user is always a reason to refuse; for the same user, only the missing flag is.
        var others = live.Where(holder => holder.Uid != evidence.Uid).ToImmutableArray();
        if (without.IsEmpty && !others.IsEmpty)
        {
            return new(
                BindCause.ReusePortOtherUser, others,
                $"{HolderText.Use(others)} as uid {others[0].Uid}, this is uid {evidence.Uid}, "
                + "and only sockets of one user can share an address by SO_REUSEPORT");
        }

        var mismatched = without.IsEmpty ? live : without;
        return new(BindCause.ReusePortMismatch, mismatched, $"{HolderText.Use(mismatched)} without SO_REUSEPORT, this listener is with it");
    }

    /// <summary>The cause by the addresses. The closest of several sockets decides it; all of them conflict.</summary>
    private static BindFinding ByAddress(ListenerSpec spec, BoundSocket request, ImmutableArray<SocketHolder> live)
    {
        var ordered = live.OrderBy(holder => Relation(request, holder.Socket!)).ToImmutableArray();
        var cause = Relation(request, ordered[0].Socket!);
        var use = HolderText.Use([.. ordered.Where(holder => Relation(request, holder.Socket!) == cause)]);
        return new(cause, ordered, cause switch
        {
            BindCause.SameAddress => use,
            BindCause.CoveredByWildcard => $"{use}, which covers {spec.Address.Host}",
            BindCause.WildcardCoversExisting => $"{use}, which the wildcard would cover",
            _ when request.IsIPv4Only => $"{use}, which is dual-stack and covers the IPv4 side too",
            _ => $"{use}, which a [::] without ipv6_only would cover too",
        });
    }

    private static BindCause Relation(BoundSocket request, BoundSocket holder)
    {
        if (request.IsIPv4Only != holder.IsIPv4Only)
        {
            return BindCause.DualStackOverlap;
        }

        return (request.IsWildcard, holder.IsWildcard) switch
        {
            (false, true) => BindCause.CoveredByWildcard,
            (true, false) => BindCause.WildcardCoversExisting,
            _ => BindCause.SameAddress,
        };
    }
}
