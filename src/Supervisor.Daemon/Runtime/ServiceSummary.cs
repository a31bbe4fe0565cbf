using System.Globalization;

namespace Supervisor.Daemon.Runtime;

/// <summary>What the summary says of one service.</summary>
/// <param name="Name">The service.</param>
/// <param name="State">Its state in the words of the public interface.</param>
/// <param name="IsReady">Whether all workers that it should have are ready.</param>
/// <param name="Workers">How many workers it has, also those that drain.</param>
internal readonly record struct ServiceStanding(string Name, string State, bool IsReady, int Workers);

/// <summary>
/// How many services are ready, and which of them need a look, in one line. Looks only at the services that have changed, so the line
/// costs the same with ten services and with thousands. On the loop.
/// </summary>
/// <param name="look">What is said of a service now.</param>
internal sealed class ServiceSummary<TService>(Func<TService, ServiceStanding> look)
    where TService : notnull
{
    /// <summary>How many services of one kind the line names.</summary>
    private const int MostNames = 3;

    /// <summary>The states whose services are named, in the order of the line.</summary>
    private static readonly (string State, string One, string Many)[] Named =
    [
        ("rolling", "rolls out", "roll out"),
        ("degraded", "is degraded", "are degraded"),
        ("failed", "failed", "failed"),
    ];

    private readonly Dictionary<TService, (int Place, ServiceStanding Standing)> _known = [];
    private readonly HashSet<TService> _changed = [];
    private readonly SortedDictionary<int, string>[] _named = [.. Named.Select(_ => new SortedDictionary<int, string>())];
    private int _places;
    private int _workers;
    private int _started;
    private int _ready;

    /// <summary>A service is new or may have changed.</summary>
    public void Note(TService service) => _changed.Add(service);

    /// <summary>A service does not exist any more.</summary>
    public void Remove(TService service)
    {
        _changed.Remove(service);
        if (_known.Remove(service, out var known))
        {
            Count(known.Place, known.Standing, -1);
        }
    }

    /// <summary>The line of a daemon that serves, such as "3 of 4 services ready; api rolls out".</summary>
    public string Serving()
    {
        LookAgain();
        return string.Join("; ", Parts());

        IEnumerable<string> Parts()
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{_ready} of {Number(_started, "service")} ready");
            for (var i = 0; i < Named.Length; i++)
            {
                var (names, (_, one, many)) = (_named[i], Named[i]);
                if (names.Count > 0)
                {
                    yield return names.Count == 1 ? $"{names.Values.First()} {one}"
                        : names.Count <= MostNames ? $"{string.Join(", ", names.Values)} {many}"
                        : string.Create(CultureInfo.InvariantCulture, $"{names.Count} {many}");
                }
            }
        }
    }

    /// <summary>The line of a daemon that stops.</summary>
    public string Stopping()
    {
        LookAgain();
        return $"stopping; {Number(_workers, "worker")} left";
    }

    private void LookAgain()
    {
        foreach (var service in _changed)
        {
            var place = ++_places;
            if (_known.TryGetValue(service, out var known))
            {
                place = known.Place;
                Count(place, known.Standing, -1);
            }

            var standing = look(service);
            _known[service] = (place, standing);
            Count(place, standing, 1);
        }

        _changed.Clear();
    }

    private void Count(int place, ServiceStanding standing, int sign)
    {
        _workers += sign * standing.Workers;
        if (standing.State is not ("stopped" or "stopping"))
        {
            _started += sign;
            _ready += standing.IsReady ? sign : 0;
        }

        var at = Array.FindIndex(Named, named => named.State == standing.State);
        if (at >= 0 && sign > 0)
        {
            _named[at].Add(place, standing.Name);
        }
        else if (at >= 0)
        {
            _named[at].Remove(place);
        }
    }

    private static string Number(int number, string word) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {word}{(number == 1 ? "" : "s")}");
}
