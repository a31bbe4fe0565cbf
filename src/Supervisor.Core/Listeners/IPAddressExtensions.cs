using System.Net;
using System.Net.Sockets;

namespace Supervisor.Core.Listeners;

/// <summary>Facts about IP addresses.</summary>
public static class IPAddressExtensions
{
    /// <summary>Whether it is a multicast address: 224.0.0.0/4 (RFC 5771) or ff00::/8 (RFC 4291).</summary>
    public static bool IsMulticast(this IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6
        ? address.IsIPv6Multicast
        : address.GetAddressBytes()[0] is >= 224 and <= 239;
}
