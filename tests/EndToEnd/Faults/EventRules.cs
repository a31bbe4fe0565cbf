using Supervisor.Control;
using Xunit;

namespace Supervisor.EndToEnd.Faults;

/// <summary>Checks the events of one service during a sequence of commands and crashes against the rules of supervision.</summary>
/// <param name="service">The service.</param>
/// <param name="strategy">The strategy of its roll-outs.</param>
/// <param name="maxSurge">max_surge of its roll-outs.</param>
/// <param name="maxUnavailable">max_unavailable of its roll-outs.</param>
internal sealed class EventRules(string service, string strategy, int maxSurge, int maxUnavailable)
{
    private readonly Dictionary<int, EventWorkerDocument> _alive = [];
    private readonly Dictionary<int, EventWorkerDocument> _ready = [];
    private readonly HashSet<int> _begun = [];
    private bool _goesItsWay = true;
    private readonly HashSet<int> _finished = [];
    private readonly Dictionary<int, int> _filled = [];

    /// <summary>The smallest number of workers in this sequence: lower slots must always be served.</summary>
    public required int Fewest { get; init; }

    /// <summary>The largest number of workers.</summary>
    public required int Most { get; init; }

    /// <summary>Whether this sequence has stopped the service.</summary>
    public required bool HasStopped { get; init; }

    /// <summary>Checks the events.</summary>
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

    /// <summary>Checks what remains when the service is steady.</summary>
    public void CheckAtRest(ServiceDocument status)
    {
        Assert.True(_begun.Count == 0, $"roll-outs to generation {string.Join(", ", _begun)} have begun and not ended");
        Assert.Equal(status.Workers.Select(worker => worker.Pid!.Value).Order(), _alive.Keys.Order());
        Assert.Equal(status.Workers.Select(worker => worker.Pid!.Value).Order(), _ready.Keys.Order());
    }

    private void One(EventDocument what)
    {
        switch (what.Kind)
        {
            case "worker-spawned":
                Assert.True(_alive.TryAdd(Pid(what), what.Worker!), $"{what.Message}: the process exists already");
                break;
            case "worker-ready":
                Assert.True(_alive.ContainsKey(Pid(what)), $"{what.Message}: the process was not started");
                Assert.True(_ready.TryAdd(Pid(what), what.Worker!), $"{what.Message}: the process was ready before");
                if (_finished.Remove(what.Worker!.Slot))
                {
                    _filled[what.Worker.Slot] = what.Worker.Generation;
                }

                OneOfAGeneration(what);
                SurgeIsBounded(what);
                break;
            case "worker-draining":
                Assert.True(_ready.Remove(Pid(what)), $"{what.Message}: the process was not ready");
                NobodyIsTakenAway(what);
                break;
            case "worker-hung":
                _ready.Remove(Pid(what));
                break;
            case "worker-start-timeout":
                // The last event of this process.
                Assert.True(_alive.Remove(Pid(what)) && !_ready.ContainsKey(Pid(what)), $"{what.Message}: the process was not starting");
                break;
            case "worker-left" or "worker-died":
                if (what.Worker!.Pid is { } pid)
                {
                    // A process that exits late was reported before, as hung or draining.
                    _ready.Remove(pid);
                    Assert.True(_alive.Remove(pid), $"{what.Message}: the process did not exist");
                }

                break;
            case "worker-finished":
                _finished.Add(what.Worker!.Slot);
                break;
            case "rollout-started":
                _goesItsWay &= _begun.Count == 0;
                Assert.True(_begun.Add(what.Rollout!.To), $"{what.Message}: the roll-out has begun before");
                break;
            case "rollout-failing":
                _goesItsWay = false;

                // The generation that serves again had no worker there, and starts none.
                _finished.UnionWith(_filled.Where(slot => slot.Value == what.Rollout!.To).Select(slot => slot.Key));
                break;
            case "rollout-ended":
                // A further restart ends it first, and its own new workers may be ready then.
                _goesItsWay &= what.Rollout!.State != "superseded";
                Assert.True(_begun.Remove(what.Rollout.To), $"{what.Message}: the roll-out has not begun");
                break;
        }
    }

    private void OneOfAGeneration(EventDocument what) => Assert.True(
        _ready.Values.Count(worker => worker.Slot == what.Worker!.Slot && worker.Generation == what.Worker.Generation) == 1,
        $"{what.Message}: it is the second one of that generation in that slot");

    /// <summary>
    /// A superseded worker serves until the worker of its slot is ready, and so does a new worker during a roll-back. After
    /// either, more workers may be ready.
    /// </summary>
    private void SurgeIsBounded(EventDocument what)
    {
        var most = Most + (strategy switch { "rolling" => maxSurge, "overlap" => Most, _ => 0 });
        Assert.True(!_goesItsWay || _ready.Count <= most, $"{what.Message}: {_ready.Count} are ready, {most} may be");
        Assert.True(_ready.Count <= 3 * Most, $"{what.Message}: {_ready.Count} are ready");
    }

    /// <summary>
    /// A ready worker drains only if another one is ready in its slot, or if the strategy permits so many empty slots.
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
