using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>What the runner has to do, in order.</summary>
public abstract record ServiceEffect;

/// <summary>
/// Spawn that worker; answer with <see cref="WorkerSpawned"/>, <see cref="WorkersSpawned"/> or
/// <see cref="WorkerEnded"/>.
/// </summary>
public sealed record SpawnEffect(WorkerState Worker) : ServiceEffect;

/// <summary>Send a worker the stop signal, or SIGABRT where it hangs.</summary>
public sealed record SignalEffect(WorkerState Worker, int Signal) : ServiceEffect;

/// <summary>SIGKILL a worker's whole session.</summary>
public sealed record KillEffect(WorkerState Worker) : ServiceEffect;

/// <summary>Run a hook for that generation, after those that still run; answer with <see cref="HookEnded"/>.</summary>
public sealed record HookEffect(HookKind Hook, int Generation) : ServiceEffect;

/// <summary>
/// Stop that hook of that generation: SIGTERM, or nothing where it has yet to run; answer with
/// <see cref="HookEnded"/>.
/// </summary>
public sealed record HookStopEffect(HookKind Hook, int Generation) : ServiceEffect;

/// <summary>Something worth a line in the log and an event.</summary>
public sealed record ReportEffect(ServiceReport Report, WorkerState? Worker, SlotState? Slot, RolloutState? Rollout, string? Text)
    : ServiceEffect
{
    /// <summary>Of what a worker that leaves has left: what is known of it.</summary>
    public WorkerDrain? Drain { get; init; }
}

/// <summary>What a <see cref="ReportEffect"/> reports.</summary>
public enum ServiceReport
{
    /// <summary>A worker's program runs.</summary>
    WorkerSpawned,

    /// <summary>A worker is ready.</summary>
    WorkerReady,

    /// <summary>A worker did not get ready in time.</summary>
    WorkerStartTimedOut,

    /// <summary>A worker's watchdog ends it.</summary>
    WorkerHung,

    /// <summary>A worker was asked to drain.</summary>
    WorkerDraining,

    /// <summary>A worker did not leave in time and is killed.</summary>
    WorkerKilled,

    /// <summary>How many connections a worker that leaves has left.</summary>
    WorkerConnections,

    /// <summary>A worker accepts connections though it was asked to leave.</summary>
    WorkerKeepsAccepting,

    /// <summary>The connections that a worker had when it was killed.</summary>
    WorkerCut,

    /// <summary>A worker ended because it was asked to.</summary>
    WorkerLeft,

    /// <summary>A worker exited without being asked to.</summary>
    WorkerDied,

    /// <summary>A slot waits before its next worker.</summary>
    SlotBackingOff,

    /// <summary>A slot stays empty, as the restart policy says.</summary>
    SlotFinished,

    /// <summary>A roll-out began.</summary>
    RolloutStarted,

    /// <summary>A roll-out moved on.</summary>
    RolloutProgressed,

    /// <summary>A roll-out waits for old generations to leave.</summary>
    RolloutWaiting,

    /// <summary>The canary of a roll-out serves and is watched.</summary>
    RolloutCanary,

    /// <summary>A roll-out's canary was found good.</summary>
    RolloutPromoted,

    /// <summary>A roll-out goes back.</summary>
    RolloutFailing,

    /// <summary>A roll-out ended.</summary>
    RolloutEnded,

    /// <summary>The last worker of a stopped service is gone.</summary>
    ServiceStopped,

    /// <summary>A connection is there for a service that waited for one.</summary>
    DemandArrived,

    /// <summary>A service has had nothing to do, and waits for the next connection.</summary>
    ServiceIdle,

    /// <summary>A hook did not end well.</summary>
    HookFailed,
}
