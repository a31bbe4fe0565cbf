using Supervisor.Core.Listeners;
using Supervisor.Linux.Steering;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// How the kernel selects among the sockets of a listener. While a reload replaces its socket, the former handle and its successor share
/// it, so flows and workers of both are in one table. Lives on the loop.
/// </summary>
public sealed class ListenerSteering
{
    /// <summary>The most generations whose counters are kept after their last socket is closed.</summary>
    private const int MostGenerations = 16;

    /// <summary>How long a count of the flows is shown again: to count them, the daemon reads all of them.</summary>
    private static readonly TimeSpan CountAge = TimeSpan.FromSeconds(1);

    private readonly SortedDictionary<int, long> _selected = [];
    private readonly Dictionary<int, int> _live = [];
    private readonly List<ListenerHandle> _handles = [];
    private TimeSpan? _counted;
    private int _present;

    internal ListenerSteering(SteeringEngine engine) => Engine = engine;

    /// <summary>The program and its maps.</summary>
    internal SteeringEngine Engine { get; set; }

    /// <summary>The handles that share it: one, or during a reload the former one too.</summary>
    public IReadOnlyList<ListenerHandle> Handles => _handles;

    /// <summary>The sockets of all handles.</summary>
    public IEnumerable<ListenerSocket> Sockets => _handles.SelectMany(handle => handle.Sockets);

    /// <summary>The sockets that get new connections.</summary>
    public IReadOnlyList<SteeringTarget> Targets { get; internal set; } = [];

    /// <summary>The generation on trial; null if there is none.</summary>
    public int? Canary { get; internal set; }

    /// <summary>How many of <see cref="SteeringTable.Length"/> parts the canary gets.</summary>
    public int CanaryShare { get; internal set; }

    /// <summary>The generation that gets new connections, or most of them; 0 before the first worker.</summary>
    public int ActiveGeneration => Shares is [] ? 0 : Shares.MaxBy(share => (share.Entries, share.Generation)).Generation;

    /// <summary>The part of new connections that each generation gets.</summary>
    public IReadOnlyList<(int Generation, int Entries)> Shares =>
        Targets.Count == 0 ? [] : SteeringTable.Shares(Targets, Canary, CanaryShare);

    /// <summary>Whether a socket gets new connections; that of a worker that drains gets none.</summary>
    internal bool GivesTo(ListenerSocket socket) => Targets.Any(target => target.Slot == socket.Shard);

    /// <summary>
    /// Whether the configuration has turned steering off: new workers share one socket, and when it is the only one left, the
    /// program is detached.
    /// </summary>
    internal bool IsEnding { get; set; }

    /// <summary>What generations without a socket were given, for a successor.</summary>
    internal IReadOnlyDictionary<int, long> Past => _selected;

    /// <summary>How many flows are recorded, and how many of those the kernel has dropped to make room; null without affinity.</summary>
    /// <param name="now">The time of CLOCK_MONOTONIC.</param>
    public FlowCount? Flows(TimeSpan now)
    {
        if (Engine.Terms.Affinity is not { } affinity)
        {
            return null;
        }

        Count(now);
        var recorded = RecordedBefore + Sockets.Sum(socket => Engine.Read(socket.Shard).Recorded);
        return new FlowCount(_live.Values.Sum(), affinity.Flows, Math.Max(0, recorded - _present));
    }

    /// <summary>The connections and flows that each generation was given, and its living flows (0 without affinity).</summary>
    /// <param name="now">The time of CLOCK_MONOTONIC.</param>
    public IReadOnlyDictionary<int, (long Selected, int Live)> OfGenerations(TimeSpan now)
    {
        Count(now);
        var all = _selected.ToDictionary(pair => pair.Key, pair => (Selected: pair.Value, Live: 0));
        foreach (var socket in Sockets)
        {
            if (socket.Steered is { Generation: > 0 } steered)
            {
                var (selected, live) = all.GetValueOrDefault(steered.Generation);
                all[steered.Generation] = (
                    selected + Engine.Read(socket.Shard).Selected - steered.SelectedBefore,
                    live + _live.GetValueOrDefault(socket.Shard));
            }
        }

        return all;
    }

    /// <summary>When the last datagram came to a socket; zero for never.</summary>
    public TimeSpan LastSeen(ListenerSocket socket) => Engine.Read(socket.Shard).LastSeen;

    /// <summary>How many flows were recorded for sockets that are closed.</summary>
    internal long RecordedBefore { get; set; }

    /// <summary>From now on counts a socket that workers share for their generation; no effect without one.</summary>
    internal void Count(ListenerSocket socket, int? generation)
    {
        if (generation is { } later && later > (socket.Steered?.Generation ?? 0))
        {
            var isFirst = socket.Steered is not { Generation: > 0 };
            KeepCounters(socket);
            socket.Steered = new SteeredSocket
            {
                Generation = later,
                SelectedBefore = isFirst ? 0 : Engine.Read(socket.Shard).Selected,
            };
        }
    }

    /// <summary>Keeps the counters of a socket that its generation no longer has.</summary>
    internal void KeepCounters(ListenerSocket socket)
    {
        if (socket.Steered is not { Generation: > 0 } steered)
        {
            return;
        }

        var selected = Engine.Read(socket.Shard).Selected;
        Add(steered.Generation, selected - steered.SelectedBefore);
        steered.SelectedBefore = selected;
    }

    /// <summary>Adds to the counter of a generation, and forgets the oldest ones.</summary>
    internal void Add(int generation, long selected)
    {
        _selected[generation] = _selected.GetValueOrDefault(generation) + selected;
        while (_selected.Count > MostGenerations)
        {
            _selected.Remove(_selected.Keys.First());
        }
    }

    /// <summary>Lets a handle use it, which has to <see cref="Leave"/> later.</summary>
    internal void Join(ListenerHandle handle)
    {
        _handles.Add(handle);
        handle.Steering = this;
    }

    /// <summary>A handle no longer uses it. The last one closes the descriptors; the kernel keeps an attached program.</summary>
    internal void Leave(ListenerHandle handle)
    {
        handle.Steering = null;
        _handles.Remove(handle);
        if (_handles.Count == 0)
        {
            Engine.Dispose();
        }
    }

    private void Count(TimeSpan now)
    {
        if (Engine.Terms.Affinity is not null && !(now - _counted < CountAge))
        {
            _present = Engine.CountFlows(now, _live);
            _counted = now;
        }
    }
}

/// <summary>The recorded flows of a listener.</summary>
/// <param name="Live">Those that had a datagram within <c>affinity.idle</c>.</param>
/// <param name="Limit">The most that are recorded.</param>
/// <param name="Evicted">How many the kernel has dropped, alive or not, to make room.</param>
public sealed record FlowCount(int Live, int Limit, long Evicted);
