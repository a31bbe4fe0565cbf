using System.Net;
using System.Net.Sockets;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>The properties of a socket that the kernel's conflict rules use. One network namespace, no VRF.</summary>
public sealed record BoundSocket
{
    private readonly IPAddress _address = IPAddress.Any;
    private readonly bool _v6Only;

    /// <summary>The port space.</summary>
    public required PortSpace Space { get; init; }

    /// <summary>
    /// The local address, sk_rcv_saddr: as given to bind(), and after connect() on a wildcard the address that the route
    /// selected. Its family is the socket's; an IPv4 address on an IPv6 socket has the mapped form.
    /// </summary>
    public required IPAddress Address
    {
        get => _address;
        init => _address = value.AddressFamily == AddressFamily.InterNetworkV6 && value.ScopeId != 0
            ? new IPAddress(value.GetAddressBytes())
            : value;
    }

    /// <summary>The port.</summary>
    public required ushort Port { get; init; }

    /// <summary>
    /// IPV6_V6ONLY. bind() to a concrete address that is not mapped sets it (net/ipv6/af_inet6.c, __inet6_bind), so it is true
    /// for those unless <see cref="KeepsV6Only"/>.
    /// </summary>
    public bool V6Only
    {
        get => _v6Only || (IsIPv6 && !KeepsV6Only && !IsMapped && !Address.Equals(IPAddress.IPv6Any));
        init => _v6Only = value;
    }

    /// <summary>
    /// Whether the address is from connect() or accept() instead of bind(), so that the wildcard socket's flag still applies: a
    /// connection of a dual-stack [::] conflicts with 0.0.0.0.
    /// </summary>
    public bool KeepsV6Only { get; init; }

    /// <summary>SO_REUSEADDR, its present value.</summary>
    public bool ReuseAddress { get; init; }

    /// <summary>SO_REUSEPORT, its present value.</summary>
    public bool ReusePort { get; init; }

    /// <summary>The user who made it: the inode's, which is the file system uid at socket() (normally the effective one).</summary>
    public uint Uid { get; init; }

    /// <summary>The interface of SO_BINDTODEVICE, or the scope of a link-local address; 0: none.</summary>
    public uint Device { get; init; }

    /// <summary>Its state.</summary>
    public BoundState State { get; init; }

    /// <summary>AF_INET6.</summary>
    public bool IsIPv6 => Address.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>::ffff:a.b.c.d.</summary>
    public bool IsMapped => IsIPv6 && Address.IsIPv4MappedToIPv6;

    /// <summary>Whether only IPv4 traffic reaches it.</summary>
    public bool IsIPv4Only => !IsIPv6 || IsMapped;

    /// <summary>Whether it is the wildcard of its kind: ::, 0.0.0.0 or ::ffff:0.0.0.0.</summary>
    public bool IsWildcard => IsIPv6 && !IsMapped ? Address.Equals(IPAddress.IPv6Any) : IPv4Address == 0;

    /// <summary>
    /// sk_rcv_saddr: the IPv4 address; 0 for a wildcard. A concrete IPv6 address has LOOPBACK4_IPV6 there, 127.0.0.6
    /// (net/ipv6/af_inet6.c, __inet6_bind; include/net/ipv6.h).
    /// </summary>
    internal uint IPv4Address
    {
        get
        {
            const uint loopback4IPv6 = 0x7F000006;
            Span<byte> bytes = stackalloc byte[16];
            Address.TryWriteBytes(bytes, out var length);
            if (length == 4)
            {
                return System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes);
            }

            return IsMapped ? System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes[12..])
                : Address.Equals(IPAddress.IPv6Any) ? 0
                : loopback4IPv6;
        }
    }
}
