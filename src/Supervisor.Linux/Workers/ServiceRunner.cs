using Supervisor.Core.State;
using System.Collections.Immutable;
using Serilog;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Output;
using Supervisor.Linux.Probes;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Runs one service: passes events to <see cref="ServiceMachine"/>, and carries out the resulting effects by system calls of
/// the parts in <see cref="ServiceContext"/>. Lives on the loop.
/// </summary>
public sealed class ServiceRunner : IDeadline, IDisposable
{
    private readonly ServiceContext _service;
    private readonly ServiceSnapshot _snapshot;
    private readonly HookRunner _hooks;
    private readonly DemandWatch _demand;
    private readonly ILogger _logger;
    private readonly bool _daemonLogsToJournal;
    private readonly Queue<ServiceEvent> _events = new();
    private OutputQueue? _output;
    private bool _isStepping;

    /// <summary>A service that has not been started, on listeners in descriptor order.</summary>
    public ServiceRunner(
        EventLoop loop, Spawner spawner, ServiceSpec spec, IReadOnlyList<ListenerHandle> listeners, ILogger log, Disposer disposer,
        OrphanReaper? orphans = null, bool daemonLogsToJournal = false, UserDirectory? users = null)
    {
        State = ServiceState.Create(spec);
        _logger = log;
        _daemonLogsToJournal = daemonLogsToJournal;
        _output = OutputQueue.For(spec, daemonLogsToJournal, loop.Time, log, () => WorkerIdentity.RightsOf(spec));
        var generations = new GenerationTable(loop, users ?? UserDirectory.Host, listeners, () => ReportChange([]));
        generations.Begin(State.Generation);
        _service = new ServiceContext(this, loop, spawner, disposer, orphans, new ServiceLog(log, spec, loop, _output), generations);
        _hooks = new HookRunner(_service);
        _snapshot = new ServiceSnapshot(_service, _hooks);
        _demand = new DemandWatch(loop, () => Listeners, Post);
        loop.Add(this);
        if (orphans is not null)
        {
            orphans.Reaped += _service.Ending.EndAbandoned;
        }
    }

    /// <summary>Raised after each change, with the reports of it; the state is the new one.</summary>
    public event Action<ServiceRunner, ImmutableArray<ReportEffect>>? Changed;

    /// <summary>
    /// Called before a worker gets its stop signal. True if the given action sends the signal later, because only this worker
    /// can serve what waits in a queue.
    /// </summary>
    public Func<WorkerState, Action, bool>? HoldsBack { get; set; }

    /// <summary>The sockets that the workers of a generation have, in descriptor order.</summary>
    public IReadOnlyList<ListenerHandle> ListenersOf(int generation) => _service.Generations.Of(generation).Listeners;

    /// <summary>
    /// Raised when a worker has exited, before the machine decides about it: its files and sockets are still as it left them.
    /// </summary>
    public event Action<ServiceRunner>? Ending;

    public ServiceState State { get; private set; }

    public string Name => State.Spec.Name;

    /// <summary>The listeners of the next worker, in descriptor order.</summary>
    public IReadOnlyList<ListenerHandle> Listeners => _service.Generations.Next.Listeners;

    /// <summary>The listeners of all generations and of the next one. After a reload, two may have the same name.</summary>
    public IReadOnlyList<ListenerHandle> AllListeners => _service.Generations.AllListeners;

    /// <summary>Whether a living worker, or one that may still be started, has that socket.</summary>
    public bool Uses(ListenerHandle handle) => _service.Generations.Uses(handle);

    /// <summary>
    /// Whether a slot belongs to a generation that differs from the present specification, and no roll-out is going to change
    /// that.
    /// </summary>
    public bool IsMixed => State.IsMixed
        || (State.IsStarted && State.Rollout is not { IsActive: true }
            && State.Slots.Any(slot => slot.Index < State.Desired && !ListenersOf(slot.Generation).SequenceEqual(Listeners)));

    /// <summary>Why the service cannot be started; null if it can.</summary>
    public string? Blocked { get; private set; }

    /// <summary>What the workers have written: the newest 256 KiB. Any thread.</summary>
    public RecentItems<OutputLine> Output => _service.Log.Lines;

    /// <inheritdoc/>
    public TimeSpan? NextDeadline =>
        State.NextDeadline is { } next && !(_service.Messages.NextDeadline < next) ? next : _service.Messages.NextDeadline;

