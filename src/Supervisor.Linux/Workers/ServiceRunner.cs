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
/// Carries out one service: events go into <see cref="ServiceMachine"/>, the effects that come out become system calls.
/// Lives on the loop.
/// </summary>
/// <remarks>
/// A worker's end is seen on its pidfd. Its last messages and output are taken first; the machine decides and a
/// successor is spawned at once; only then is what is left of the session killed and the zombie reaped, which until
/// then keeps the process id, and so the session id, from being given to anybody else.
/// </remarks>
public sealed partial class ServiceRunner : IDeadline, IDisposable
{
    /// <summary>For how long the loop gives way to a replacement at most, and how long it does not do so again.</summary>
    private static readonly TimeSpan GivesWayFor = TimeSpan.FromMilliseconds(2);

    private static readonly TimeSpan GivesWayNoSooner = TimeSpan.FromMilliseconds(50);

    private readonly EventLoop _loop;
    private readonly Spawner _spawner;
    private readonly ServiceLog _log;
    private readonly ILogger _logger;
    private readonly bool _daemonLogsToJournal;
    private OutputQueue? _output;
    private readonly HookRunner _hooks;
    private readonly IdentityRequests _identities;
    private readonly DemandWatch _demand;
    private readonly DrainWatch _drains;
    private readonly Dictionary<int, WorkerProcess> _processes = [];
    private readonly Disposer _disposer;
    private readonly DescriptorStore _stored;
    private readonly OrphanReaper? _orphans;
    private readonly Queue<ServiceEvent> _events = new();
    private readonly Dictionary<int, GenerationResources> _means = [];
    private GenerationResources _wanted;
    private readonly EnvironmentFileReader _environmentFiles;

    /// <summary>Workers whose environment is being read: they have no process yet.</summary>
    private readonly HashSet<int> _preparing = [];
    private readonly List<WorkerSpawned> _spawned = [];
    private readonly SerialQueue _looks;
    private int _sweeping;
    private bool _stepping;
    private bool _isReplacing;
    private TimeSpan? _gaveWay;

    /// <summary>A service that has not been started, on listeners in descriptor order.</summary>
    public ServiceRunner(
        EventLoop loop, Spawner spawner, ServiceSpec spec, IReadOnlyList<ListenerHandle> listeners, ILogger log, Disposer disposer,
        OrphanReaper? orphans = null, bool daemonLogsToJournal = false, UserDirectory? users = null)
    {
        _loop = loop;
        _identities = new IdentityRequests(loop, users ?? UserDirectory.Host, () => Changed?.Invoke(this, []));
        _looks = new SerialQueue(loop);
        _spawner = spawner;
        _wanted = new GenerationResources(listeners, null);
        _logger = log;
        _daemonLogsToJournal = daemonLogsToJournal;
        _output = OutputQueue.For(spec, daemonLogsToJournal, loop.Time, log, () => WorkerIdentity.RightsOf(spec));
        _log = new ServiceLog(log, spec, loop, _output);
        _disposer = disposer;
        _stored = new DescriptorStore(descriptors => disposer.Close(Disposer.OwnerOf(spec.Name), descriptors));
        _environmentFiles = new EnvironmentFileReader(loop);
        _hooks = new HookRunner(loop, spawner, _environmentFiles, _log, Post);
        _demand = new DemandWatch(loop, () => Listeners, Post);
        _drains = new DrainWatch(loop, () => AllListeners, Tell, () => Changed?.Invoke(this, []));
        State = ServiceState.Create(spec);
        _means.Add(State.Generation, _wanted);
        loop.Add(this);
        _orphans = orphans;
        if (orphans is not null)
        {
            orphans.Reaped += EndAbandoned;
        }
    }

    /// <summary>After each change, with what is worth reporting of it; the state is the new one.</summary>
    public event Action<ServiceRunner, ImmutableArray<ReportEffect>>? Changed;

    /// <summary>
    /// Asked before a worker gets its stop signal: true where it is to get it later, by the action that is handed over,
    /// since what waits in a queue is its to serve, and nobody else's.
    /// </summary>
    public Func<WorkerState, Action, bool>? HoldsBack { get; set; }

    /// <summary>The sockets that the workers of a generation have, in descriptor order.</summary>
    public IReadOnlyList<ListenerHandle> ListenersOf(int generation) => MeansOf(generation).Listeners;

    /// <summary>Before a worker's end is decided upon: what it had is still as it left it.</summary>
    public event Action<ServiceRunner>? Ending;

    /// <summary>The state.</summary>
    public ServiceState State { get; private set; }

