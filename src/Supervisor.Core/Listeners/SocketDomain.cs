using System.Text.Json.Serialization;

namespace Supervisor.Core.Listeners;

/// <summary>A socket's address family.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SocketDomain>))]
public enum SocketDomain
{
    /// <summary>AF_UNIX.</summary>
    Unix,

    /// <summary>AF_INET.</summary>
    IPv4,

    /// <summary>AF_INET6.</summary>
    IPv6,

    /// <summary>AF_VSOCK.</summary>
    Vsock,

    /// <summary>AF_NETLINK.</summary>
    Netlink,

    /// <summary>None: it is not a socket.</summary>
    None,
}
