using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Tests.Services;

/// <summary>
/// The machine with a runner that has no processes and no clock: spawned programs run at once, and do nothing but what
/// the test makes them do. A worker is written SLOT/GENERATION, such as 0/2; where a slot has had several of one
/// generation, the newest is meant.
/// </summary>
internal sealed class FakeService
{
    private readonly Queue<ServiceEvent> _events = new();
    private readonly Queue<HookEffect> _hooks = new();
    private int _nextPid = 100;

    public FakeService(ServiceSpec spec) => State = ServiceState.Create(WithoutDefaultSettle(spec));

    public ServiceState State { get; private set; }

    public TimeSpan Now { get; private set; }

    /// <summary>Every effect since the last <see cref="Forget"/>.</summary>
    public List<ServiceEffect> Effects { get; } = [];

    /// <summary>Programs of these generations cannot be executed.</summary>
    public HashSet<int> Broken { get; } = [];

    /// <summary>Hooks run until the test ends them; otherwise they end well at once.</summary>
    public bool HoldHooks { get; set; }

    /// <summary>pre_start of these generations fails.</summary>
    public HashSet<int> Unprepared { get; } = [];

    /// <summary>Called after each transition.</summary>
    public Action<Transition>? Observer { get; init; }

    /// <summary>What was done to processes: "spawn 0/1", "stop 0/1", "kill 0/1".</summary>
    public IEnumerable<string> Acts => Effects.Select(effect => effect switch
    {
        SpawnEffect spawn => "spawn " + Name(spawn.Worker),
        SignalEffect signal => (signal.Signal == Signals.Abort ? "abort " : "stop ") + Name(signal.Worker),
        KillEffect kill => "kill " + Name(kill.Worker),
        HookStopEffect stop => string.Create(CultureInfo.InvariantCulture, $"end {stop.Hook.Setting()[6..]} {stop.Generation}"),
        HookEffect hook => string.Create(CultureInfo.InvariantCulture, $"{hook.Hook.Setting()[6..]} {hook.Generation}"),
        _ => "",
    }).Where(act => act.Length > 0);

    public IEnumerable<ReportEffect> Reports => Effects.OfType<ReportEffect>();

    public ServiceCondition Condition => State.Condition;

    public RolloutPhase? RolloutPhase => State.Rollout?.Phase;

    /// <summary>The workers that are ready, "0/1 1/1".</summary>
    public string Serving => string.Join(' ', State.Workers.Where(worker => worker.Phase == WorkerPhase.Ready)
        .OrderBy(worker => worker.Slot).ThenBy(worker => worker.Generation).Select(Name));

    public static string Name(WorkerState worker) => string.Create(CultureInfo.InvariantCulture, $"{worker.Slot}/{worker.Generation}");

    public FakeService Send(ServiceEvent what)
    {
        _events.Enqueue(what);
        while (_events.TryDequeue(out var next))
        {
            var before = State;
            (State, var effects) = ServiceMachine.Step(before, next, Now);
            Effects.AddRange(effects);
            var spawned = ImmutableArray.CreateBuilder<WorkerSpawned>();
            foreach (var spawn in effects.OfType<SpawnEffect>())
            {
                if (Broken.Contains(spawn.Worker.Generation))
                {
                    _events.Enqueue(new WorkerEnded(spawn.Worker.Id, ExitReason.NotStarted("ENOENT")));
                }
                else
                {
                    spawned.Add(new WorkerSpawned(spawn.Worker.Id, _nextPid++));
                }
            }

            // As the runner tells it.
            if (spawned.Count > 0)
            {
                _events.Enqueue(spawned is [var one] ? one : new WorkersSpawned(spawned.ToImmutable()));
            }

            foreach (var stop in effects.OfType<HookStopEffect>())
            {
                for (var left = _hooks.Count; left > 0; left--)
                {
                    var hook = _hooks.Dequeue();
                    if (hook.Hook == stop.Hook && hook.Generation == stop.Generation)
                    {
                        _events.Enqueue(new HookEnded(hook.Hook, hook.Generation, "hooks.pre_start was killed by SIGTERM", Stopped: true));
                    }
                    else
                    {
                        _hooks.Enqueue(hook);
                    }
                }
            }

            foreach (var hook in effects.OfType<HookEffect>())
            {
                if (HoldHooks)
                {
                    _hooks.Enqueue(hook);
                }
                else
                {
                    _events.Enqueue(End(hook));
                }
            }

            Observer?.Invoke(new Transition(before, next, effects, State, Now));
        }

        return this;
    }

    /// <summary>The oldest hook that runs ends.</summary>
    public FakeService EndHook() => _hooks.TryDequeue(out var hook) ? Send(End(hook)) : this;

    public FakeService Start() => Send(new StartRequested());

    public FakeService Stop() => Send(new StopRequested());

    public FakeService Restart() => Send(new RestartRequested());

    public FakeService Promote() => Send(new PromoteRequested());

    public FakeService Abort() => Send(new AbortRequested());

    public FakeService Scale(int workers) => Send(new ScaleRequested(workers));

    /// <summary>A reload finds that spec: what needs new workers is rolled out.</summary>
    public FakeService Change(ServiceSpec spec) =>
        Send(new SpecChanged(WithoutDefaultSettle(spec), !ServiceReloadImpact.SameWorker(State.Spec, spec)));

