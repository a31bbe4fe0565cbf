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
    /// <summary>Reads the socket; null if it is not a socket, or of a kind that a listener cannot have.</summary>
    public static SocketIdentity? Read(DescriptorHandle descriptor)
    {
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
            (AF_VSOCK, SOCK_STREAM, _) => (ListenerKind.Vsock, SocketDomain.Vsock),
            _ => null,
        };
        if (known is not { } found)
        {
            return null;
        }

        Span<byte> raw = stackalloc byte[Sockaddr.MaxLength];
        var address = Sockets.GetSocketName(descriptor, raw, out var length) is null ? Sockaddr.Decode(found.Kind, raw[..length]) : null;
        Sockets.GetInt32(descriptor, SOL_SOCKET, SO_ACCEPTCONN, out var listening);
        return new SocketIdentity(found.Kind, found.Domain, address, listening != 0);
    }

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

        return !requested.Kind.IsUnix() && requested.Port == 0
            ? requested.WithPort(Address.Port) == Address
            : requested == Address;
    }
}
