using System.Collections.Immutable;
using Serilog;
using Supervisor.Core.Handoff;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Linux.Listeners;
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
public sealed class ServiceRunner : IDeadline, IDisposable
{
    private readonly EventLoop _loop;
    private readonly Spawner _spawner;
    private readonly IReadOnlyList<ListenerHandle> _listeners;
    private readonly ServiceLog _log;
    private readonly Dictionary<int, WorkerProcess> _processes = [];
    private readonly Queue<ServiceEvent> _events = new();
    private WorkerIdentity? _identity;
    private bool _stepping;

    /// <summary>A service that has not been started, on listeners in descriptor order.</summary>
    public ServiceRunner(EventLoop loop, Spawner spawner, ServiceSpec spec, IReadOnlyList<ListenerHandle> listeners, ILogger log)
    {
        _loop = loop;
        _spawner = spawner;
        _listeners = listeners;
        _log = new ServiceLog(log, spec);
        State = ServiceState.Create(spec);
        loop.Add(this);
    }

    /// <summary>After each change, with what is worth reporting of it; the state is the new one.</summary>
    public event Action<ServiceRunner, ImmutableArray<ReportEffect>>? Changed;

    /// <summary>The state.</summary>
    public ServiceState State { get; private set; }

    /// <summary>The name.</summary>
    public string Name => State.Spec.Name;

    /// <summary>The listeners, in descriptor order.</summary>
    public IReadOnlyList<ListenerHandle> Listeners => _listeners;

    /// <summary>Why the service cannot be started; null where it can.</summary>
    public string? Blocked { get; private set; }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline => State.NextDeadline;

    /// <inheritdoc/>
    public void PassDeadline() => Post(new TimePassed());

    /// <summary>The process of a worker; null while there is none.</summary>
    public WorkerProcess? Process(int workerId) => _processes.GetValueOrDefault(workerId);

    /// <summary>Starts the service, if its listeners are there.</summary>
    public void Start()
    {
        var missing = _listeners.Where(handle => handle.Descriptor is null).Select(handle => $"listener \"{handle.Name}\" has no socket: {handle.Failure}").ToArray();
        Blocked = missing.Length > 0 ? string.Join("; ", missing) : null;
        if (Blocked is null && !Resolve(out var error))
        {
            Blocked = error;
        }

        if (Blocked is not null)
        {
            _log.Blocked(Blocked);
            return;
        }

        Post(new StartRequested());
    }

    /// <summary>Replaces the workers; false where names of the service no longer resolve, and then nothing changes.</summary>
    public bool Restart(out string? error)
    {
        if (!Resolve(out error))
        {
            return false;
        }

        Post(new RestartRequested());
        return true;
    }

