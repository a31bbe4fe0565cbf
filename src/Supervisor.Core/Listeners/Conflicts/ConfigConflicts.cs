using System.Collections.Immutable;
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
        // Only listeners with the same port or path can conflict, so thousands of listeners are not all compared.
        var earlier = new Dictionary<(uint Port, string? Path), List<ListenerSpec>>();
        foreach (var spec in specs)
        {
            var key = (spec.Address.Kind.IsUnix() ? 0 : spec.Address.Port, spec.Address.Path);
            if (!earlier.TryGetValue(key, out var others))
            {
                earlier.Add(key, others = []);
            }
            else if (others.Find(other => Exclude(spec, other, device)) is { } first)
            {
                yield return (spec, first);
            }

            others.Add(spec);
        }
    }

    private static bool Exclude(ListenerSpec spec, ListenerSpec other, Func<string, uint> device)
    {
        var (address, held) = (spec.Address, other.Address);
        if (address.Kind.IsInternet() && held.Kind.IsInternet())
        {
            var wanted = BindRequest.Socket(spec, ListenerPlan.Domains(address)[0], uid: 0, BindRequest.Device(spec, device));
            var holder = BindRequest.Holder(other, ListenerPlan.Domains(held)[0], uid: 0, BindRequest.Device(other, device));
            return address.Port != 0 && BindConflictModel.Bind(wanted, [holder]) is { Holder: not null };
        }

        if (address.Path is not null)
        {
            // The file system has one name space for all socket types, abstract names have one for each type.
            return address.Path == held.Path && address.IsAbstract == held.IsAbstract && (!address.IsAbstract || address.Kind == held.Kind);
        }

        return address.Kind == ListenerKind.Vsock && address.Port != ListenAddress.VsockAny && address == held;
    }
}