    /// <summary>The name.</summary>
    public string Name => State.Spec.Name;

    /// <summary>The listeners of the next worker, in descriptor order.</summary>
    public IReadOnlyList<ListenerHandle> Listeners => _wanted.Listeners;

    /// <summary>Whether a worker that lives, or may yet be started, has that socket.</summary>
    public bool Uses(ListenerHandle handle) => _wanted.Listeners.Contains(handle) || _means.Values.Any(means => means.Listeners.Contains(handle));

    /// <summary>Whether a slot is meant for a generation that is, or has, something else than what is asked for, and no roll-out is there to change that.</summary>
    public bool IsMixed => State.IsMixed
        || (State.IsStarted && State.Rollout is not { IsActive: true } && State.Slots.Any(slot => slot.Index < State.Desired && !ListenersOf(slot.Generation).SequenceEqual(Listeners)));

    /// <summary>Why the service cannot be started; null where it can.</summary>
    public string? Blocked { get; private set; }

    /// <summary>What the workers have written, the newest 256 KiB of it. May be read from any thread.</summary>
    public RecentItems<OutputLine> Output => _log.Lines;

    /// <inheritdoc/>
    public TimeSpan? NextDeadline
    {
        get
        {
            var next = State.NextDeadline;
            foreach (var (until, _) in _lastWords.Values)
            {
                next = next <= until ? next : until;
            }

            return next;
        }
    }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        foreach (var (_, again) in _lastWords.Values.Where(last => last.Until <= _loop.Now).ToArray())
        {
            again();
        }

