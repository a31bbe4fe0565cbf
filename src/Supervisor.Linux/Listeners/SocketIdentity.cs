using Supervisor.Core.Listeners;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>What a descriptor from another process turns out to be.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Domain">Its family.</param>
/// <param name="Address">The address that it is bound to; null for none.</param>
/// <param name="IsListening">SO_ACCEPTCONN.</param>
public sealed record SocketIdentity(ListenerKind Kind, SocketDomain Domain, ListenAddress? Address, bool IsListening)
{
    /// <summary>
    /// Reads what it is; null if a listener cannot be of that kind. A FIFO and a message queue are recognised; a special file is
    /// only that of a listener which has it at its path (<see cref="OpenedFile"/>).
    /// </summary>
    public static SocketIdentity? Read(DescriptorHandle descriptor)
    {
        if (OpenedFile.Identify(descriptor) is { } opened)
        {
            return new SocketIdentity(opened.Kind, SocketDomain.None, opened, IsListening: false);
        }

        if (Sockets.GetInt32(descriptor, SOL_SOCKET, SO_DOMAIN, out var family) is not null
            || Sockets.GetInt32(descriptor, SOL_SOCKET, SO_TYPE, out var type) is not null
            || Sockets.GetInt32(descriptor, SOL_SOCKET, SO_PROTOCOL, out var protocol) is not null)
        {
            return null;
        }

        (ListenerKind Kind, SocketDomain Domain)? known = (family, type, protocol) switch
        {
            (AF_UNIX, SOCK_STREAM, _) => (ListenerKind.UnixStream, SocketDomain.Unix),
            (AF_UNIX, SOCK_DGRAM, _) => (ListenerKind.UnixDatagram, SocketDomain.Unix),
            (AF_UNIX, SOCK_SEQPACKET, _) => (ListenerKind.UnixSeqpacket, SocketDomain.Unix),
            (AF_INET, SOCK_STREAM, IPPROTO_TCP) => (ListenerKind.Tcp, SocketDomain.IPv4),
            (AF_INET6, SOCK_STREAM, IPPROTO_TCP) => (ListenerKind.Tcp, SocketDomain.IPv6),
            (AF_INET, SOCK_STREAM, IPPROTO_MPTCP) => (ListenerKind.Mptcp, SocketDomain.IPv4),
            (AF_INET6, SOCK_STREAM, IPPROTO_MPTCP) => (ListenerKind.Mptcp, SocketDomain.IPv6),
            (AF_INET, SOCK_DGRAM, IPPROTO_UDP) => (ListenerKind.Udp, SocketDomain.IPv4),
            (AF_INET6, SOCK_DGRAM, IPPROTO_UDP) => (ListenerKind.Udp, SocketDomain.IPv6),
            (AF_INET, SOCK_STREAM, IPPROTO_SCTP) => (ListenerKind.Sctp, SocketDomain.IPv4),
            (AF_INET6, SOCK_STREAM, IPPROTO_SCTP) => (ListenerKind.Sctp, SocketDomain.IPv6),
            (AF_NETLINK, SOCK_RAW or SOCK_DGRAM, _) => (ListenerKind.Netlink, SocketDomain.Netlink),
            (AF_VSOCK, SOCK_STREAM, _) => (ListenerKind.Vsock, SocketDomain.Vsock),
            _ => null,
        };
        if (known is not { } found)
        {
            return null;
        }

        Span<byte> raw = stackalloc byte[Sockaddr.MaxLength];
        ListenAddress? address = null;
        if (Sockets.GetSocketName(descriptor, raw, out var length) is null)
        {
            address = found.Kind == ListenerKind.Netlink
                ? Sockaddr.DecodeNetlink(protocol, raw[..length])
                : Sockaddr.Decode(found.Kind, raw[..length]);
        }

        Sockets.GetInt32(descriptor, SOL_SOCKET, SO_ACCEPTCONN, out var listening);
        return new SocketIdentity(found.Kind, found.Domain, address, listening != 0);
    }

    /// <summary>Whether a descriptor has the kind and address of <paramref name="requested"/> (<see cref="Matches"/>).</summary>
    public static bool IsOf(DescriptorHandle descriptor, ListenAddress requested) => requested.Kind.IsSocket()
        ? Read(descriptor)?.Matches(requested) == true
        : OpenedFile.Is(descriptor, requested);

    /// <summary>
    /// Whether it matches the kind and address of <paramref name="requested"/>; port 0 and <c>*</c> match any port and host.
    /// </summary>
    public bool Matches(ListenAddress requested)
    {
        if (Kind != requested.Kind || Address is null)
        {
            return false;
        }

        if (requested.IsAnyFamily)
        {
            return Address.IsWildcard && (requested.Port == 0 || requested.Port == Address.Port);
        }

        return requested.Port == 0 && (requested.Kind.IsInternet() || requested.Kind == ListenerKind.Vsock)
            ? requested.WithPort(Address.Port) == Address
            : requested == Address;
    }
}
