using Supervisor.Control;
using Xunit;

namespace Supervisor.EndToEnd.Faults;

/// <summary>What the events of one service tell of a sequence of commands and crashes, held against what may happen at all.</summary>
/// <param name="service">The service.</param>
/// <param name="strategy">Its roll-outs'.</param>
/// <param name="maxSurge">Theirs.</param>
/// <param name="maxUnavailable">Theirs.</param>
internal sealed class EventRules(string service, string strategy, int maxSurge, int maxUnavailable)
{
    private readonly Dictionary<int, EventWorkerDocument> _alive = [];
    private readonly Dictionary<int, EventWorkerDocument> _ready = [];
    private readonly HashSet<int> _begun = [];
    private bool _goesItsWay = true;
    private readonly HashSet<int> _finished = [];

    /// <summary>The fewest workers that were asked for in this sequence: slots below have to be served throughout.</summary>
    public required int Fewest { get; init; }

    /// <summary>The most.</summary>
    public required int Most { get; init; }

    /// <summary>Whether the service was stopped on purpose in this sequence.</summary>
    public required bool HasStopped { get; init; }

    /// <summary>Holds them against it.</summary>
    public void Check(IReadOnlyList<EventDocument> events)
    {
        for (var i = 0; i < events.Count; i++)
        {
            Assert.True(events[i].Kind != "events-lost", "events were lost");
            Assert.Equal(events[0].Seq + i, events[i].Seq);
            if (events[i].Service == service)
            {
                One(events[i]);
            }
        }
    }

    /// <summary>What is left when the service has come to rest.</summary>
    public void CheckAtRest(ServiceDocument status)
    {
        Assert.True(_begun.Count == 0, $"roll-outs to generation {string.Join(", ", _begun)} have begun and never ended");
        Assert.Equal(status.Workers.Select(worker => worker.Pid!.Value).Order(), _alive.Keys.Order());
        Assert.Equal(status.Workers.Select(worker => worker.Pid!.Value).Order(), _ready.Keys.Order());
    }

    private void One(EventDocument what)
    {
        switch (what.Kind)
        {
            case "worker-spawned":
                Assert.True(_alive.TryAdd(Pid(what), what.Worker!), $"{what.Message}: that process is there already");
                break;
            case "worker-ready":
                Assert.True(_alive.ContainsKey(Pid(what)), $"{what.Message}: it was never started");
                Assert.True(_ready.TryAdd(Pid(what), what.Worker!), $"{what.Message}: it was before");
                _finished.Remove(what.Worker!.Slot);
                OneOfAGeneration(what);
                SurgeIsBounded(what);
                break;
            case "worker-draining":
                Assert.True(_ready.Remove(Pid(what)), $"{what.Message}: it was not ready");
                NobodyIsTakenAway(what);
                break;
            case "worker-hung":
                _ready.Remove(Pid(what));
                break;
            case "worker-start-timeout":
                // The last that is told of it.
                Assert.True(_alive.Remove(Pid(what)) && !_ready.ContainsKey(Pid(what)), $"{what.Message}: it was not starting");
                break;
            case "worker-left" or "worker-died":
                if (what.Worker!.Pid is { } pid)
                {
                    // One that was late with its end has told of it before, as hung or draining.
                    _ready.Remove(pid);
                    Assert.True(_alive.Remove(pid), $"{what.Message}: it was not there");
                }

                break;
            case "worker-finished":
                _finished.Add(what.Worker!.Slot);
                break;
            case "rollout-started":
                _goesItsWay &= _begun.Count == 0;
                Assert.True(_begun.Add(what.Rollout!.To), $"{what.Message}: it has begun before");
                break;
            case "rollout-failing":
                _goesItsWay = false;
                break;
            case "rollout-ended":
                Assert.True(_begun.Remove(what.Rollout!.To), $"{what.Message}: it has not begun");
                break;
        }
    }

    private void OneOfAGeneration(EventDocument what) => Assert.True(
        _ready.Values.Count(worker => worker.Slot == what.Worker!.Slot && worker.Generation == what.Worker.Generation) == 1,
        $"{what.Message}: it is the second one of that generation in that slot");

    /// <summary>
    /// Who is superseded while he serves stays until his slot's own is ready, and so does the new one where a roll-out goes
    /// back: after either there may be more.
    /// </summary>
    private void SurgeIsBounded(EventDocument what)
    {
        var most = Most + (strategy switch { "rolling" => maxSurge, "overlap" => Most, _ => 0 });
        Assert.True(!_goesItsWay || _ready.Count <= most, $"{what.Message}: {_ready.Count} are ready, {most} may be");
        Assert.True(_ready.Count <= 3 * Most, $"{what.Message}: {_ready.Count} are ready");
    }

    /// <summary>
    /// A ready worker is asked to leave when another one is ready in its slot, or where the strategy lets as many slots be empty.
    /// </summary>
    private void NobodyIsTakenAway(EventDocument what)
    {
        var slot = what.Worker!.Slot;
        if (HasStopped || slot >= Fewest || _ready.Values.Any(worker => worker.Slot == slot))
        {
            return;
        }

        var missing = Enumerable.Range(0, Fewest).Count(one => !_finished.Contains(one) && _ready.Values.All(worker => worker.Slot != one));
        var allowed = strategy switch { "stop-first" => Math.Max(1, maxUnavailable), "rolling" => maxUnavailable, _ => 0 };
        Assert.True(missing <= allowed, $"{what.Message}: then {missing} slots are without a ready worker, {allowed} may be");
    }

    private static int Pid(EventDocument what) =>
        what.Worker!.Pid ?? throw new InvalidOperationException($"{what.Kind} without a pid: {what.Message}");
}
