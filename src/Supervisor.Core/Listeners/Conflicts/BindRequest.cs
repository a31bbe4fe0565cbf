using System.Net;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>Converts a specification to the socket that the conflict rules use.</summary>
public static class BindRequest
{
    /// <summary>The socket that would be bound, in one family of <see cref="ListenerPlan.Domains"/>. Internet addresses only.</summary>
    /// <param name="spec">The specification.</param>
    /// <param name="domain">The family.</param>
    /// <param name="uid">The user who makes it.</param>
    /// <param name="device">The number of the interface that it is bound to; 0: none.</param>
    public static BoundSocket Socket(ListenerSpec spec, SocketDomain domain, uint uid, uint device) => new()
    {
        Space = spec.Address.Kind.SpeaksTcp() ? PortSpace.Tcp : PortSpace.Udp,
        Address = spec.Address.Host ?? (domain == SocketDomain.IPv6 ? IPAddress.IPv6Any : IPAddress.Any),
        Port = (ushort)spec.Address.Port,
        V6Only = domain == SocketDomain.IPv6 && spec.Bind.IPv6Only,
        ReuseAddress = spec.HasReuseAddress,
        ReusePort = spec.HasReusePort,
        Uid = uid,
        Device = device,
    };

    /// <summary>The same socket once it serves, as another one finds it.</summary>
    /// <param name="spec">The specification.</param>
    /// <param name="domain">The family.</param>
    /// <param name="uid">The user who made it.</param>
    /// <param name="device">The number of the interface that it is bound to; 0: none.</param>
    public static BoundSocket Holder(ListenerSpec spec, SocketDomain domain, uint uid, uint device) =>
        Socket(spec, domain, uid, device) with { State = spec.Address.Kind.Listens() ? BoundState.Listening : BoundState.Bound };

    /// <summary>The number of the interface that a listener is bound to; 0: none.</summary>
    /// <param name="spec">The specification.</param>
    /// <param name="device">The number of an interface by its name; 0 for none.</param>
    public static uint Device(ListenerSpec spec, Func<string, uint> device) =>
        (spec.Bind.Device ?? spec.Address.Scope) is { } name ? device(name) : 0;
}
