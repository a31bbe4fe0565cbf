using System.Net.Sockets;
using Supervisor.Core.Listeners;

namespace Supervisor.Config.Settings;

/// <summary>The listeners to which a setting can apply. Each method returns why it cannot apply to a listener, or null.</summary>
internal static class Applicability
{
    /// <summary>Options of accepted TCP connections.</summary>
    public static ValueError? AcceptedTcp(ListenerSpec spec) => spec.Address.Kind switch
    {
        { } kind when !kind.Listens() => Cannot(spec, $"{Noun(kind)} accepts no connections"),
        { } kind when !kind.SpeaksTcp() => Cannot(spec, "only a TCP socket has this setting"),
        _ => null,
    };

    /// <summary>The accept queue.</summary>
    public static ValueError? AcceptQueue(ListenerSpec spec) => spec.Address.Kind.Listens()
        ? null
        : Cannot(spec, $"{Noun(spec.Address.Kind)} has no accept queue");

    /// <summary>TCP's options of the accept queue.</summary>
    public static ValueError? TcpQueue(ListenerSpec spec) => AcceptQueue(spec) ?? AcceptedTcp(spec);

    /// <summary>Options of IPv4 and IPv6 sockets.</summary>
    public static ValueError? Internet(ListenerSpec spec) => spec.Address.Kind.IsInternet()
        ? null
        : Cannot(spec, "only an IPv4 or IPv6 socket has this setting");

    /// <summary>Sockets that belong to a network namespace.</summary>
    public static ValueError? Namespaced(ListenerSpec spec) => spec.Address.Kind == ListenerKind.Vsock || !spec.Address.Kind.IsSocket()
        ? Cannot(spec, $"{Noun(spec.Address.Kind)} belongs to no network namespace")
        : null;

    /// <summary>Several sockets of one address.</summary>
    public static ValueError? Shards(ListenerSpec spec) => spec.Address.Kind == ListenerKind.Sctp
        ? Cannot(spec, "listend shares only TCP and UDP addresses among sockets")
        : Internet(spec);

    /// <summary>Steering; <c>none</c> applies everywhere.</summary>
    public static ValueError? Steering(ListenerSpec spec) => spec.Steering == SteeringMode.None ? null : Shards(spec);

    /// <summary>Options of IPv6 sockets.</summary>
    public static ValueError? IPv6(ListenerSpec spec) => spec.Address switch
    {
        { Kind: var kind } when !kind.IsInternet() => Cannot(spec, "only an IPv6 socket has this setting"),
        { Host.AddressFamily: AddressFamily.InterNetwork } =>
            Cannot(spec, "the address is an IPv4 address, and only an IPv6 socket has this setting"),
        _ => null,
    };

    /// <summary>Options of every socket: what is opened like a file has none.</summary>
    public static ValueError? Socket(ListenerSpec spec) =>
        spec.Address.Kind.IsSocket() ? null : Cannot(spec, $"{Noun(spec.Address.Kind)} is not a socket");

    /// <summary>Owner and mode of what listend makes: a file, or a message queue.</summary>
    public static ValueError? Owned(ListenerSpec spec) => spec.Address.Kind switch
    {
        ListenerKind.Fifo or ListenerKind.MessageQueue => null,
        ListenerKind.Special => Cannot(spec, "listend does not make this file, and does not change its owner or mode"),
        _ => UnixFile(spec),
    };

    /// <summary>The file of a UNIX socket, or a FIFO.</summary>
    public static ValueError? OwnFile(ListenerSpec spec) => spec.Address.Kind switch
    {
        ListenerKind.Fifo => null,
        { } kind when !kind.IsSocket() => Cannot(spec, "only a UNIX socket and a FIFO have this setting"),
        _ => UnixFile(spec),
    };

    /// <summary>Options of UNIX and netlink sockets.</summary>
    public static ValueError? Local(ListenerSpec spec) => spec.Address.Kind == ListenerKind.Netlink ? null : Unix(spec);

    /// <summary>Options of a FIFO.</summary>
    public static ValueError? Fifo(ListenerSpec spec) => Only(spec, ListenerKind.Fifo);

    /// <summary>Options of a message queue.</summary>
    public static ValueError? Queue(ListenerSpec spec) => Only(spec, ListenerKind.MessageQueue);

    /// <summary>Options of a special file.</summary>
    public static ValueError? Special(ListenerSpec spec) => Only(spec, ListenerKind.Special);

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

    private static ValueError? Only(ListenerSpec spec, ListenerKind kind) =>
        spec.Address.Kind == kind ? null : Cannot(spec, $"only {Noun(kind)} has this setting");

    private static string Noun(ListenerKind kind) =>
        $"{(kind is ListenerKind.MessageQueue or ListenerKind.Sctp ? "an" : "a")} {kind.Scheme()}:// {(kind.IsSocket() ? "socket" : "listener")}";

    private static ValueError Cannot(ListenerSpec spec, string reason) =>
        new($"cannot apply to {spec.Address}: {reason}", "remove the setting");
}
