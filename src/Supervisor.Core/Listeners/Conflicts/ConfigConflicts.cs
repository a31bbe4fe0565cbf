using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Supervisor.Core.Listeners.Plan;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>
/// Finds listeners of one configuration that cannot all be bound, by <see cref="BindConflictModel"/>. It does not ask the
/// kernel.
/// </summary>
public static class ConfigConflicts
{
    /// <summary>Each listener that conflicts with an earlier one, and the first such earlier listener.</summary>
    /// <param name="specs">The listeners in the order in which they are bound.</param>
    /// <param name="device">The number of an interface by its name; 0 for none. Two names have one number only if they are one
    /// interface.</param>
    public static IEnumerable<(ListenerSpec Spec, ListenerSpec Other)> Find(ImmutableArray<ListenerSpec> specs, Func<string, uint> device)
    {
        var places = new Dictionary<(uint Port, string? Path), Place>();
        for (var i = 0; i < specs.Length; i++)
        {
            var spec = specs[i];
            if (spec.Address.Kind.IsInternet() && spec.Address.Port == 0)
            {
                // Each gets a free port of its own.
                continue;
            }

            var key = (spec.Address.Kind.IsUnix() ? 0 : spec.Address.Port, spec.Address.Path);
            if (!places.TryGetValue(key, out var place))
            {
                places.Add(key, place = new Place());
            }

            var first = place.MayMeet(spec.Address).Where(other => Exclude(spec, specs[other], device)).DefaultIfEmpty(-1).Min();
            if (first >= 0)
            {
                yield return (spec, specs[first]);
            }

            place.Add(spec.Address, i);
        }
    }

    private static bool Exclude(ListenerSpec spec, ListenerSpec other, Func<string, uint> device)
    {
        var (address, held) = (spec.Address, other.Address);
        if (spec.NetworkNamespace != other.NetworkNamespace && !address.HasPath)
        {
            return false;
        }

        if ((address.Kind == ListenerKind.Sctp) != (held.Kind == ListenerKind.Sctp)
            || (address.Kind == ListenerKind.MessageQueue) != (held.Kind == ListenerKind.MessageQueue))
        {
            // SCTP has ports of its own, and message queues have names of their own.
            return false;
        }

        if (address.Kind.IsInternet() && held.Kind.IsInternet())
        {
            var wanted = BindRequest.Socket(spec, ListenerPlan.Domains(address)[0], uid: 0, BindRequest.Device(spec, device));
            var holder = BindRequest.Holder(other, ListenerPlan.Domains(held)[0], uid: 0, BindRequest.Device(other, device));
            return BindConflictModel.Bind(wanted, [holder]) is { Holder: not null };
        }

        if (address.Path is not null)
        {
            // The file system has one name space for all socket types, abstract names have one for each type.
            return address.Path == held.Path && address.IsAbstract == held.IsAbstract && (!address.IsAbstract || address.Kind == held.Kind);
        }

        return address.Kind == ListenerKind.Vsock && address.Port != ListenAddress.VsockAny && address == held;
    }

    /// <summary>
    /// The listeners of one port or path, by address: only those with the same address and those on a wildcard can conflict with a
    /// listener, so thousands of listeners are not all compared.
    /// </summary>
    private sealed class Place
    {
        private readonly List<int> _all = [];
        private readonly List<int> _wildcards = [];
        private readonly Dictionary<IPAddress, List<int>> _byAddress = [];

        /// <summary>The listeners that may conflict with one on this address, by index.</summary>
        public IEnumerable<int> MayMeet(ListenAddress address) =>
            address.Host is not { } host || IsWildcard(address) ? _all
            : _byAddress.TryGetValue(Plain(host), out var same) ? _wildcards.Concat(same)
            : _wildcards;

        public void Add(ListenAddress address, int index)
        {
            _all.Add(index);
            if (address.Host is not { } host || IsWildcard(address))
            {
                _wildcards.Add(index);
            }
            else if (_byAddress.TryGetValue(Plain(host), out var same))
            {
                same.Add(index);
            }
            else
            {
                _byAddress.Add(Plain(host), [index]);
            }
        }

        /// <summary>Also ::ffff:0.0.0.0, which binds every IPv4 address.</summary>
        private static bool IsWildcard(ListenAddress address) => address.IsWildcard || Plain(address.Host!).Equals(IPAddress.Any);

        /// <summary>The address without its scope; a mapped one is the IPv4 address, as in the kernel's comparison.</summary>
        private static IPAddress Plain(IPAddress host) =>
            host.IsIPv4MappedToIPv6 ? host.MapToIPv4()
            : host.AddressFamily == AddressFamily.InterNetworkV6 ? new IPAddress(host.GetAddressBytes())
            : host;
    }
}
