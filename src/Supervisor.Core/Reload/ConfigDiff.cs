using System.Collections.Immutable;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Core.Reload;

/// <summary>
/// What lies between what runs and what a configuration asks for. Pure: nothing is made, nothing is asked of the kernel.
/// </summary>
/// <remarks>
/// A listener is its address: that is what clients know it by, and what only one can have. So listeners of the same name
/// and address are the same; of those that are left, the ones of the same address are too, renamed; and only then the
/// ones of the same name, moved to another address. Two listeners that exchange their addresses thus exchange their
/// names, and no socket is made.
/// </remarks>
public sealed record ConfigDiff
{
    private ConfigDiff(ImmutableArray<ListenerDiff> listeners, ImmutableArray<ServiceDiff> services)
    {
        Listeners = listeners;
        Services = services;
    }

    /// <summary>The listeners in the order of the new configuration, then those that it does not have any more.</summary>
    public ImmutableArray<ListenerDiff> Listeners { get; }

    /// <summary>The services in the order of the new configuration, then those that it does not have any more.</summary>
    public ImmutableArray<ServiceDiff> Services { get; }

    /// <summary>Whether nothing changes.</summary>
    public bool IsEmpty => Listeners.All(listener => listener.IsUnchanged) && Services.All(service => service.IsUnchanged);

    /// <summary>Compares.</summary>
    /// <param name="listenersBefore">The listeners that there are.</param>
    /// <param name="servicesBefore">What was last asked of the services that there are.</param>
    /// <param name="listeners">The listeners that are asked for.</param>
    /// <param name="services">The services that are asked for.</param>
    /// <param name="mixed">Names of services of which some workers are not what was last asked for, and no roll-out is there to change that.</param>
    public static ConfigDiff Between(
        IReadOnlyList<ListenerSpec> listenersBefore, IReadOnlyList<ServiceSpec> servicesBefore, IReadOnlyList<ListenerSpec> listeners, IReadOnlyList<ServiceSpec> services,
        IReadOnlyCollection<string>? mixed = null)
    {
        var left = listenersBefore.ToList();
        var partner = new Dictionary<string, ListenerSpec>(StringComparer.Ordinal);
        Pair((before, after) => before.Name == after.Name && before.Address == after.Address);

        // Port 0 is any address, and says nothing about who is who.
        Pair((before, after) => before.Address == after.Address && !(before.Address.Kind.IsInternet() && before.Address.Port == 0));
        Pair((before, after) => before.Name == after.Name);

        ImmutableArray<ListenerDiff> listenerDiffs =
        [
            .. listeners.Select(after => new ListenerDiff(partner.GetValueOrDefault(after.Name), after)),
            .. left.Select(before => new ListenerDiff(before, null)),
        ];

        // A listener that got another socket: by whose name the service asks for it.
        var moved = listenerDiffs.Where(diff => diff.NeedsNewSocket).Select(diff => diff.Name).ToHashSet(StringComparer.Ordinal);

        // A name that stays, and stands for another listener now.
        var exchanged = listenerDiffs.Where(diff => diff is { IsRenamed: true, After: not null } && listenersBefore.Any(before => before.Name == diff.Name)).Select(diff => diff.Name);
        moved.UnionWith(exchanged);

        // The name of one that is gone, and of an unrelated one that is new.
        moved.UnionWith(listenerDiffs.Where(diff => diff.Before is null && listenersBefore.Any(before => before.Name == diff.Name)).Select(diff => diff.Name));
        return new ConfigDiff(
            listenerDiffs,
            [
                .. services.Select(after => new ServiceDiff(
                    servicesBefore.FirstOrDefault(before => before.Name == after.Name), after, [.. after.Listeners.Where(moved.Contains)], mixed?.Contains(after.Name) == true)),
                .. servicesBefore.Where(before => !services.Any(after => after.Name == before.Name)).Select(before => new ServiceDiff(before, null, [])),
            ]);

        void Pair(Func<ListenerSpec, ListenerSpec, bool> same)
        {
            foreach (var after in listeners.Where(after => !partner.ContainsKey(after.Name)))
            {
                var index = left.FindIndex(before => same(before, after));
                if (index >= 0)
                {
                    partner.Add(after.Name, left[index]);
                    left.RemoveAt(index);
                }
            }
        }
    }
}
