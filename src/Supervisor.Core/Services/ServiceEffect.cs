using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>The effects that the runner carries out, in order.</summary>
public abstract record ServiceEffect;

/// <summary>
/// Spawn that worker; answer with <see cref="WorkerSpawned"/>, <see cref="WorkersSpawned"/> or
/// <see cref="WorkerEnded"/>.
/// </summary>
public sealed record SpawnEffect(WorkerState Worker) : ServiceEffect;

/// <summary>Send a worker the stop signal, or SIGABRT if it hangs.</summary>
public sealed record SignalEffect(WorkerState Worker, int Signal) : ServiceEffect;

/// <summary>SIGKILL all processes of a worker.</summary>
public sealed record KillEffect(WorkerState Worker) : ServiceEffect;

/// <summary>
/// Continue without a worker that does not exit after SIGKILL; answer with <see cref="WorkerAbandoned"/>, or with
/// <see cref="WorkerEnded"/> if it exits now.
/// </summary>
public sealed record AbandonEffect(WorkerState Worker) : ServiceEffect;

/// <summary>Run a hook for that generation, after hooks that still run; answer with <see cref="HookEnded"/>.</summary>
public sealed record HookEffect(HookKind Hook, int Generation) : ServiceEffect;

/// <summary>
/// Stop that hook of that generation: SIGTERM, or nothing if it has not started; answer with <see cref="HookEnded"/>.
/// </summary>
public sealed record HookStopEffect(HookKind Hook, int Generation) : ServiceEffect;

/// <summary>Report something to the log and as an event.</summary>
public sealed record ReportEffect(ServiceReport Report, WorkerState? Worker, SlotState? Slot, RolloutState? Rollout, string? Text)
    : ServiceEffect
{
    /// <summary>What a worker that failed wrote last, escaped and bounded; null if it wrote nothing.</summary>
    public string? LastLines { get; init; }

    /// <summary>
    /// Of <see cref="ServiceReport.WorkerKilled"/>: the error with which the kernel refuses SIGKILL; null if it does not.
    /// </summary>
    public string? Refusal { get; init; }

    /// <summary>The facts about a draining worker.</summary>
    public WorkerDrain? Drain { get; init; }
}

/// <summary>What a <see cref="ReportEffect"/> reports.</summary>
public enum ServiceReport
{
    /// <summary>A worker's program runs.</summary>
    WorkerSpawned,

    /// <summary>A worker runs what its generation is pinned to, and the configuration leads elsewhere.</summary>
    WorkerPinned,

    /// <summary>What a worker's generation is pinned to was removed or replaced.</summary>
    WorkerPinLost,

    /// <summary>A worker is ready.</summary>
    WorkerReady,

    /// <summary>A worker did not become ready in time.</summary>
    WorkerStartTimedOut,

    /// <summary>A worker's watchdog expired, or the worker reported a hang.</summary>
    WorkerHung,

    /// <summary>A worker that is old or large is being replaced.</summary>
    WorkerRecycled,

    /// <summary>A worker that fails its liveness probe is being replaced.</summary>
    WorkerUnhealthy,

    /// <summary>A worker drains.</summary>
    WorkerDraining,

    /// <summary>A worker did not exit in time and is killed.</summary>
    WorkerKilled,

    /// <summary>How many connections a draining worker has.</summary>
    WorkerConnections,

    /// <summary>A draining worker accepts connections.</summary>
    WorkerKeepsAccepting,

    /// <summary>The connections that a worker had when it was killed.</summary>
    WorkerCut,

    /// <summary>A worker's main process has exited, and other processes of it remain.</summary>
    WorkerRemains,

    /// <summary>A worker did not exit after SIGKILL, and the daemon continues without it.</summary>
    WorkerAbandoned,

    /// <summary>A worker exited after its stop signal.</summary>
    WorkerLeft,

    /// <summary>A worker exited without a stop signal.</summary>
    WorkerDied,

    /// <summary>A slot waits before its next worker.</summary>
    SlotBackingOff,

    /// <summary>The workers of a slot fail again and again, too slowly for restart.limit.</summary>
    SlotLooping,

    /// <summary>A slot stays empty, as the restart policy says.</summary>
    SlotFinished,

    /// <summary>A roll-out began.</summary>
    RolloutStarted,

    /// <summary>A roll-out reached another phase or slot.</summary>
    RolloutProgressed,

    /// <summary>A roll-out waits until old generations have exited.</summary>
    RolloutWaiting,

    /// <summary>The canary of a roll-out serves and is watched.</summary>
    RolloutCanary,

    /// <summary>The canary of a roll-out was promoted.</summary>
    RolloutPromoted,

    /// <summary>A roll-out failed and is rolled back.</summary>
    RolloutFailing,

    /// <summary>A roll-out ended.</summary>
    RolloutEnded,

    /// <summary>The last worker of a stopped service has exited.</summary>
    ServiceStopped,

    /// <summary>A connection arrived for a service that waited for one.</summary>
    DemandArrived,

    /// <summary>The start or the roll-out of a service waits for other services.</summary>
    ServiceHeld,

    /// <summary>A service was idle, and waits for the next connection.</summary>
    ServiceIdle,

    /// <summary>The number of workers has changed because of <c>autoscale</c>.</summary>
    ServiceAutoscaled,

    /// <summary>The kernel killed a worker, or a process of it, because there was no memory for it.</summary>
    WorkerOutOfMemory,

    /// <summary>A worker uses more memory than <c>limits.memory_high</c>, and the kernel slows it down.</summary>
    WorkerMemoryHigh,

    /// <summary>A limit of the workers' cgroups is not in force.</summary>
    LimitRefused,

    /// <summary>The program of a probe cannot be run.</summary>
    ProbeUnable,

    /// <summary>A worker is replaced because of <c>liveness</c>, which no worker of the service has passed.</summary>
    ProbeNeverPassed,

    /// <summary>A hook failed.</summary>
    HookFailed,
}
