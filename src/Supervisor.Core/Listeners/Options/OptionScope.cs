namespace Supervisor.Core.Listeners.Options;

/// <summary>Which sockets have an option.</summary>
public enum OptionScope
{
    /// <summary>Every socket.</summary>
    Any,

    /// <summary>IPv4 and IPv6.</summary>
    Internet,

    /// <summary>IPv4 sockets, and IPv6 sockets for the IPv4 traffic that they also carry.</summary>
    IPv4,

    /// <summary>IPv6 sockets.</summary>
    IPv6,

    /// <summary>TCP and MPTCP.</summary>
    Tcp,

    /// <summary>UDP.</summary>
    Udp,

    /// <summary>UDP over IPv6.</summary>
    UdpIPv6,

    /// <summary>UNIX sockets.</summary>
    Unix,

    /// <summary>UNIX and netlink sockets.</summary>
    Local,
}