    /// <inheritdoc/>
    public void PassDeadline()
    {
        _service.Messages.PassDeadline();
        if (State.NextDeadline <= _service.Loop.LastPoll)
        {
            Post(new TimePassed());
        }
    }

    /// <summary>The process of a worker; null if there is none.</summary>
    public WorkerProcess? Process(int workerId) => _service.Processes.GetValueOrDefault(workerId);

    /// <summary>The facts that identify each living worker's processes.</summary>
    public IEnumerable<WorkerFacts> Facts => _service.Processes.Values.Where(process => !process.IsEnding).Select(process => process.Facts);

    /// <summary>Whether the workers are, or were last, started as that user.</summary>
    public bool RunsAs(uint uid) =>
        (_service.Generations.Next.Identity is { } identity && (identity.Uid ?? Processes.EffectiveUid) == uid)
        || _service.Processes.Values.Any(process => process.Uid == uid);

    /// <summary>Whether a hook runs. Only the daemon that started a hook is sure to learn its exit status.</summary>
    public bool RunsHook => !_hooks.IsIdle;

    /// <summary>Whether the notify socket at that path belongs to one of the workers.</summary>
    public bool HasNotifySocket(string path) => _service.Processes.Values.Any(process => process.Notify.Path == path);

    /// <summary>The latest facts about a draining worker; null for any other worker.</summary>
    public WorkerDrain? Drain(int workerId) => _service.Drains.Of(workerId);

    /// <summary>How many connections draining workers have, as far as known; null if nothing is known.</summary>
    public int? DrainingConnections => _service.Drains.Connections;

    /// <summary>
    /// A client begins (1) or stops (-1) to wait for the outcome of drains. While one waits, connections are counted twice a
    /// second.
    /// </summary>
    public void AddDrainObservers(int by) => _service.Drains.AddObservers(by);

    /// <summary>A query about the connections of all workers, to run on any thread. On the loop.</summary>
    public AcceptedConnections ConnectionQuestion() => new(AllListeners);

    /// <summary>Whether a worker has, or may have, that socket of a listener.</summary>
    public bool Holds(int workerId, ListenerSocket socket) => _service.Shards.Holds(workerId, socket);

    /// <summary>Whether workers have to be replaced if a listener has that many shards and the service that many workers.</summary>
    public bool NeedsOtherShares(ListenerHandle handle, int shards, int workers) =>
        _service.Shards.NeedsOtherShares(handle, shards, workers);

    /// <summary>Replaces the workers if shards and slots no longer match.</summary>
    public void CoverShards() => _service.Shards.Cover();

    /// <summary>
    /// The service's entry for a successor. Adds its descriptors to <paramref name="descriptors"/> unless that is null, and the
    /// workers' output with <paramref name="withOutput"/>.
    /// </summary>
    public ServiceEntry Snapshot(OutgoingDescriptors? descriptors, bool withOutput) => _snapshot.Take(descriptors, withOutput);

    /// <summary>
    /// Restores a predecessor's service as it was; <see cref="Resume"/> continues it. Call it before any other method.
    /// </summary>
    public void Restore(ServiceEntry entry, IncomingDescriptors descriptors, bool areChildren) =>
        _snapshot.Restore(entry, descriptors, areChildren);

    /// <summary>Continues a predecessor's service: events that no daemon handled are handled now.</summary>
    public void Resume()
    {
        _demand.Update(State);
        _snapshot.Resume();
    }

    /// <summary>What the service waits for before it can start or restart; null if nothing.</summary>
    public string? Waits => _service.Generations.Waits;

    /// <summary>
    /// Starts the service if its listeners have sockets. If it runs, slots that wait for their next try are tried at once.
    /// </summary>
    /// <param name="onDecided">Called on the loop, perhaps before this returns: with null just before the start begins, or with
    /// the reason why it cannot begin.</param>
    public void Start(Action<string?>? onDecided = null) => Start(() => new StartRequested(), onDecided);

    /// <summary>Starts a service that is to run, or waits for its first connection, as <c>start</c> configures it.</summary>
    public void Activate() => Start(() => State.Spec.Start == StartMode.OnDemand ? new DemandAwaited() : new StartRequested(), null);

    private void Start(Func<ServiceEvent> what, Action<string?>? onDecided)
    {
        if (Missing() is { } missing)
        {
            Refuse(missing, onDecided);
            return;
        }

        _service.Generations.Resolve(() => State, error =>
        {
            if (error is not null)
            {
                Refuse(error, onDecided);
                return;
            }

            Blocked = null;
            onDecided?.Invoke(null);
            Post(what());
        });
    }

