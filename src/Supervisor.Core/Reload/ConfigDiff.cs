using System.Collections.Immutable;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Core.Reload;

/// <summary>
/// The difference between what runs and what a configuration asks for. Pure: nothing is made, and the kernel is not asked.
/// </summary>
/// <remarks>
/// A listener is its address: clients know it by its address, and only one listener can have it. Listeners are paired in three
/// rounds: same name and address; then same address, which is a new name; then same name, which is a move to another address.
/// So two listeners that exchange their addresses only exchange their names, and no socket is made.
/// </remarks>
public sealed record ConfigDiff
{
    private ConfigDiff(ImmutableArray<ListenerDiff> listeners, ImmutableArray<ServiceDiff> services)
    {
        Listeners = listeners;
        Services = services;
    }

    /// <summary>The listeners in the order of the new configuration, then the removed listeners.</summary>
    public ImmutableArray<ListenerDiff> Listeners { get; }

    /// <summary>The services in the order of the new configuration, then the removed services.</summary>
    public ImmutableArray<ServiceDiff> Services { get; }

    /// <summary>Whether nothing changes.</summary>
    public bool IsEmpty => Listeners.All(listener => listener.IsUnchanged) && Services.All(service => service.IsUnchanged);

    /// <summary>Compares.</summary>
    /// <param name="listenersBefore">The listeners that exist.</param>
    /// <param name="servicesBefore">The present specifications of the services that exist.</param>
    /// <param name="listeners">The new listeners.</param>
    /// <param name="services">The new services.</param>
    /// <param name="mixed">Services with workers of another specification than the present one, which no roll-out is going to
    /// replace.</param>
    public static ConfigDiff Between(
        IReadOnlyList<ListenerSpec> listenersBefore,
        IReadOnlyList<ServiceSpec> servicesBefore,
        IReadOnlyList<ListenerSpec> listeners,
        IReadOnlyList<ServiceSpec> services,
        IReadOnlyCollection<string>? mixed = null)
    {
        var left = listenersBefore.ToList();
        var partner = new Dictionary<string, ListenerSpec>(StringComparer.Ordinal);
        Pair((before, after) => before.Name == after.Name && before.Address == after.Address);

        // Port 0 is any port: it does not identify a listener.
        Pair((before, after) => before.Address == after.Address && !(before.Address.Kind.IsInternet() && before.Address.Port == 0));
        Pair((before, after) => before.Name == after.Name);

        ImmutableArray<ListenerDiff> listenerDiffs =
        [
            .. listeners.Select(after => new ListenerDiff(partner.GetValueOrDefault(after.Name), after)),
            .. left.Select(before => new ListenerDiff(before, null)),
        ];

        // Listeners that get another socket, by the name that services list.
        var moved = listenerDiffs.Where(diff => diff.NeedsNewSocket).Select(diff => diff.Name).ToHashSet(StringComparer.Ordinal);

        // Names that now belong to another listener.
        var exchanged = listenerDiffs
            .Where(diff => diff is { IsRenamed: true, After: not null } && listenersBefore.Any(before => before.Name == diff.Name))
            .Select(diff => diff.Name);
        moved.UnionWith(exchanged);

        // Names of removed listeners that unrelated new listeners have.
        moved.UnionWith(listenerDiffs
            .Where(diff => diff.Before is null && listenersBefore.Any(before => before.Name == diff.Name))
            .Select(diff => diff.Name));
        return new ConfigDiff(
            listenerDiffs,
            [
                .. services.Select(after => new ServiceDiff(
                    servicesBefore.FirstOrDefault(before => before.Name == after.Name),
                    after,
                    [.. after.Listeners.Where(moved.Contains)],
                    mixed?.Contains(after.Name) == true)),
                .. servicesBefore
                    .Where(before => !services.Any(after => after.Name == before.Name))
                    .Select(before => new ServiceDiff(before, null, [])),
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