        if (State.NextDeadline <= _loop.Looked)
        {
            Post(new TimePassed());
        }
    }

    /// <summary>The process of a worker; null while there is none.</summary>
    public WorkerProcess? Process(int workerId) => _processes.GetValueOrDefault(workerId);

    /// <summary>What each living worker's processes are known by.</summary>
    public IEnumerable<WorkerFacts> Facts => _processes.Values.Where(process => !process.IsEnding).Select(process => process.Facts);

    /// <summary>Whether the workers are, or were last, started as that user.</summary>
    public bool RunsAs(uint uid) => _wanted.Identity is { } identity && (identity.Uid ?? Processes.EffectiveUid) == uid
        || _processes.Values.Any(process => process.Uid == uid);

    /// <summary>What the service waits for before it can start or restart; null where it does not.</summary>
    public string? Waits => _identities.Waits;

    /// <summary>
    /// Starts the service, if its listeners are there; where it runs, slots that wait for their next try are tried at once.
    /// </summary>
    /// <param name="onDecided">Called on the loop, perhaps before this returns: with null just before the start begins, or with the reason why it cannot.</param>
    public void Start(Action<string?>? onDecided = null) => Start(() => new StartRequested(), onDecided);

    /// <summary>What the daemon does with a service that is to run: starts it, or waits for its first connection, as <c>start</c> says.</summary>
    public void Activate() => Start(() => State.Spec.Start == StartMode.OnDemand ? new DemandAwaited() : new StartRequested(), null);

    private void Start(Func<ServiceEvent> what, Action<string?>? onDecided)
    {
        if (Missing() is { } missing)
        {
            Refuse(missing, onDecided);
            return;
        }

        Resolve(error =>
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
            _log.Blocked(error);
            Changed?.Invoke(this, []);
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

        var why = handle.Diagnosis is { } diagnosis ? $" ({diagnosis.Cause?.ToWireName()}): {diagnosis.Verdict}" : $": {handle.Failure?.Arguments}";
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

        Resolve(error =>
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
        _wanted = new GenerationResources(listeners, identity);
        if (Blocked is not null && listeners.All(handle => handle.Descriptor is not null))
        {
            Blocked = null;
        }

        if (before.Log != spec.Log || (spec.Log.Kind == LogTargetKind.File && !WorkerIdentity.IsSame(before, spec)))
        {
            // The old queue may have to wait for a slow disk: not on the loop.
            var old = _output;
            _log.Redirect(_output = OutputQueue.For(spec, _daemonLogsToJournal, _loop.Time, _logger, () => WorkerIdentity.RightsOf(spec)));
            if (old is not null)
            {
                _ = Task.Run(old.Dispose);
            }
        }

        Post(new SpecChanged(spec, newWorkers));
    }

    /// <summary>Promotes the canary: the roll-out continues to the other slots. The reason where there is none to promote, else null.</summary>
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
            { IsActive: true, Phase: RolloutPhase.RollingBack } rollout => $"the roll-out of generation {rollout.To} is being rolled back already",
            { IsActive: true } => null,
            _ => "no roll-out is under way",
        };
        if (error is null)
        {
            Post(new AbortRequested());
        }

        return error;
    }

    /// <summary>Sends a signal to the main process of each worker, also of those that drain; the process ids of those that it reached.</summary>
    public IReadOnlyList<int> Signal(int signal)
    {
        var reached = new List<int>();
        foreach (var process in _processes.Values)
        {
            if (process is { AwaitsMain: false, IsEnding: false } && Processes.Signal(process.Pidfd, signal) is null)
            {
                reached.Add(process.Pid);
            }
        }

        return reached;
    }

    /// <summary>Hands an event to the machine and carries out what comes of it, in order, also when effects raise events of their own.</summary>
    public void Post(ServiceEvent what)
    {
        if (what is StopRequested)
        {
            _identities.Cancel("the service was stopped before its user was known");
        }

        _events.Enqueue(what);
        if (_stepping)
        {
            return;
        }

        _stepping = true;
        try
        {
            var mayChangeShares = false;
            while (true)
            {
                if (!_events.TryDequeue(out var next))
                {
                    if (!mayChangeShares)
                    {
                        break;
                    }

                    // Only now: a worker that has no process yet has no share, and one that could not be started needs none.
                    mayChangeShares = false;
                    CoverShards();
                    continue;
                }

                var now = TimeOf(next);
                var before = State;
                var (state, effects) = ServiceMachine.Step(State, next, now);
                State = state;
                Provide(before, next);
                _drains.Follow(State);

                // Acts before words: whoever reads the log must not keep a worker from being replaced.
                var reports = ImmutableArray.CreateBuilder<ReportEffect>();
                var spawns = effects.Count(effect => effect is SpawnEffect);
                if (spawns > 1)
                {
                    Spawner.Expect(spawns);
                }

                foreach (var effect in effects)
                {
                    switch (effect)
                    {
                        case ReportEffect report:
                            reports.Add(report);
                            break;
                        case SpawnEffect spawn:
                            Spawn(spawn.Worker, isOneOfMany: spawns > 1);
                            break;
                        default:
                            CarryOut(effect, now);
                            break;
                    }
                }

                if (spawns > 1)
                {
                    Spawner.Finish();
                }

                foreach (var report in reports)
                {
                    CarryOut(report, now);
                }

                _stored.RemoveFrom(State is { IsStarted: false, Workers.IsEmpty: true } ? 0 : State.Slots.Length);
                _demand.Follow(State);
                Changed?.Invoke(this, reports.ToImmutable());
                mayChangeShares |= next is ScaleRequested or SpecChanged;
            }
        }
        finally
        {
            _stepping = false;
        }
    }

    /// <summary>SIGKILL to every worker's session: the second request to leave.</summary>
    public void KillAll()
    {
        foreach (var process in _processes.Values)
        {
            Kill(process);
        }

        _hooks.Kill();
    }

    /// <summary>Whether a stopped service has nothing left to do: no worker, nothing that one left, no hook.</summary>
    public bool IsGone => State is { IsStarted: false, Workers.IsEmpty: true } && _sweeping == 0 && _hooks.IsIdle;

    /// <summary>Waits until the workers' lines have been written where they go, unless that takes too long.</summary>
    public void FlushOutput() => _output?.Flush();

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop.Remove(this);
        if (_orphans is not null)
        {
            _orphans.Reaped -= EndAbandoned;
        }

        _identities.Dispose();
        _stored.Dispose();
        foreach (var process in _processes.Values)
        {
            Unwatch(process);
            process.Dispose();
        }

        _processes.Clear();
        _hooks.Dispose();
        _demand.Dispose();
        _drains.Dispose();
        _log.Dispose();
        _output?.Dispose();
    }

    /// <summary>
    /// Time passes for the machine when the loop says so, which is when all that has come has been dealt with. An event
    /// that is late, since the loop was, happens just before the first deadline that is due.
    /// </summary>
    private TimeSpan TimeOf(ServiceEvent what)
    {
        if (what is TimePassed)
        {
            return _loop.Looked;
        }

        var now = _loop.Now;
        return State.NextDeadline is { } due && due <= now ? due - TimeSpan.FromTicks(1) : now;
    }

    /// <summary>Looks up the user and groups of the next generation.</summary>
    private void Resolve(Action<string?> onResolved)
    {
        var spec = State.Spec;
        _identities.Resolve(spec, (identity, error) =>
        {
            if (identity is not null && !WorkerIdentity.IsSame(spec, State.Spec))
            {
                // A reload has named others in the meantime.
                Resolve(onResolved);
                return;
            }

            if (identity is not null)
            {
                _wanted = _wanted with { Identity = identity };
                foreach (var (generation, means) in _means.Where(pair => pair.Value.Identity is null || !State.IsStarted).ToArray())
                {
                    _means[generation] = means with { Identity = identity };
                }
            }

            onResolved(error);
        });
    }

    /// <summary>Looks up the user and groups of a generation that a predecessor began, and did not tell.</summary>
    private void ResolveGeneration(int generation, Action<string?> onResolved) => _identities.Resolve(State.SpecOf(generation), (identity, error) =>
    {
        if (identity is not null && _means.TryGetValue(generation, out var means))
        {
            _means[generation] = means with { Identity = means.Identity ?? identity };
        }
        else if (identity is not null)
        {
            _wanted = _wanted with { Identity = identity };
        }

        onResolved(error);
    });

    /// <summary>
    /// A generation that has just begun gets what is there for it now and keeps it; one of which nothing is left is
    /// forgotten. Where a roll-out was taken back, the next one begins with what there was before.
    /// </summary>
    private void Provide(ServiceState before, ServiceEvent what)
    {
        if (ReferenceEquals(before.Specs, State.Specs) && ReferenceEquals(before.Spec, State.Spec))
        {
            return;
        }

        foreach (var generation in State.Specs.Keys)
        {
            _means.TryAdd(generation, _wanted);
        }

        if (what is not SpecChanged && !ReferenceEquals(before.Spec, State.Spec) && State.Rollout is { } rollout && _means.TryGetValue(rollout.From, out var former))
        {
            _wanted = former;
        }

        foreach (var generation in _means.Keys.Where(generation => !State.Specs.ContainsKey(generation)).ToArray())
        {
            _means.Remove(generation);
        }
    }

    private GenerationResources MeansOf(int generation) => _means.GetValueOrDefault(generation) ?? _wanted;

    private void CarryOut(ServiceEffect effect, TimeSpan now)
    {
        switch (effect)
        {
            case SpawnEffect spawn:
                Spawn(spawn.Worker, isOneOfMany: false);
                break;
            case SignalEffect signal when CancelSpawn(signal.Worker.Id):
                break;
            case KillEffect kill when CancelSpawn(kill.Worker.Id):
                break;
            case SignalEffect signal when signal.Signal != Signals.Abort && IsHeldBack(signal):
                break;
            case SignalEffect signal:
                Send(signal);
                break;
            case KillEffect kill:
                _drains.Kill(kill.Worker.Id, () => KillWorker(kill.Worker.Id));
                break;
            case HookEffect hook:
                RunHook(hook);
                break;
            case HookStopEffect stop:
                _hooks.Stop(stop);
                break;
            case ReportEffect report:
                if (report is { Report: ServiceReport.WorkerReady, Worker: { } ready } && _processes.TryGetValue(ready.Id, out var process))
                {
                    process.ReadyAt = _loop.Time.GetUtcNow();
                }

                _log.Report(report, State, now);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(effect), effect, null);
        }
    }

    private void RunHook(HookEffect hook)
    {
        if (MeansOf(hook.Generation).Identity is { } identity)
        {
            _hooks.Run(State.SpecOf(hook.Generation), identity, hook);
            return;
        }

        ResolveGeneration(hook.Generation, error =>
        {
            if (error is null)
            {
                RunHook(hook);
            }
            else
            {
                Post(new HookEnded(hook.Hook, hook.Generation, $"{hook.Hook.Setting()} could not be started: {error}"));
            }
        });
    }

    private void KillWorker(int workerId)
    {
        if (_processes.TryGetValue(workerId, out var process))
        {
            Kill(process);
        }
    }

    /// <summary>Whether the signal is sent later; a successor that finds it not sent yet sends it.</summary>
    private bool IsHeldBack(SignalEffect signal)
    {
        if (HoldsBack is not { } holdsBack || !_processes.TryGetValue(signal.Worker.Id, out var process))
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

    private void Send(SignalEffect signal)
    {
        if (_processes.TryGetValue(signal.Worker.Id, out var asked))
        {
            asked.IsHeldBack = false;
            asked.Watch?.Dispose();
            if (asked.AwaitsMain)
            {
                End(signal.Worker.Id, asked, Abandoned);
            }
            else
            {
                Processes.Signal(asked.Pidfd, signal.Signal);
                _drains.Told(signal.Worker.Id, _loop.Now);
            }
        }
    }
}
