using System.Collections.Immutable;
using Supervisor.Core.Listeners.Plan;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>Listeners of one configuration that cannot all be bound, found by <see cref="BindConflictModel"/> before the kernel is asked.</summary>
public static class ConfigConflicts
{
    /// <summary>Each listener that an earlier one leaves no room for, with that one.</summary>
    /// <param name="specs">The listeners in the order in which they are made.</param>
    /// <param name="device">The number of an interface by its name; 0 for none.</param>
    public static IEnumerable<(ListenerSpec Spec, ListenerSpec Other)> Find(ImmutableArray<ListenerSpec> specs, Func<string, uint> device)
    {
        for (var i = 1; i < specs.Length; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (Exclude(specs[i], specs[j], device))
                {
                    yield return (specs[i], specs[j]);
                    break;
                }
            }
        }
    }

    private static bool Exclude(ListenerSpec spec, ListenerSpec other, Func<string, uint> device)
    {
        if (!spec.Address.Kind.IsInternet() || !other.Address.Kind.IsInternet())
        {
            // Paths are the file system's, whatever the type; abstract names are apart for each type.
            return spec.Address.Path is not null && spec.Address.Path == other.Address.Path && spec.Address.IsAbstract == other.Address.IsAbstract
                && (!spec.Address.IsAbstract || spec.Address.Kind == other.Address.Kind);
        }

        return spec.Address.Port != 0 && BindConflictModel.Bind(Socket(spec, device), [Socket(other, device) with { State = Reached(other) }]) is { Holder: not null };
    }

    private static BoundSocket Socket(ListenerSpec spec, Func<string, uint> device) =>
        BindRequest.Socket(spec, ListenerPlan.Domains(spec.Address)[0], uid: 0, (spec.Bind.Device ?? spec.Address.Scope) is { } name ? device(name) : 0);

    private static BoundState Reached(ListenerSpec spec) => spec.Address.Kind.Listens() ? BoundState.Listening : BoundState.Bound;
}
