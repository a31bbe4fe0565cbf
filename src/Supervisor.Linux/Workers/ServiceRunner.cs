using System.Collections.Immutable;
using Serilog;
using Supervisor.Core.Services;
using Supervisor.Linux.Cgroups;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Runs one service: passes events to <see cref="ServiceMachine"/>, and carries out the resulting effects by the parts in
/// <see cref="ServiceContext"/>, which make the system calls. Other code uses the parts directly; this class owns them. Lives on
/// the loop.
/// </summary>
public sealed class ServiceRunner : IDeadline, IDisposable
{
    private readonly ServiceContext _service;
    private readonly HookRunner _hooks;
    private readonly ReportDetails _details;
    private readonly AutoscaleWatch _autoscale;
    private readonly Queue<ServiceEvent> _events = new();
    private readonly MachineClock _clock = new();
    private bool _isStepping;

    /// <summary>A service that has not been started, on listeners in descriptor order.</summary>
    public ServiceRunner(
        EventLoop loop, Spawner spawner, ServiceSpec spec, IReadOnlyList<ListenerHandle> listeners, ILogger log, Disposer disposer,
        OrphanReaper? orphans = null, bool daemonLogsToJournal = false, UserDirectory? users = null)
    {
        State = ServiceState.Create(spec);
        var generations = new GenerationTable(
            loop,
            users ?? UserDirectory.Host,
            listeners,
            () =>
            {
                Snapshot?.Note(isUrgent: true);
                ReportChange([]);
            },
            descriptors => disposer.Close(Disposer.OwnerOf(spec.Name), descriptors));
        generations.Begin(State.Generation);
        _service = new ServiceContext(this, loop, spawner, disposer, orphans, new ServiceLog(log, spec, loop),
            new WorkerOutput(log, spec, loop.Time, daemonLogsToJournal), generations);
        _hooks = new HookRunner(_service);
        _details = new ReportDetails(_service, _hooks);
        _autoscale = new AutoscaleWatch(loop, () => generations.Next.Listeners, () => State, Requests.Autoscale);
        Snapshot = new ServiceSnapshot(_service, _hooks, _service.Demand);
        Workers = new WorkerTable(_service);
    }

    /// <summary>Raised after each change, with the reports of it; the state is the new one.</summary>
    public event Action<ServiceRunner, ImmutableArray<ReportEffect>>? Changed;

    /// <summary>
    /// Raised when a worker has exited, before the machine decides about it: its files and sockets are still as it left them.
    /// </summary>
    public event Action<ServiceRunner>? Ending;

    /// <summary>Raised before a worker is spawned, with the listeners that it gets.</summary>
    public event Action<IReadOnlyList<ListenerHandle>>? Spawning;

    public ServiceState State { get; private set; }

    public string Name => State.Spec.Name;

    /// <summary>What can be requested of the service.</summary>
    public ServiceRequests Requests => _service.Requests;

    /// <summary>The listeners and the user of each generation.</summary>
    public GenerationTable Generations => _service.Generations;

    /// <summary>The processes of the workers.</summary>
    public WorkerTable Workers { get; }

    /// <summary>Which worker has which shard of a listener.</summary>
    public ShardCoverage Shards => _service.Shards;

    /// <summary>The workers' own sockets on steered listeners.</summary>
    public SteeredSockets Steering => _service.Steering;

    /// <summary>The workers' stop signals.</summary>
    public StopSignals Signals => _service.Signals;

    /// <summary>The facts about draining workers.</summary>
    public WorkerDrains Drains => _service.Drains;

    /// <summary>Why limits of the workers' cgroups are not in force, by their settings.</summary>
    public IReadOnlyDictionary<string, LimitRefusal> RefusedLimits => _service.Limits.Refused;

    /// <summary>Why the program of a probe cannot be run; null if every program can, as far as it was tried.</summary>
    public string? UnableProbe => _service.Probes.Unable ?? _service.Health.NeverPassed;

