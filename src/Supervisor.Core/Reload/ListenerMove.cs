using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.Plan;

namespace Supervisor.Core.Reload;

/// <summary>How a listener changes from its present socket to another one.</summary>
public enum ListenerMove
{
    /// <summary>It keeps its socket.</summary>
    None,

    /// <summary>
    /// The new socket is bound while the old one still serves: they do not conflict, or already share by SO_REUSEPORT.
    /// </summary>
    Beside,

    /// <summary>
    /// The old socket gets SO_REUSEPORT while it lives, and the new one is bound next to it with the same. When the old one is
    /// closed, the new one has the configured value.
    /// </summary>
    Bridge,

    /// <summary>The new socket is bound to a name next to the UNIX path and renamed over it, so the path always exists.</summary>
    Rename,

    /// <summary>The kernel never accepts both: an abstract UNIX name, a vsock port.</summary>
    Impossible,
}

/// <summary>Decides how a socket is moved.</summary>
public static class ListenerMoves
{
    /// <summary>
    /// Whether the kernel has two bridged sockets in one group without others: same address, family and interface. Where no table
    /// selects (<see cref="KeepsSteering"/>, or the kernel refuses it), a classic program can.
    /// </summary>
    /// <param name="before">The specification of the living socket.</param>
    /// <param name="effective">The address of the living socket.</param>
    /// <param name="after">The new specification.</param>
    /// <param name="at">The address to bind.</param>
    public static bool CanSteer(ListenerSpec before, ListenAddress? effective, ListenerSpec after, ListenAddress at) =>
        before.Address.Kind == after.Address.Kind
        && after.Address.Kind.IsInternet()
        && before.NetworkNamespace == after.NetworkNamespace
        && effective == at
        && !before.Bind.ReusePort
        && before.Shards == 1
        && after.Shards == 1
        && before.Bind.IPv6Only == after.Bind.IPv6Only
        && before.Bind.Device == after.Bind.Device;

    /// <summary>
    /// Whether the kernel has the sockets of two listeners in one group, and one of them is steered: one table selects among all.
    /// </summary>
    /// <param name="before">The specification of the living socket.</param>
    /// <param name="effective">The address of the living socket.</param>
    /// <param name="after">The new specification.</param>
    /// <param name="at">The address to bind.</param>
    public static bool KeepsSteering(ListenerSpec before, ListenAddress? effective, ListenerSpec after, ListenAddress at) =>
        (before.IsSteered || (after.IsSteered && before.Shards == 1))
        && before.NetworkNamespace == after.NetworkNamespace
        && before.Address.Kind == after.Address.Kind
        && after.Shards == 1
        && effective == at
        && before.Bind.IPv6Only == after.Bind.IPv6Only
        && before.Bind.Device == after.Bind.Device;

    /// <summary>
    /// How a socket of <paramref name="after"/> can be bound next to a living one of <paramref name="before"/>. In
    /// net/ipv4/inet_connection_sock.c, inet_bind_conflict, two sockets of one user that both have SO_REUSEPORT never conflict,
    /// and the holder's flag at that moment counts. Proven by <c>ReloadTests</c>.
    /// </summary>
    /// <param name="before">The specification of the living socket, with its effective address.</param>
    /// <param name="domain">The family of the living socket.</param>
    /// <param name="after">The new specification.</param>
    /// <param name="device">The number of an interface by its name; 0 for none.</param>
    public static ListenerMove Between(ListenerSpec before, SocketDomain domain, ListenerSpec after, Func<string, uint> device)
    {
        var (from, to) = (before.Address, after.Address);
        if (before.NetworkNamespace != after.NetworkNamespace && !(from.IsFile && to.IsFile))
        {
            return ListenerMove.Beside;
        }

        if ((from.Kind == ListenerKind.Sctp) != (to.Kind == ListenerKind.Sctp))
        {
            return ListenerMove.Beside;
        }

        if (from.Kind.IsInternet() && to.Kind.IsInternet())
        {
            var holder = BindRequest.Holder(before, domain, uid: 0, BindRequest.Device(before, device));
            var wanted = BindRequest.Socket(after, ListenerPlan.Domains(to)[0], uid: 0, BindRequest.Device(after, device));
            return BindConflictModel.Bind(wanted, [holder]) is not { Holder: not null } ? ListenerMove.Beside
                : BindConflictModel.Bind(wanted with { ReusePort = true }, [holder with { ReusePort = true }]) is not { Holder: not null }
                    ? ListenerMove.Bridge
                : ListenerMove.Impossible;
        }

        if (from.Kind.IsUnix() && to.Kind.IsUnix())
        {
            var isOther = from.Path != to.Path || from.IsAbstract != to.IsAbstract || (from.IsAbstract && from.Kind != to.Kind);
            return isOther ? ListenerMove.Beside
                : from.IsAbstract ? ListenerMove.Impossible
                : ListenerMove.Rename;
        }

        // An open file does not exclude another one, and a netlink socket gets an address of its own from the kernel.
        var isShared = !from.Kind.IsSocket() || from.Kind == ListenerKind.Netlink;
        return from == to && !isShared ? ListenerMove.Impossible : ListenerMove.Beside;
    }
}
