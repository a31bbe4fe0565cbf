using System.Collections.Immutable;

namespace Supervisor.Core.Services;

/// <summary>The order of services by <c>after</c>. Names of services that do not exist are ignored.</summary>
public static class StartOrder
{
    /// <summary>Each service after those that it comes after; otherwise the given order. Without effect within a cycle.</summary>
    public static ImmutableArray<T> Sort<T>(IReadOnlyList<T> services, Func<T, string> name, Func<T, IEnumerable<string>> after)
    {
        var byName = services.ToDictionary(name, StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var sorted = ImmutableArray.CreateBuilder<T>(services.Count);
        foreach (var service in services)
        {
            Visit(service);
        }

        return sorted.ToImmutable();

        void Visit(T service)
        {
            if (!seen.Add(name(service)))
            {
                return;
            }

            foreach (var other in after(service))
            {
                if (byName.TryGetValue(other, out var earlier))
                {
                    Visit(earlier);
                }
            }

            sorted.Add(service);
        }
    }

    /// <summary>
    /// The cycle that a service is part of, from that service to itself: <c>a, b, a</c>; empty if there is none. Of several
    /// cycles the shortest.
    /// </summary>
    public static ImmutableArray<string> CycleOf(string service, Func<string, IEnumerable<string>> after)
    {
        var cameFrom = new Dictionary<string, string>(StringComparer.Ordinal);
        var next = new Queue<string>([service]);
        while (next.TryDequeue(out var one))
        {
            foreach (var other in after(one))
            {
                if (other == service)
                {
                    return Path(one);
                }

                if (cameFrom.TryAdd(other, one))
                {
                    next.Enqueue(other);
                }
            }
        }

        return [];

        ImmutableArray<string> Path(string last)
        {
            var path = new List<string> { service };
            for (var at = last; at != service; at = cameFrom[at])
            {
                path.Insert(0, at);
            }

            path.Insert(0, service);
            return [.. path];
        }
    }
}
