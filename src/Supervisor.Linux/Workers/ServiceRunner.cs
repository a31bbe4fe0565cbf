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
/// Carries out one service: events go into <see cref="ServiceMachine"/>, and the effects that come out become system calls of
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

    /// <summary>After each change, with what is worth reporting of it; the state is the new one.</summary>
    public event Action<ServiceRunner, ImmutableArray<ReportEffect>>? Changed;

    /// <summary>
    /// Asked before a worker gets its stop signal: true where it is to get it later, by the action that is handed over,
    /// because only this worker can serve what waits in a queue.
    /// </summary>
    public Func<WorkerState, Action, bool>? HoldsBack { get; set; }

    /// <summary>The sockets that the workers of a generation have, in descriptor order.</summary>
    public IReadOnlyList<ListenerHandle> ListenersOf(int generation) => _service.Generations.Of(generation).Listeners;

    /// <summary>Before a worker's end is decided upon: what it had is still as it left it.</summary>
    public event Action<ServiceRunner>? Ending;

    /// <summary>The state.</summary>
    public ServiceState State { get; private set; }

    /// <summary>The name.</summary>
    public string Name => State.Spec.Name;

    /// <summary>The listeners of the next worker, in descriptor order.</summary>
    public IReadOnlyList<ListenerHandle> Listeners => _service.Generations.Next.Listeners;

    /// <summary>The listeners of all generations, and of the next one: after a reload two may have the same name.</summary>
    public IReadOnlyList<ListenerHandle> AllListeners => _service.Generations.AllListeners;

    /// <summary>Whether a worker that lives, or may yet be started, has that socket.</summary>
    public bool Uses(ListenerHandle handle) => _service.Generations.Uses(handle);

    /// <summary>
    /// Whether a slot is meant for a generation that is, or has, something else than what is asked for, and no roll-out
    /// is there to change that.
    /// </summary>
    public bool IsMixed => State.IsMixed
        || (State.IsStarted && State.Rollout is not { IsActive: true }
            && State.Slots.Any(slot => slot.Index < State.Desired && !ListenersOf(slot.Generation).SequenceEqual(Listeners)));

    /// <summary>Why the service cannot be started; null where it can.</summary>
    public string? Blocked { get; private set; }

    /// <summary>What the workers have written, the newest 256 KiB of it. May be read from any thread.</summary>
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

    /// <summary>The process of a worker; null while there is none.</summary>
    public WorkerProcess? Process(int workerId) => _service.Processes.GetValueOrDefault(workerId);

    /// <summary>What each living worker's processes are known by.</summary>
    public IEnumerable<WorkerFacts> Facts => _service.Processes.Values.Where(process => !process.IsEnding).Select(process => process.Facts);

    /// <summary>Whether the workers are, or were last, started as that user.</summary>
    public bool RunsAs(uint uid) =>
        (_service.Generations.Next.Identity is { } identity && (identity.Uid ?? Processes.EffectiveUid) == uid)
        || _service.Processes.Values.Any(process => process.Uid == uid);

    /// <summary>Whether a hook runs. Only the daemon that started it is sure to learn how it ends.</summary>
    public bool RunsHook => !_hooks.IsIdle;

    /// <summary>Whether a notify socket at that path is one of the workers'.</summary>
    public bool HasNotifySocket(string path) => _service.Processes.Values.Any(process => process.Notify.Path == path);

    /// <summary>What is known of a draining worker, as it was last seen; null of any other worker.</summary>
    public WorkerDrain? Drain(int workerId) => _service.Drains.Of(workerId);

    /// <summary>How many connections draining workers have, as far as was seen; null where nothing was.</summary>
    public int? DrainingConnections => _service.Drains.Connections;

    /// <summary>
    /// Somebody waits for the outcome of drains (1), or waits no more (-1): in the meantime connections are counted
    /// twice a second.
    /// </summary>
    public void FollowDrains(int by) => _service.Drains.Follow(by);

    /// <summary>A question about the connections of all workers, to be asked on any thread. On the loop.</summary>
    public AcceptedConnections ConnectionQuestion() => new(AllListeners);

    /// <summary>Whether a worker has, or may have, that socket of a listener.</summary>
    public bool Holds(int workerId, ListenerSocket socket) => _service.Shards.Holds(workerId, socket);

    /// <summary>Whether workers have to be replaced for a listener to have that many shards, and the service that many workers.</summary>
    public bool NeedsOtherShares(ListenerHandle handle, int shards, int workers) =>
        _service.Shards.NeedsOtherShares(handle, shards, workers);

    /// <summary>Replaces the workers if shards and slots do not fit each other any more.</summary>
    public void CoverShards() => _service.Shards.Cover();

    /// <summary>
    /// The service for a successor, its descriptors among <paramref name="descriptors"/> if they are asked for, and
    /// what its workers have written with <paramref name="withOutput"/>.
    /// </summary>
    public ServiceEntry Snapshot(OutgoingDescriptors? descriptors, bool withOutput) => _snapshot.Take(descriptors, withOutput);

    /// <summary>
    /// Takes over a predecessor's service as it was; <see cref="Resume"/> continues it. Before anything else is asked
    /// of this runner.
    /// </summary>
    public void Restore(ServiceEntry entry, IncomingDescriptors descriptors, bool areChildren) =>
        _snapshot.Restore(entry, descriptors, areChildren);

    /// <summary>Continues a predecessor's service: what the predecessor has missed happens now.</summary>
    public void Resume()
    {
        _demand.Follow(State);
        _snapshot.Resume();
    }

    /// <summary>What the service waits for before it can start or restart; null where it does not.</summary>
    public string? Waits => _service.Generations.Waits;

    /// <summary>
    /// Starts the service, if its listeners are there; where it runs, slots that wait for their next try are tried at once.
    /// </summary>
    /// <param name="onDecided">Called on the loop, perhaps before this returns: with null just before the start begins, or with
    /// the reason why it cannot.</param>
    public void Start(Action<string?>? onDecided = null) => Start(() => new StartRequested(), onDecided);

    /// <summary>
    /// What the daemon does with a service that is to run: starts it, or waits for its first connection, as
    /// <c>start</c> says.
    /// </summary>
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

    /// <summary>Why no worker could be started on the listeners as they are; null where one could.</summary>
    private string? Missing()
    {
        var missing = Listeners.Where(handle => handle.Descriptor is null).Select(WhyMissing).ToArray();
        if (missing.Length > 0)
        {
            return string.Join("; ", missing);
        }

        // Of a listener that is given to the daemon, the kind is known only now.
        return State.Spec.Readiness.Kind == ReadinessKind.Http && !Listeners.Any(handle => handle.Spec.Address.Kind.TakesHttpProbe())
            ? $"ready = \"http:{State.Spec.Readiness.Path}\" asks a tcp:// or unix:// listener, and there is none among {string.Join(", ", Listeners.Select(handle => handle.Name))}"
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

    /// <summary>Replaces the workers, or starts a stopped service. Where a name of the service does not resolve, nothing changes.</summary>
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
    /// Something else is asked for. What needs no new worker holds at once; otherwise the workers are replaced by those of
    /// <paramref name="identity"/> on <paramref name="listeners"/>, by the strategy of the new spec.
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
            // The old queue may have to wait for a slow disk: not on the loop.
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
    /// Promotes the canary: the roll-out continues to the other slots. The reason where there is none to promote, else
    /// null.
    /// </summary>
    public string? Promote()
    {
        var error = State.Rollout switch
        {
            { IsOnTrial: true } => null,
            { IsActive: true, Canary: > 0, IsPromoted: true } rollout => $"the canary of generation {rollout.To} has been promoted already",
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

    /// <summary>Rolls the roll-out back. The reason where there is none that could be, else null.</summary>
    public string? Abort()
    {
        var error = State.Rollout switch
        {
            { IsActive: true, Phase: RolloutPhase.RollingBack } rollout =>
                $"the roll-out of generation {rollout.To} is being rolled back already",
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
    /// Sends a signal to the main process of each worker, also of those that drain; the process ids of those that it
    /// reached.
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
    /// Hands an event to the machine and carries out what comes of it, in order, also when effects raise events of
    /// their own.
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
                    // Only now: a worker that has no process yet has no share, and one that could not be started needs none.
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
        _service.Drains.Follow(State);

        // Acts before words: writing the log must not delay a replacement.
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
        _demand.Follow(State);
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

    /// <summary>Whether a stopped service has nothing left to do: no worker, nothing that one left, no hook.</summary>
    public bool IsGone => State is { IsStarted: false, Workers.IsEmpty: true } && !_service.Ending.IsSweeping && _hooks.IsIdle;

    /// <summary>Waits until the workers' lines have been written where they go, unless that takes too long.</summary>
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
    /// Time passes for the machine when the loop says so, which is when all that has come has been dealt with. An event
    /// that is late, because the loop was, happens just before the first deadline that is due.
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

    /// <summary>Whether the signal is sent later. A successor that finds it not sent yet sends it.</summary>
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