    private void Refuse(string error, Action<string?>? onDecided)
    {
        if (!State.IsStarted)
        {
            Blocked = error;
            _service.Log.Blocked(error);
            ReportChange([]);
        }

        onDecided?.Invoke(error);
    }

    /// <summary>Why no worker can be started on the present listeners; null if one can.</summary>
    private string? Missing()
    {
        var missing = Listeners.Where(handle => handle.Descriptor is null).Select(WhyMissing).ToArray();
        if (missing.Length > 0)
        {
            return string.Join("; ", missing);
        }

        // The kind of a listener that a client gives to the daemon is known only now.
        return State.Spec.Readiness.Kind == ReadinessKind.Http && !Listeners.Any(handle => handle.Spec.Address.Kind.TakesHttpProbe())
            ? $"ready = \"http:{State.Spec.Readiness.Path}\" needs a tcp:// or unix:// listener, not one of "
                + string.Join(", ", Listeners.Select(handle => handle.Name))
            : null;
    }

    private static string WhyMissing(ListenerHandle handle)
    {
        if (handle.IsAwaited)
        {
            return handle.Failure!.Arguments;
        }

        var why = handle.Diagnosis is { } diagnosis ? $" ({diagnosis.Cause?.ToWireName()}): {diagnosis.Verdict}"
            : $": {handle.Failure?.Arguments}";
        return $"listener \"{handle.Name}\" ({handle.Spec.Address}) has no socket: {handle.Failure?.Name}{why}";
    }

    /// <summary>
    /// Replaces the workers, or starts a stopped service. If a name of the service does not resolve, nothing changes.
    /// </summary>
    /// <param name="onDecided">As in <see cref="Start(Action{string?}?)"/>.</param>
    public void Restart(Action<string?>? onDecided = null)
    {
        if (!State.IsStarted)
        {
            Start(onDecided);
            return;
        }

        _service.Generations.Resolve(() => State, error =>
        {
            onDecided?.Invoke(error);
            if (error is null)
            {
                Post(new RestartRequested());
            }
        });
    }

    /// <summary>
    /// Applies another specification. Settings that need no new worker apply at once. For the others, the strategy of the new
    /// specification replaces the workers by workers of <paramref name="identity"/> on <paramref name="listeners"/>.
    /// </summary>
    public void Change(ServiceSpec spec, IReadOnlyList<ListenerHandle> listeners, WorkerIdentity identity, bool newWorkers)
    {
        var before = State.Spec;
        _service.Generations.SetNext(listeners, identity);
        if (Blocked is not null && listeners.All(handle => handle.Descriptor is not null))
        {
            Blocked = null;
        }

        if (before.Log != spec.Log || (spec.Log.Kind == LogTargetKind.File && !WorkerIdentity.IsSame(before, spec)))
        {
            // The old queue may have to wait for a slow disk: never on the loop.
            var old = _output;
            _service.Log.Redirect(_output = OutputQueue.For(spec, _daemonLogsToJournal, _service.Loop.Time, _logger,
                () => WorkerIdentity.RightsOf(spec)));
            if (old is not null)
            {
                _ = Task.Run(old.Dispose);
            }
        }

        Post(new SpecChanged(spec, newWorkers));
    }

    /// <summary>
    /// Promotes the canary: the roll-out continues to the other slots. Returns the reason if there is no canary to promote,
    /// else null.
    /// </summary>
    public string? Promote()
    {
        var error = State.Rollout switch
        {
            { IsOnTrial: true } => null,
            { IsActive: true, Canary: > 0, IsPromoted: true } rollout => $"the canary of generation {rollout.To} is already promoted",
            { IsActive: true, Phase: RolloutPhase.RollingBack } rollout => $"the roll-out of generation {rollout.To} is being rolled back",
            { IsActive: true } rollout => $"the roll-out of generation {rollout.To} has no canary",
            _ => "no roll-out is under way",
        };
        if (error is null)
        {
            Post(new PromoteRequested());
        }

        return error;
    }

    /// <summary>Rolls the roll-out back. Returns the reason if there is no roll-out to roll back, else null.</summary>
    public string? Abort()
    {
        var error = State.Rollout switch
        {
            { IsActive: true, Phase: RolloutPhase.RollingBack } rollout =>
                $"the roll-out of generation {rollout.To} is already being rolled back",
            { IsActive: true } => null,
            _ => "no roll-out is under way",
        };
        if (error is null)
        {
            Post(new AbortRequested());
        }

        return error;
    }

