using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Services;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// What clients, a reload and the daemon itself request of one service. Checks each request, and posts it to the machine if it
/// can be carried out. Lives on the loop.
/// </summary>
public sealed class ServiceRequests
{
    private readonly ServiceContext _service;

    internal ServiceRequests(ServiceContext service) => _service = service;

    /// <summary>Why the service cannot be started; null if it can.</summary>
    public string? Blocked { get; internal set; }

    /// <summary>Why the service cannot be started, as it is now; null if it can, or if that is not known.</summary>
    public string? Reason => Blocked is null ? null : Missing() ?? Blocked;

    /// <summary>Tries to bind a listener without a socket; null: nothing can.</summary>
    public Action<ListenerHandle>? Bind { get; set; }

    /// <summary>
    /// The services that have to be ready before a start of this one (true), or that a roll-out of this one waits for (false).
    /// </summary>
    public Func<ServiceSpec, bool, ImmutableArray<string>> Order { get; set; } = static (_, _) => [];

    /// <summary>What clients have changed, next to the configuration.</summary>
    public ManualChanges Manual { get; internal set; } = new();

    /// <summary>
    /// Starts the service if its listeners have sockets. If it runs, slots that wait for their next try are tried at once.
    /// </summary>
    /// <param name="onDecided">Called on the loop, perhaps before this returns: with null just before the start begins, or with
    /// the reason why it cannot begin.</param>
    public void Start(Action<string?>? onDecided = null)
    {
        BindMissing();
        Start(() => new StartRequested(), onDecided);
    }

    /// <summary>Drains all workers, for a client. The service stays stopped until a client starts it.</summary>
    public void Stop(Requester by)
    {
        if (Manual.Stop is null || _service.State.IsStarted)
        {
            Manual = Manual with { Stop = new ManualChange(by, _service.Loop.Time.GetUtcNow()) };
        }

        _service.Post(new StopRequested());
    }

