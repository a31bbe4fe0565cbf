using Supervisor.Core.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Steering;

/// <summary>The maps of one listener. The owner disposes them; the kernel keeps what the attached program uses.</summary>
internal sealed class SteeringMaps : IDisposable
{
    // enum bpf_map_type, linux/bpf.h.
    private const int Hash = 1;
    private const int Array = 2;
    private const int LruHash = 9;
    private const int ReusePortSockets = 20;

    /// <summary>Cookies of connection ids: each worker gets one, and so does its successor after a crash.</summary>
    private const int MostCookies = 4 * SteeringTerms.MostSockets;

    private readonly Dictionary<string, DescriptorHandle> _all;

    private SteeringMaps(Dictionary<string, DescriptorHandle> all) => _all = all;

    /// <summary>Their names, which are also the ends of their keys in the state.</summary>
    public static IReadOnlyList<string> Names { get; } = ["config", "routes", "slots", "sockets", "flows", "cookies"];

    public DescriptorHandle Config => _all["config"];

    public DescriptorHandle Routes => _all["routes"];

    public DescriptorHandle Slots => _all["slots"];

    public DescriptorHandle Sockets => _all["sockets"];

    /// <summary>The recorded flows; only with affinity.</summary>
    public DescriptorHandle? Flows => _all.GetValueOrDefault("flows");

    /// <summary>The cookies; only with affinity by connection id.</summary>
    public DescriptorHandle? Cookies => _all.GetValueOrDefault("cookies");

    /// <summary>The descriptors by name.</summary>
    public IReadOnlyDictionary<string, DescriptorHandle> All => _all;

    /// <summary>Creates the maps; null, without any, if the kernel refuses one.</summary>
    public static SteeringMaps? Create(SteeringTerms terms, out SystemCallError? error)
    {
        var made = new Dictionary<string, DescriptorHandle>(StringComparer.Ordinal);
        error = null;
        foreach (var (name, type, key, value, entries) in Wanted(terms))
        {
            if (Bpf.CreateMap(type, key, value, entries, name, out error) is not { } map)
            {
                break;
            }

            made.Add(name, map);
        }

        if (error is null)
        {
            return new SteeringMaps(made);
        }

        Close(made.Values);
        return null;
    }

    /// <summary>Continues with a predecessor's maps; null if one of those that are needed is missing.</summary>
    public static SteeringMaps? Restore(SteeringTerms terms, IReadOnlyDictionary<string, DescriptorHandle> given)
    {
        var wanted = Wanted(terms).Select(map => map.Name).ToArray();
        if (!wanted.All(given.ContainsKey))
        {
            return null;
        }

        return new SteeringMaps(wanted.ToDictionary(name => name, name => given[name], StringComparer.Ordinal));
    }

    /// <summary>
    /// The maps for other terms: the same sockets and tables. A map of flows of another size gets the present flows.
    /// </summary>
    public SteeringMaps? With(SteeringTerms before, SteeringTerms after, out SystemCallError? error)
    {
        var all = new Dictionary<string, DescriptorHandle>(StringComparer.Ordinal);
        error = null;
        foreach (var (name, type, key, value, entries) in Wanted(after))
        {
            var isSame = _all.ContainsKey(name) && (name != "flows" || before.Affinity?.Flows == after.Affinity?.Flows);
            if ((isSame ? _all[name] : Bpf.CreateMap(type, key, value, entries, name, out error)) is not { } map)
            {
                break;
            }

            all.Add(name, map);
        }

        var made = new SteeringMaps(all);
        if (error is not null)
        {
            made.DisposeOwn(this);
            return null;
        }

        if (Flows is { } from && made.Flows is { } into && from != into)
        {
            FlowReader.Copy(from, into);
        }

        return made;
    }

    /// <summary>Disposes the maps that <paramref name="other"/> does not use.</summary>
    public void DisposeOwn(SteeringMaps other) => Close(_all.Values.Where(map => !other._all.ContainsValue(map)));

    /// <inheritdoc/>
    public void Dispose() => Close(_all.Values);

    private static IEnumerable<(string Name, int Type, int Key, int Value, int Entries)> Wanted(SteeringTerms terms)
    {
        yield return ("config", Array, SteeringLayout.IndexSize, SteeringLayout.ConfigSize, 1);
        yield return ("routes", Array, SteeringLayout.IndexSize, SteeringLayout.RouteSize, 2);
        yield return ("slots", Array, SteeringLayout.IndexSize, SteeringLayout.SlotSize, SteeringTerms.MostSockets);
        yield return ("sockets", ReusePortSockets, SteeringLayout.IndexSize, SteeringLayout.SocketSize, SteeringTerms.MostSockets);
        if (terms.Affinity is { } affinity)
        {
            yield return ("flows", LruHash, SteeringLayout.FlowKeySize, SteeringLayout.FlowSize, affinity.Flows);
            if (affinity.By == AffinityKind.QuicConnectionId)
            {
                yield return ("cookies", Hash, SteeringLayout.CookieSize, SteeringLayout.CookieValueSize, MostCookies);
            }
        }
    }

    private static void Close(IEnumerable<DescriptorHandle> maps)
    {
        foreach (var map in maps)
        {
            map.Dispose();
        }
    }
}