    public FakeService Ready(params string[] workers) => Each(workers, worker => new WorkerReady(worker.Id));

    public FakeService Leave(params string[] workers) => Each(workers, worker => new WorkerLeaving(worker.Id));

    public FakeService Die(params string[] workers) => Each(workers, worker => new WorkerEnded(worker.Id, ExitReason.Exited(1)));

    public FakeService Exit(params string[] workers) => Each(workers, worker => new WorkerEnded(worker.Id, ExitReason.Exited(0)));

    public FakeService ReadyAll() => Ready([.. State.Workers.Where(worker => worker.Phase == WorkerPhase.Starting).Select(Name)]);

    public FakeService Alive(params string[] workers) => Each(workers, worker => new WorkerAlive(worker.Id));

    public FakeService Hang(params string[] workers) => Each(workers, worker => new WorkerHung(worker.Id));

    /// <summary>Every worker that was asked to end, or said that it would, ends.</summary>
    public FakeService EndAll()
    {
        foreach (var worker in State.Workers.Where(worker => !worker.IsLive).ToArray())
        {
            Send(new WorkerEnded(worker.Id, ExitReason.Exited(0)));
        }

        return this;
    }

    /// <summary>Time passes, deadline by deadline, as it does for a runner that sleeps until the next one.</summary>
    public FakeService Advance(TimeSpan by)
    {
        var until = Now + by;
        while (State.NextDeadline is { } next && next <= until)
        {
            Now = next > Now ? next : Now;
            Send(new TimePassed());
        }

        Now = until;
        return this;
    }

    public FakeService Advance(double seconds) => Advance(TimeSpan.FromSeconds(seconds));

    /// <summary>Time jumps, and the runner wakes late.</summary>
    public FakeService Jump(TimeSpan by)
    {
        Now += by;
        return Send(new TimePassed());
    }

    /// <summary>
    /// Everything goes well from now on: programs start, get ready, need no watchdog, and end when they are asked to; time
    /// passes until nothing waits for it.
    /// </summary>
    public FakeService Settle()
    {
        Broken.Clear();
        Unprepared.Clear();
        HoldHooks = false;
        while (_hooks.Count > 0)
        {
            EndHook();
        }

        for (var round = 0; round < 500; round++)
        {
            var before = State;
            ReadyAll().EndAll();
            foreach (var watched in State.Workers.Where(worker => worker.WatchdogDeadline is not null).ToArray())
            {
                Send(new WorkerWatchdogSet(watched.Id, TimeSpan.Zero));
            }

            if (State.NextDeadline is { } next && State.Workers.All(worker => worker.Phase == WorkerPhase.Ready))
            {
                Advance(next > Now ? next - Now : TimeSpan.Zero);
            }

            if (State.Rollout is { Phase: Core.Services.RolloutPhase.Canary, PromotedAt: null })
            {
                Promote();
                continue;
            }

            if (ReferenceEquals(before, State)
                || (State.NextDeadline is null && State.Workers.All(worker => worker.Phase == WorkerPhase.Ready)))
            {
                return this;
            }
        }

        throw new InvalidOperationException("the service does not come to rest: " + Describe());
    }

    /// <summary>What was done since the last call, and nothing else.</summary>
    public FakeService Did(params string[] acts)
    {
        Assert.Equal(acts, Acts);
        return Forget();
    }

    public FakeService Forget()
    {
        Effects.Clear();
        return this;
    }

    public WorkerState Worker(string name) => State.Workers.Last(worker => Name(worker) == name);

    public string Describe() => string.Create(
        CultureInfo.InvariantCulture,
        $"at {Now.TotalSeconds}s wanted {State.IsStarted} desired {State.Desired} generation {State.Generation} rollout "
        + $"{State.Rollout?.Phase} {State.Rollout?.From}->{State.Rollout?.To} next {State.NextDeadline?.TotalSeconds}; "
        + $"slots {string.Join(' ', State.Slots.Select(Describe))} "
        + $"workers {string.Join(' ', State.Workers.Select(worker => $"#{worker.Id} {Name(worker)} {worker.Phase},"))}");

    /// <summary>A scenario that is not about the settle time has none.</summary>
    private static ServiceSpec WithoutDefaultSettle(ServiceSpec spec) => spec.Rollout.Settle == new RolloutSpec().Settle
        ? spec with { Rollout = spec.Rollout with { Settle = TimeSpan.Zero } }
        : spec;

    private static string Describe(SlotState slot) => string.Create(
        CultureInfo.InvariantCulture,
        $"{slot.Index}/{slot.Generation}{(slot.Phase == SlotPhase.Finished ? " finished" : "")}"
        + $"{(slot.NextTry is { } at ? " until " + at.TotalSeconds : "")} failures {slot.Failures},");

    private HookEnded End(HookEffect hook) =>
        new(
            hook.Hook,
            hook.Generation,
            hook.Hook == HookKind.PreStart && Unprepared.Contains(hook.Generation) ? "hooks.pre_start exited with status 1" : null);

    private FakeService Each(string[] workers, Func<WorkerState, ServiceEvent> what)
    {
        foreach (var worker in workers.Select(Worker).ToArray())
        {
            Send(what(worker));
        }

        return this;
    }

    internal sealed record Transition(
        ServiceState Before,
        ServiceEvent What,
        ImmutableArray<ServiceEffect> Effects,
        ServiceState After,
        TimeSpan Now);
}
