using System.Net.Sockets;
using Supervisor.Core.Listeners;

namespace Supervisor.Config.Settings;

/// <summary>Which listeners a setting makes sense for: each returns why this one cannot have it, or null.</summary>
internal static class Applicability
{
    /// <summary>Options that only accepted TCP connections have.</summary>
    public static ValueError? AcceptedTcp(ListenerSpec spec) => spec.Address.Kind switch
    {
        { } kind when !kind.Listens() => Cannot(spec, $"a {kind.Scheme()}:// socket accepts no connections"),
        { } kind when !kind.SpeaksTcp() => Cannot(spec, $"it is an option of TCP, and {kind.Scheme()}:// is not TCP"),
        _ => null,
    };

    /// <summary>The accept queue.</summary>
    public static ValueError? AcceptQueue(ListenerSpec spec) => spec.Address.Kind.Listens()
        ? null
        : Cannot(spec, $"listen() is never called on a {spec.Address.Kind.Scheme()}:// socket, which has no accept queue");

    /// <summary>TCP's options of the accept queue.</summary>
    public static ValueError? TcpQueue(ListenerSpec spec) => AcceptQueue(spec) ?? AcceptedTcp(spec);

    /// <summary>Options of IPv4 and IPv6 sockets.</summary>
    public static ValueError? Internet(ListenerSpec spec) => spec.Address.Kind.IsInternet()
        ? null
        : Cannot(spec, "only an IPv4 or IPv6 socket has it");

    /// <summary>Options of IPv6 sockets.</summary>
    public static ValueError? IPv6(ListenerSpec spec) => spec.Address switch
    {
        { Kind: var kind } when !kind.IsInternet() => Cannot(spec, "only an IPv6 socket has it"),
        { Host.AddressFamily: AddressFamily.InterNetwork } =>
            Cannot(spec, "the address is an IPv4 address, and only an IPv6 socket has it"),
        _ => null,
    };

    /// <summary>Options of every UNIX socket.</summary>
    public static ValueError? Unix(ListenerSpec spec) => spec.Address.Kind.IsUnix() ? null : Cannot(spec, "only a UNIX socket has it");

    /// <summary>The file of a UNIX socket.</summary>
    public static ValueError? UnixFile(ListenerSpec spec) =>
        Unix(spec) ?? (spec.Address.IsAbstract
            ? Cannot(spec, "an abstract name is no file: it has no owner and no permissions, and ends with its socket")
            : null);

    /// <summary>Datagrams over IPv4 or IPv6.</summary>
    public static ValueError? Datagram(ListenerSpec spec) => spec.Address.Kind switch
    {
        ListenerKind.Udp => null,
        ListenerKind.UnixDatagram => Cannot(spec, "only a UDP socket has it"),
        _ => Cannot(spec, "it is for datagrams, and this is a stream or seqpacket socket"),
    };

    private static ValueError Cannot(ListenerSpec spec, string reason) => new($"cannot apply to {spec.Address}: {reason}", "remove the setting");
}
