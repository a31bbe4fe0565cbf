using System.Net.Sockets;
using Supervisor.Core.Listeners;

namespace Supervisor.Config.Settings;

/// <summary>The listeners to which a setting can apply. Each method returns why it cannot apply to a listener, or null.</summary>
internal static class Applicability
{
    /// <summary>Options of accepted TCP connections.</summary>
    public static ValueError? AcceptedTcp(ListenerSpec spec) => spec.Address.Kind switch
    {
        { } kind when !kind.Listens() => Cannot(spec, $"a {kind.Scheme()}:// socket accepts no connections"),
        { } kind when !kind.SpeaksTcp() => Cannot(spec, "only a TCP socket has this setting"),
        _ => null,
    };

    /// <summary>The accept queue.</summary>
    public static ValueError? AcceptQueue(ListenerSpec spec) => spec.Address.Kind.Listens()
        ? null
        : Cannot(spec, $"a {spec.Address.Kind.Scheme()}:// socket has no accept queue");

    /// <summary>TCP's options of the accept queue.</summary>
    public static ValueError? TcpQueue(ListenerSpec spec) => AcceptQueue(spec) ?? AcceptedTcp(spec);

    /// <summary>Options of IPv4 and IPv6 sockets.</summary>
    public static ValueError? Internet(ListenerSpec spec) => spec.Address.Kind.IsInternet()
        ? null
        : Cannot(spec, "only an IPv4 or IPv6 socket has this setting");

    /// <summary>Sockets that belong to a network namespace.</summary>
    public static ValueError? Namespaced(ListenerSpec spec) => spec.Address.Kind == ListenerKind.Vsock
        ? Cannot(spec, "a vsock:// socket belongs to no network namespace")
        : null;

    /// <summary>Steering; <c>none</c> applies everywhere.</summary>
    public static ValueError? Steering(ListenerSpec spec) => spec.Steering == SteeringMode.None ? null : Internet(spec);

    /// <summary>Options of IPv6 sockets.</summary>
    public static ValueError? IPv6(ListenerSpec spec) => spec.Address switch
    {
        { Kind: var kind } when !kind.IsInternet() => Cannot(spec, "only an IPv6 socket has this setting"),
        { Host.AddressFamily: AddressFamily.InterNetwork } =>
            Cannot(spec, "the address is an IPv4 address, and only an IPv6 socket has this setting"),
        _ => null,
    };

    /// <summary>Options of every UNIX socket.</summary>
    public static ValueError? Unix(ListenerSpec spec) =>
        spec.Address.Kind.IsUnix() ? null : Cannot(spec, "only a UNIX socket has this setting");

    /// <summary>The file of a UNIX socket.</summary>
    public static ValueError? UnixFile(ListenerSpec spec) =>
        Unix(spec) ?? (spec.Address.IsAbstract
            ? Cannot(spec, "an abstract socket has no file, and so no owner and no permissions")
            : null);

    /// <summary>Datagrams over IPv4 or IPv6.</summary>
    public static ValueError? Datagram(ListenerSpec spec) =>
        spec.Address.Kind == ListenerKind.Udp ? null : Cannot(spec, "only a UDP socket has this setting");

    private static ValueError Cannot(ListenerSpec spec, string reason) =>
        new($"cannot apply to {spec.Address}: {reason}", "remove the setting");
}