    /// <summary>
    /// Changes the number of workers, for a client. It stays until a reload changes the configured number, or until autoscale changes it.
    /// Returns the reason if the service cannot have the number, else null.
    /// </summary>
    public string? Scale(int workers, Requester by)
    {
        var (spec, scale) = (_service.State.Spec, _service.State.Spec.Autoscale);
        if (spec.Start == StartMode.PerConnection)
        {
            return $"service {spec.Name} starts a process for each connection: change max_connections ({spec.Connections.Max}) and reload";
        }

        if (scale.Clamp(workers) != workers)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"autoscale keeps service {spec.Name} between {scale.Min} and {scale.Max} workers: change these bounds and reload");
        }

        Manual = Manual with
        {
            Scale = workers == _service.State.Spec.Slots ? null : new ManualChange(by, _service.Loop.Time.GetUtcNow()),
        };
        _service.Post(new ScaleRequested(workers));
        return null;
    }

    /// <summary>Changes the number of workers because of what autoscale saw. What a client has set no longer counts.</summary>
    internal void Autoscale(AutoscaleRequested scale)
    {
        _service.Post(scale);
        if (_service.State.Desired == scale.Workers)
        {
            Manual = Manual with { Scale = null };
        }
    }

    /// <summary>
    /// Starts a service that is to run, or waits for its first connection, as <c>start</c> configures it. Before that it waits for
    /// the services of <c>after</c>.
    /// </summary>
    public void Activate() => Start(Activation, null);

    /// <summary>
    /// Replaces the workers, or starts a stopped service. If a name of the service does not resolve, nothing changes.
    /// </summary>
    /// <param name="onDecided">As in <see cref="Start(Action{string?}?)"/>.</param>
    /// <param name="by">What requests it, other than a client.</param>
    public void Restart(Action<string?>? onDecided = null, string? by = null)
    {
        if (!_service.State.IsStarted)
        {
            Start(onDecided);
            return;
        }

        BindMissing();
        _service.Generations.Resolve(() => _service.State, error =>
        {
            onDecided?.Invoke(error);
            if (error is null)
            {
                _service.Post(new RestartRequested(by));
            }
        });
    }

    /// <summary>
    /// Applies another specification. Settings that need no new worker apply at once. For the others, the strategy of the new
    /// specification replaces the workers by workers of <paramref name="identity"/> on <paramref name="listeners"/>.
    /// </summary>
    public void Change(ServiceSpec spec, IReadOnlyList<ListenerHandle> listeners, WorkerIdentity identity, bool newWorkers)
    {
        var before = _service.State.Spec;
        if (spec.Slots != before.Slots)
        {
            Manual = Manual with { Scale = null };
        }

        _service.Generations.SetNext(listeners, identity);
        if (Blocked is not null && listeners.All(handle => handle.Descriptor is not null))
        {
            Blocked = null;
        }

        _service.Output.Change(before, spec);
        _service.Post(new SpecChanged(spec, newWorkers) { HeldFor = newWorkers ? Order(spec, false) : [] });
    }

    /// <summary>Gives a service without workers another socket of a listener, which its next start uses.</summary>
    public void Follow(ListenerHandle from, ListenerHandle to)
    {
        var next = _service.Generations.Next;
        _service.Generations.SetNext([.. next.Listeners.Select(handle => handle == from ? to : handle)], next.Identity);
        _service.Post(new TimePassed());
    }

    /// <summary>
    /// Replaces the worker of one slot, ready-gated and without a new generation. Returns the reason if that is not possible, else
    /// null.
    /// </summary>
    public string? Replace(int slot)
    {
        var state = _service.State;
        if (!state.IsStarted)
        {
            return "the service does not run: start it";
        }

        if (state.Spec.Start == StartMode.PerConnection)
        {
            return "the service starts a process for each connection: a restart changes what the next connection starts";
        }

        if (slot >= state.Desired)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"no slot {slot}: the service has {state.Desired} slot{(state.Desired == 1 ? "" : "s")}, from 0");
        }

        if (state.Rollout is { IsActive: true } rollout)
        {
            return string.Create(
                CultureInfo.InvariantCulture, $"the roll-out of generation {rollout.To} is in progress: wait for its end or abort it");
        }

        _service.Post(new ReplaceRequested(slot));
        return null;
    }

    /// <summary>
    /// Promotes the canary: the roll-out continues to the other slots. Returns the reason if there is no canary to promote,
    /// else null.
    /// </summary>
    public string? Promote()
    {
        var error = _service.State.Rollout switch
        {
            { IsOnTrial: true } => null,
            { IsActive: true, Canary: > 0, IsPromoted: true } rollout => $"the canary of generation {rollout.To} is already promoted",
            { IsActive: true, Phase: RolloutPhase.RollingBack } rollout => $"the roll-out of generation {rollout.To} is being rolled back",
            { IsActive: true } rollout => $"the roll-out of generation {rollout.To} has no canary",
            _ => "no roll-out is in progress",
        };
        if (error is null)
        {
            _service.Post(new PromoteRequested());
        }

        return error;
    }

    /// <summary>Rolls the roll-out back. Returns the reason if there is no roll-out to roll back, else null.</summary>
    public string? Abort()
    {
        var error = _service.State.Rollout switch
        {
            { IsActive: true, Phase: RolloutPhase.RollingBack } rollout =>
                $"the roll-out of generation {rollout.To} is already being rolled back",
            { IsActive: true } => null,
            _ => "no roll-out is in progress",
        };
        if (error is null)
        {
            _service.Post(new AbortRequested());
        }

        return error;
    }

    /// <summary>
    /// The workers that a signal can be sent to, draining workers included; with <paramref name="slot"/> only those of that slot.
    /// </summary>
    public IReadOnlyList<SignalTarget> SignalTargets(int? slot) =>
    [
        .. _service.State.Workers
            .Where(worker => (slot ?? worker.Slot) == worker.Slot && Reachable(worker.Id) is not null)
            .Select(worker => new SignalTarget(worker.Id, Reachable(worker.Id)!.Pid, WorkerText.Name(worker))),
    ];

    /// <summary>
    /// Sends a signal to the main process of each of these workers, unless it has another one by now. Returns the process ids that
    /// got it, and the first error.
    /// </summary>
    public (IReadOnlyList<int> Reached, SystemCallError? Error) Signal(int signal, IEnumerable<SignalTarget> targets)
    {
        var reached = new List<int>();
        SystemCallError? error = null;
        foreach (var target in targets)
        {
            if (Reachable(target.WorkerId) is not { } process || process.Pid != target.Pid)
            {
                continue;
            }

            if (SignalDelivery.Send(process.Main.Pidfd, process.Pid, signal) is { } failure)
            {
                error ??= failure;
            }
            else
            {
                reached.Add(process.Pid);
            }
        }

        return (reached, error);
    }

    private ServiceEvent Activation()
    {
        var spec = _service.State.Spec;
        return Order(spec, true) is { IsEmpty: false } held ? new StartHeld(held)
            : spec.Start == StartMode.OnDemand ? new DemandAwaited()
            : new StartRequested();
    }

    private WorkerProcess? Reachable(int workerId) =>
        _service.Processes.GetValueOrDefault(workerId) is { Main.AwaitsMain: false, IsEnding: false } process ? process : null;

    /// <summary>What was in the way may be gone: the listeners that have no socket are tried again.</summary>
    private void BindMissing()
    {
        foreach (var handle in _service.Generations.Next.Listeners.Where(handle => handle is { Descriptor: null, IsAwaited: false }))
        {
            Bind?.Invoke(handle);
        }
    }

    private void Start(Func<ServiceEvent> what, Action<string?>? onDecided)
    {
        if (Missing() is { } missing)
        {
            Refuse(missing, onDecided);
            return;
        }

        _service.Generations.Resolve(() => _service.State, error =>
        {
            if (error is not null)
            {
                Refuse(error, onDecided);
                return;
            }

            Blocked = null;
            Manual = Manual with { Stop = null };
            onDecided?.Invoke(null);
            _service.Post(what());
        });
    }

    private void Refuse(string error, Action<string?>? onDecided)
    {
        if (!_service.State.IsStarted)
        {
            Blocked = error;
            _service.Log.Blocked(error);
            _service.Report();
        }

        onDecided?.Invoke(error);
    }

    /// <summary>Why no worker can be started on the present listeners; null if one can.</summary>
    private string? Missing()
    {
        const int mostText = 2000;
        var listeners = _service.Generations.Next.Listeners;
        var missing = listeners.Where(handle => handle.Descriptor is null).Select(WhyMissing).ToArray();
        if (missing.Length > 0)
        {
            return NameList.Of(missing, mostText, "; ");
        }

        var readiness = _service.State.Spec.Readiness;

        // The kind of a listener that a client gives to the daemon is known only now.
        return readiness.Kind is ReadinessKind.Http or ReadinessKind.Tcp
            && !listeners.Any(handle => handle.Spec.Address.Kind.TakesProbe())
            ? $"ready = \"{readiness.Spelled()}\" needs a tcp:// or unix:// listener, not one of "
                + NameList.Of(listeners.Select(handle => handle.Name))
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
}
