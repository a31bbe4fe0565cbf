using System.Net.Sockets;
using Supervisor.Core.Listeners;
using Supervisor.Core.Workers;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Kernel;

/// <summary>Finds the listener of an internet socket by its local end.</summary>
internal sealed class LocalAddresses
{
    private readonly Dictionary<Local, string> _names = [];

    /// <summary>The listeners by name, with effective internet addresses. Of two with one address the first one counts.</summary>
    public LocalAddresses(IEnumerable<(string Name, ListenAddress Address)> listeners)
    {
        foreach (var (name, address) in listeners)
        {
            _names.TryAdd(Local.Of(address), name);
        }
    }

    /// <summary>Whether there is no listener.</summary>
    public bool IsEmpty => _names.Count == 0;

    /// <summary>The ports of the listeners.</summary>
    public IEnumerable<ushort> Ports => _names.Keys.Select(local => local.Port);

    /// <summary>The families to ask for: a listener for IPv4 accepts no other connections, and each dump walks a table.</summary>
    public ReadOnlySpan<byte> Families => _names.Keys.Any(local => local.IsIPv6) ? [AF_INET, AF_INET6] : [AF_INET];

    /// <summary>
    /// The listener of a port that has that local address, or else the listener on the wildcard; null if there is none. If two of them
    /// differ in family, the one of the socket's family: an accepted socket keeps its listener's.
    /// </summary>
    public string? Find(ConnectionPeer end, bool isIPv6)
    {
        var local = new Local(end.Port, end.Address, isIPv6);
        var other = local with { IsIPv6 = !isIPv6 };
        return _names.GetValueOrDefault(local) ?? _names.GetValueOrDefault(local with { Address = 0 })
            ?? _names.GetValueOrDefault(other) ?? _names.GetValueOrDefault(other with { Address = 0 });
    }

    /// <summary>The local end of a listener or a connection; the address of a wildcard is 0.</summary>
    private readonly record struct Local(ushort Port, UInt128 Address, bool IsIPv6)
    {
        public static Local Of(ListenAddress address) => new(
            (ushort)address.Port,
            address.Host is not { } host || address.IsWildcard ? 0 : ConnectionPeer.Number(host),
            address.Host is not { AddressFamily: AddressFamily.InterNetwork });
    }
}