    /// <summary>Hands an event to the machine and carries out what comes of it, in order, also when effects raise events of their own.</summary>
    public void Post(ServiceEvent what)
    {
        _events.Enqueue(what);
        if (_stepping)
        {
            return;
        }

        _stepping = true;
        try
        {
            while (_events.TryDequeue(out var next))
            {
                var (state, effects) = ServiceMachine.Step(State, next, _loop.Now);
                State = state;

                // Acts before words: whoever reads the log must not keep a worker from being replaced.
                foreach (var effect in effects.OrderBy(effect => effect is ReportEffect))
                {
                    CarryOut(effect);
                }

                Changed?.Invoke(this, [.. effects.OfType<ReportEffect>()]);
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
            process.KillSession();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop.Remove(this);
        foreach (var process in _processes.Values)
        {
            Unwatch(process);
            process.Dispose();
        }

        _processes.Clear();
    }

    private bool Resolve(out string? error)
    {
        if (!WorkerIdentity.TryResolve(State.Spec, out var identity, out error))
        {
            return false;
        }

        _identity = identity;
        return true;
    }

    private void CarryOut(ServiceEffect effect)
    {
        switch (effect)
        {
            case SpawnEffect spawn:
                Spawn(spawn.Worker);
                break;
            case SignalEffect signal:
                if (_processes.TryGetValue(signal.Worker.Id, out var asked))
                {
                    Processes.Signal(asked.Pidfd, signal.Signal);
                }

                break;
            case KillEffect kill:
                _processes.GetValueOrDefault(kill.Worker.Id)?.KillSession();
                break;
            case ReportEffect report:
                if (report is { Report: ServiceReport.WorkerReady, Worker: { } ready } && _processes.TryGetValue(ready.Id, out var process))
                {
                    process.ReadyAt = _loop.Time.GetUtcNow();
                }

                _log.Report(report, _loop.Now);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(effect), effect, null);
        }
    }

    private void Spawn(WorkerState worker)
    {
        // The lines' pid is known only once the process is there, and it writes none before.
        var pid = 0;
        var process = _spawner.Spawn(
            State.Spec, _identity!, worker, _listeners,
            line => _log.Output(worker, pid, line, isError: false),
            line => _log.Output(worker, pid, line, isError: true),
            out var failure);
        if (process is null)
        {
            Post(new WorkerEnded(worker.Id, ExitReason.NotStarted(failure!)));
            return;
        }

        pid = process.Pid;
        _processes.Add(worker.Id, process);
        Post(new WorkerSpawned(worker.Id, pid));
        if (State.Spec.Handoff is not (HandoffKind.None or HandoffKind.ScmRights))
        {
            for (var i = 0; i < _listeners.Count; i++)
            {
                var number = State.Spec.Handoff == HandoffKind.Stdin ? 0 : HandoffEnvironment.ListenFdsStart + i;
                _listeners[i].History.Add(
                    HandlePhase.Handoff, "execve", actor: new HistoryActor(pid, $"{Name}/{worker.Slot}"),
                    note: $"descriptor {number} of worker {worker.Slot}, generation {worker.Generation}, by {Word(State.Spec.Handoff)}");
            }
        }

        _loop.Watch(process.Notify.Descriptor, () => TakeMessages(worker.Id, process));
        Watch(process.Output);
        Watch(process.Error);
        _loop.Watch(process.Pidfd, () => Ended(worker.Id, process));
    }

    private void Watch(OutputPipe pipe) => _loop.Watch(pipe.Descriptor, () =>
    {
        if (!pipe.Drain())
        {
            _loop.Unwatch(pipe.Descriptor);
        }
    });

    private void TakeMessages(int workerId, WorkerProcess process) => process.Notify.Drain(
        process.Pid,
        message =>
        {
            if (message.Status is { } status)
            {
                process.StatusText = status;
            }

            if (message.IsReady && State.Spec.Readiness.Kind == ReadinessKind.Notify)
            {
                Post(new WorkerReady(workerId));
            }

            if (message.IsStopping)
            {
                Post(new WorkerLeaving(workerId));
            }
        },
        (reason, sender) => _log.MessageRefused(process.Pid, sender, reason));

    private void Ended(int workerId, WorkerProcess process)
    {
        if (Processes.PeekExit(process.Pidfd) is not { } exit)
        {
            return;
        }

        TakeMessages(workerId, process);
        process.Output.Drain();
        process.Error.Drain();
        _processes.Remove(workerId);
        Unwatch(process);
        Post(new WorkerEnded(workerId, exit.Signalled ? ExitReason.Signalled(exit.Status, exit.CoreDumped) : ExitReason.Exited(exit.Status)));

        process.KillSession();
        process.Output.Drain();
        process.Error.Drain();
        Processes.Reap(process.Pidfd);
        process.Dispose();
    }

    private void Unwatch(WorkerProcess process)
    {
        _loop.Unwatch(process.Pidfd);
        _loop.Unwatch(process.Notify.Descriptor);
        _loop.Unwatch(process.Output.Descriptor);
        _loop.Unwatch(process.Error.Descriptor);
    }

    private static string Word(HandoffKind kind) => kind switch
    {
        HandoffKind.ListenFds => "listen-fds",
        HandoffKind.ScmRights => "scm-rights",
        HandoffKind.Einhorn => "einhorn",
        HandoffKind.ServerStarter => "server-starter",
        HandoffKind.Nginx => "nginx",
        HandoffKind.Gunicorn => "gunicorn",
        HandoffKind.Stdin => "stdin",
        HandoffKind.None => "none",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
