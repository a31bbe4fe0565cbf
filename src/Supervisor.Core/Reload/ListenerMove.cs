using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.Plan;

namespace Supervisor.Core.Reload;

/// <summary>How a listener gets from the socket that it has to another one.</summary>
public enum ListenerMove
{
    /// <summary>It keeps its socket.</summary>
    None,

    /// <summary>The new socket is bound while the old one still serves: they do not meet, or share by SO_REUSEPORT already.</summary>
    Beside,

    /// <summary>
    /// The old socket gets SO_REUSEPORT, which a living one takes, and the new one is bound beside it with the same; when
    /// the old one has gone, the new one has what is configured.
    /// </summary>
    Bridge,

    /// <summary>The new socket is bound to a name beside the UNIX path and renamed over it: at no moment is there none.</summary>
    Rename,

    /// <summary>The kernel has no room for both, whatever they share: an abstract UNIX name, a vsock port.</summary>
    Impossible,
}

/// <summary>Decides how a socket is moved.</summary>
public static class ListenerMoves
{
    /// <summary>Whether the kernel knows two bridged sockets as one group of only these two: same address, family and interface.</summary>
    /// <param name="before">What the living socket was made by.</param>
    /// <param name="effective">The address of the living socket.</param>
    /// <param name="after">What is asked for.</param>
    /// <param name="at">The address that is bound.</param>
    public static bool CanSteer(ListenerSpec before, ListenAddress? effective, ListenerSpec after, ListenAddress at) =>
        before.Address.Kind == after.Address.Kind && after.Address.Kind.SpeaksTcp() && effective == at && !before.Bind.ReusePort && before.Shards == 1 && after.Shards == 1
        && before.Bind.IPv6Only == after.Bind.IPv6Only && before.Bind.Device == after.Bind.Device;

    /// <summary>
    /// Whether a socket of <paramref name="after"/> has room beside a living one of <paramref name="before"/>.
    /// net/ipv4/inet_connection_sock.c, inet_bind_conflict: two that both have SO_REUSEPORT, and one user, never exclude each
    /// other, and it is the holder's flag as it is at that moment that counts. Proven by <c>ReloadTests</c>.
    /// </summary>
    /// <param name="before">What the living socket was made by; its address is the effective one.</param>
    /// <param name="domain">The family of the living socket.</param>
    /// <param name="after">What is asked for.</param>
    /// <param name="device">The number of an interface by its name; 0 for none.</param>
    public static ListenerMove Between(ListenerSpec before, SocketDomain domain, ListenerSpec after, Func<string, uint> device)
    {
        var (from, to) = (before.Address, after.Address);
        if (from.Kind.IsInternet() && to.Kind.IsInternet())
        {
            var holder = BindRequest.Socket(before, domain, uid: 0, Device(before)) with { State = from.Kind.Listens() ? BoundState.Listening : BoundState.Bound };
            var wanted = BindRequest.Socket(after, ListenerPlan.Domains(to)[0], uid: 0, Device(after));
            return BindConflictModel.Bind(wanted, [holder]) is not { Holder: not null } ? ListenerMove.Beside
                : BindConflictModel.Bind(wanted with { ReusePort = true }, [holder with { ReusePort = true }]) is not { Holder: not null } ? ListenerMove.Bridge
                : ListenerMove.Impossible;
        }

        if (from.Kind.IsUnix() && to.Kind.IsUnix())
        {
            return from.Path != to.Path || from.IsAbstract != to.IsAbstract || (from.IsAbstract && from.Kind != to.Kind) ? ListenerMove.Beside
                : from.IsAbstract ? ListenerMove.Impossible
                : ListenerMove.Rename;
        }

        return from.Kind == to.Kind && from == to ? ListenerMove.Impossible : ListenerMove.Beside;

        uint Device(ListenerSpec spec) => (spec.Bind.Device ?? spec.Address.Scope) is { } name ? device(name) : 0;
    }
}