    /// <summary>The workers that do not exit after SIGKILL.</summary>
    public AbandonedWorkers Abandoned => _service.Abandoned;

    /// <summary>What the workers have written.</summary>
    public WorkerOutput Output => _service.Output;

    /// <summary>What failed workers wrote last.</summary>
    public FailureLines FailureLines => _details.FailureLines;

    /// <summary>The service in the manifest.</summary>
    public ServiceSnapshot Snapshot { get; }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline
    {
        get
        {
            var next = State.NextDeadline;
            next = _service.Messages.NextDeadline is { } message && !(next <= message) ? message : next;
            return _service.ForeignExits.NextDeadline is { } exit && !(next <= exit) ? exit : next;
        }
    }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        _service.Messages.PassDeadline();
        _service.ForeignExits.PassDeadline();
        if (State.NextDeadline <= _service.Loop.LastPoll)
        {
            foreach (var late in State.Workers.Where(worker => worker.Phase == WorkerPhase.Starting
                && worker.Deadline <= _service.Loop.LastPoll && State.SpecOf(worker.Generation).Readiness.Kind == ReadinessKind.Notify))
            {
                Post(new WorkerSeen(late.Id, _service.Messages.NotReady(late)));
            }

            Post(new TimePassed());
        }
    }

    /// <summary>Whether a connection waits that is going to start the service.</summary>
    public bool IsDemanded => _service.Demand.IsDemanded;

    /// <summary>Whether a hook runs. Only the daemon that started a hook is sure to learn its exit status.</summary>
    public bool RunsHook => !_hooks.IsIdle;

    /// <summary>
    /// Passes an event to the machine and carries out the effects in order, also if effects raise further events.
    /// </summary>
    public void Post(ServiceEvent what)
    {
        if (what is StopRequested)
        {
            _service.Generations.Cancel("the service was stopped before its user was known");
        }

        _events.Enqueue(what);
        if (_isStepping)
        {
            return;
        }

        _isStepping = true;
        try
        {
            var mayChangeShares = false;
            while (_events.TryDequeue(out var next) || mayChangeShares)
            {
                if (next is null)
                {
                    // Only now: a worker without a process has no share yet, and a worker that failed to start needs none.
                    mayChangeShares = false;
                    _service.Shards.Cover();
                    continue;
                }

                Step(next);
                mayChangeShares |= next is ScaleRequested or AutoscaleRequested or SpecChanged;
            }
        }
        finally
        {
            _isStepping = false;
            _service.Loop.Schedule(this);
        }
    }

    private void Step(ServiceEvent what)
    {
        var now = TimeOf(what);
        var before = State;
        (State, var effects) = ServiceMachine.Step(State, what, now);
        _service.Generations.Update(before, State, what);
        _service.Drains.Update(State);
        _service.Steering.Update(State);

        // Effects before reports: writing the log must not delay a replacement.
        var reports = ImmutableArray.CreateBuilder<ReportEffect>();
        var spawns = effects.Count(effect => effect is SpawnEffect);
        if (spawns > 1)
        {
            Spawner.Expect(spawns);
        }

        foreach (var effect in effects)
        {
            if (effect is ReportEffect report)
            {
                reports.Add(_details.AddTo(report, what, State));
            }
            else
            {
                CarryOut(effect, isOneOfMany: spawns > 1);
            }
        }

        if (spawns > 1)
        {
            Spawner.Finish();
        }

        foreach (var report in reports)
        {
            Write(report, now);
        }

        if (State.Counters.Failed > before.Counters.Failed)
        {
            _details.LogFailedConnections(before, what);
        }

        _service.Stored.RemoveFrom(State.HasStopped ? 0 : State.Slots.Length);
        _service.Demand.Update(State);
        _service.Connections.Update(State);
        _service.Health.Update();
        _service.Limits.Update();
        _service.Probes.Update();
        _autoscale.Update();
        ReportChange(reports.ToImmutable());
    }

    /// <summary>SIGKILL to every worker of a stopped service: the second request to stop.</summary>
    public void KillAll()
    {
        Post(new KillRequested());
        _hooks.Kill();
        KillProbes();
    }

    /// <summary>Kills the programs of probes: a successor that continues starts its own.</summary>
    public void KillProbes() => _service.Probes.Kill();

    /// <summary>Whether a stopped service has nothing left: no worker, no process of one, no hook.</summary>
    public bool IsGone => State.HasStopped && _hooks.IsIdle;

    /// <inheritdoc/>
    public void Dispose()
    {
        _service.Loop.Remove(this);
        _service.Generations.Dispose();
        _service.Stored.Dispose();
        foreach (var process in _service.Processes.Values)
        {
            _service.Watching.Unwatch(process);
            _service.Watching.UnwatchOutput(process);
            process.Rest.Unwatch(_service.Loop);
            process.Dispose();
        }

        _service.Processes.Clear();
        _hooks.Dispose();
        _service.Demand.Dispose();
        _service.Connections.Dispose();
        _autoscale.Dispose();
        _service.Drains.Dispose();
        _service.Health.Dispose();
        _service.Limits.Dispose();
        _service.Abandoned.Clear();
        _service.Log.Dispose();
        _service.Output.Dispose();
    }

    internal void ReportChange(ImmutableArray<ReportEffect> reports) => Changed?.Invoke(this, reports);

    internal void ReportEnding() => Ending?.Invoke(this);

    internal void ReportSpawning(IReadOnlyList<ListenerHandle> listeners) => Spawning?.Invoke(listeners);

    internal void Restore(ServiceState state)
    {
        State = state with { TotalRestarts = state.TotalRestarts };
        _autoscale.Update();
        _service.Loop.Schedule(this);
    }

    /// <summary>Runs a hook once the user of its generation is known.</summary>
    internal void RunHook(HookEffect hook) =>
        _service.Generations.ResolveOf(hook.Generation, State.SpecOf(hook.Generation), (identity, error) =>
    {
        if (identity is not null)
        {
            _hooks.Run(State.SpecOf(hook.Generation), identity, hook);
        }
        else
        {
            Post(new HookEnded(hook.Hook, hook.Generation, $"{hook.Hook.Setting()} could not be started: {error}"));
        }
    });

    // Time passes for the machine when the loop has handled all pending events.
    private TimeSpan TimeOf(ServiceEvent what) => what is TimePassed
        ? _clock.Passed(_service.Loop.LastPoll)
        : _clock.Event(_service.Loop.Now, State.NextDeadline);

    private void CarryOut(ServiceEffect effect, bool isOneOfMany)
    {
        switch (effect)
        {
            case SpawnEffect spawn:
                _service.Spawning.Spawn(spawn.Worker, isOneOfMany);
                break;
            case SignalEffect signal when _service.Spawning.Cancel(signal.Worker.Id):
                break;
            case KillEffect kill when _service.Spawning.Cancel(kill.Worker.Id):
                break;
            case SignalEffect signal:
                _service.Signals.SendOrHoldBack(signal);
                break;
            case KillEffect kill:
                _service.Drains.Kill(kill.Worker.Id);
                break;
            case AbandonEffect abandon:
                _service.Ending.Abandon(abandon.Worker.Id);
                break;
            case HookEffect hook:
                RunHook(hook);
                break;
            case HookStopEffect stop:
                _hooks.Stop(stop);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(effect), effect, null);
        }
    }

    private void Write(ReportEffect report, TimeSpan now)
    {
        if (report is { Report: ServiceReport.WorkerReady, Worker: { } ready } && _service.Processes.TryGetValue(ready.Id, out var process))
        {
            process.ReadyAt = _service.Loop.Time.GetUtcNow();
        }

        _service.Log.Report(report, State, now);
    }
}
