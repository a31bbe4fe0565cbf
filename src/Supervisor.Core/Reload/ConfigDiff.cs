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
        var partner = Pair(listenersBefore, listeners);
        var paired = partner.Values.ToHashSet<ListenerSpec>(ReferenceEqualityComparer.Instance);

        ImmutableArray<ListenerDiff> listenerDiffs =
        [
            .. listeners.Select(after => new ListenerDiff(partner.GetValueOrDefault(after.Name), after)),
            .. listenersBefore.Where(before => !paired.Contains(before)).Select(before => new ListenerDiff(before, null)),
        ];

        // Listeners that get another socket, by the name that services list.
        var moved = listenerDiffs.Where(diff => diff.NeedsNewSocket).Select(diff => diff.Name).ToHashSet(StringComparer.Ordinal);

        // Names that now belong to another listener.
        var namesBefore = listenersBefore.Select(before => before.Name).ToHashSet(StringComparer.Ordinal);
        var exchanged = listenerDiffs
            .Where(diff => diff is { IsRenamed: true, After: not null } && namesBefore.Contains(diff.Name))
            .Select(diff => diff.Name);
        moved.UnionWith(exchanged);

        // Names of removed listeners that unrelated new listeners have.
        moved.UnionWith(listenerDiffs
            .Where(diff => diff.Before is null && namesBefore.Contains(diff.Name))
            .Select(diff => diff.Name));
        var serviceBefore = servicesBefore.ToDictionary(before => before.Name, StringComparer.Ordinal);
        var namesAfter = services.Select(after => after.Name).ToHashSet(StringComparer.Ordinal);
        return new ConfigDiff(
            listenerDiffs,
            [
                .. services.Select(after => new ServiceDiff(
                    serviceBefore.GetValueOrDefault(after.Name),
                    after,
                    [.. after.Listeners.Where(moved.Contains)],
                    mixed?.Contains(after.Name) == true)),
                .. servicesBefore.Where(before => !namesAfter.Contains(before.Name)).Select(before => new ServiceDiff(before, null, [])),
            ]);
    }

    /// <summary>The listener that each new one continues, by the new one's name; in each round the first that is left.</summary>
    private static Dictionary<string, ListenerSpec> Pair(IReadOnlyList<ListenerSpec> before, IReadOnlyList<ListenerSpec> after)
    {
        var partner = new Dictionary<string, ListenerSpec>(StringComparer.Ordinal);
        var taken = new HashSet<ListenerSpec>(ReferenceEqualityComparer.Instance);

        // Most keep both. A name is there once.
        var named = before.ToDictionary(spec => spec.Name, StringComparer.Ordinal);
        foreach (var spec in after)
        {
            if (named.TryGetValue(spec.Name, out var same) && same.Address == spec.Address && partner.TryAdd(spec.Name, same))
            {
                taken.Add(same);
            }
        }

        if (partner.Count < after.Count && taken.Count < before.Count)
        {
            // Port 0 is any port: it does not identify a listener.
            Round(spec => spec.Address.Kind.IsInternet() && spec.Address.Port == 0 ? null : spec.Address);
            Round(spec => spec.Name);
        }

        return partner;

        void Round(Func<ListenerSpec, object?> key)
        {
            var left = new Dictionary<object, Queue<ListenerSpec>>();
            foreach (var spec in before.Where(spec => !taken.Contains(spec)))
            {
                if (key(spec) is { } known)
                {
                    (left.TryGetValue(known, out var others) ? others : left[known] = new()).Enqueue(spec);
                }
            }

            foreach (var spec in after.Where(spec => !partner.ContainsKey(spec.Name)))
            {
                if (key(spec) is { } known && left.TryGetValue(known, out var others) && others.TryDequeue(out var found))
                {
                    partner.Add(spec.Name, found);
                    taken.Add(found);
                }
            }
        }
    }
}