    /// <summary>
    /// Sends a signal to the main process of each worker, draining workers included. Returns the process ids that got it.
    /// </summary>
    public IReadOnlyList<int> Signal(int signal)
    {
        var reached = new List<int>();
        foreach (var process in _service.Processes.Values)
        {
            if (process is { AwaitsMain: false, IsEnding: false } && Processes.Signal(process.Pidfd, signal) is null)
            {
                reached.Add(process.Pid);
            }
        }

        return reached;
    }

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
                mayChangeShares |= next is ScaleRequested or SpecChanged;
            }
        }
        finally
        {
            _isStepping = false;
        }
    }

    private void Step(ServiceEvent what)
    {
        var now = TimeOf(what);
        var before = State;
        (State, var effects) = ServiceMachine.Step(State, what, now);
        _service.Generations.Update(before, State, what);
        _service.Drains.Update(State);

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
                reports.Add(report);
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

        _service.Stored.RemoveFrom(State is { IsStarted: false, Workers.IsEmpty: true } ? 0 : State.Slots.Length);
        _demand.Update(State);
        ReportChange(reports.ToImmutable());
    }

    /// <summary>SIGKILL to every worker's session: the second request to stop.</summary>
    public void KillAll()
    {
        foreach (var process in _service.Processes.Values)
        {
            _service.Ending.Kill(process);
        }

        _hooks.Kill();
    }

    /// <summary>Whether a stopped service has nothing left: no worker, no process of one, no hook.</summary>
    public bool IsGone => State is { IsStarted: false, Workers.IsEmpty: true } && !_service.Ending.IsSweeping && _hooks.IsIdle;

    /// <summary>Waits until the workers' lines have been written, up to a time limit.</summary>
    public void FlushOutput() => _output?.Flush();

    /// <inheritdoc/>
    public void Dispose()
    {
        _service.Loop.Remove(this);
        if (_service.Orphans is { } orphans)
        {
            orphans.Reaped -= _service.Ending.EndAbandoned;
        }

        _service.Generations.Dispose();
        _service.Stored.Dispose();
        foreach (var process in _service.Processes.Values)
        {
            _service.Watching.Unwatch(process);
            process.Dispose();
        }

        _service.Processes.Clear();
        _hooks.Dispose();
        _demand.Dispose();
        _service.Drains.Dispose();
        _service.Log.Dispose();
        _output?.Dispose();
    }

    internal void ReportChange(ImmutableArray<ReportEffect> reports) => Changed?.Invoke(this, reports);

    internal void ReportEnding() => Ending?.Invoke(this);

    internal void Restore(ServiceState state, string? blocked) => (State, Blocked) = (state, blocked);

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

    /// <summary>Sends a worker its stop signal, or SIGABRT.</summary>
    internal void Send(SignalEffect signal)
    {
        if (!_service.Processes.TryGetValue(signal.Worker.Id, out var process))
        {
            return;
        }

        process.IsHeldBack = false;
        process.Watch?.Dispose();
        if (process.AwaitsMain)
        {
            _service.Ending.End(signal.Worker.Id, process, WorkerEnding.Abandoned);
        }
        else
        {
            Processes.Signal(process.Pidfd, signal.Signal);
            _service.Drains.Told(signal.Worker.Id);
        }
    }

    /// <summary>
    /// Advances the machine's time when the loop has handled all pending events. If the loop was late, an event counts as just
    /// before the first deadline that is due.
    /// </summary>
    private TimeSpan TimeOf(ServiceEvent what)
    {
        if (what is TimePassed)
        {
            return _service.Loop.LastPoll;
        }

        var now = _service.Loop.Now;
        return State.NextDeadline is { } due && due <= now ? due - TimeSpan.FromTicks(1) : now;
    }

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
            case SignalEffect signal when signal.Signal != Signals.Abort && IsHeldBack(signal):
                break;
            case SignalEffect signal:
                Send(signal);
                break;
            case KillEffect kill:
                _service.Drains.Kill(kill.Worker.Id);
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

    /// <summary>Whether the signal is sent later. A successor that finds it unsent sends it.</summary>
    private bool IsHeldBack(SignalEffect signal)
    {
        if (HoldsBack is not { } holdsBack || !_service.Processes.TryGetValue(signal.Worker.Id, out var process))
        {
            return false;
        }

        process.IsHeldBack = true;
        if (holdsBack(signal.Worker, () => Send(signal)))
        {
            return true;
        }

        process.IsHeldBack = false;
        return false;
    }
}
