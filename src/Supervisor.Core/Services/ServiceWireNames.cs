using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>The names of a service's states and settings in the configuration, the control interface, logs and events.</summary>
public static class ServiceWireNames
{
    /// <summary>The <c>state</c> of a service.</summary>
    public static string ToWireName(this ServiceCondition condition) => condition switch
    {
        ServiceCondition.Starting => "starting",
        ServiceCondition.Running => "running",
        ServiceCondition.Degraded => "degraded",
        ServiceCondition.Rolling => "rolling",
        ServiceCondition.Stopping => "stopping",
        ServiceCondition.Stopped => "stopped",
        ServiceCondition.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(condition), condition, null),
    };

    /// <summary>The <c>state</c> of a worker.</summary>
    public static string ToWireName(this WorkerPhase phase) => phase switch
    {
        WorkerPhase.Starting => "starting",
        WorkerPhase.Ready => "ready",
        WorkerPhase.Draining => "draining",
        WorkerPhase.Stopping or WorkerPhase.Killed => "stopping",
        _ => throw new ArgumentOutOfRangeException(nameof(phase), phase, null),
    };

    /// <summary>The <c>state</c> of a roll-out.</summary>
    public static string ToWireName(this RolloutPhase phase) => phase switch
    {
        RolloutPhase.Waiting or RolloutPhase.Replacing => "replacing",
        RolloutPhase.Canary => "canary",
        RolloutPhase.Draining => "draining",
        RolloutPhase.RollingBack => "rolling-back",
        RolloutPhase.Done => "done",
        RolloutPhase.RolledBack => "rolled-back",
        RolloutPhase.Failed => "failed",
        RolloutPhase.Superseded => "superseded",
        _ => throw new ArgumentOutOfRangeException(nameof(phase), phase, null),
    };

    /// <summary><c>rollout.strategy</c>.</summary>
    public static string ToWireName(this RolloutStrategy strategy) => strategy switch
    {
        RolloutStrategy.Rolling => "rolling",
        RolloutStrategy.Overlap => "overlap",
        RolloutStrategy.StopFirst => "stop-first",
        _ => throw new ArgumentOutOfRangeException(nameof(strategy), strategy, null),
    };

    /// <summary><c>handoff</c>.</summary>
    public static string ToWireName(this HandoffKind handoff) => handoff switch
    {
        HandoffKind.ListenFds => "listen-fds",
        HandoffKind.ScmRights => "scm-rights",
        HandoffKind.Einhorn => "einhorn",
        HandoffKind.ServerStarter => "server-starter",
        HandoffKind.Nginx => "nginx",
        HandoffKind.Gunicorn => "gunicorn",
        HandoffKind.Stdin => "stdin",
        HandoffKind.None => "none",
        _ => throw new ArgumentOutOfRangeException(nameof(handoff), handoff, null),
    };

    /// <summary>The <c>evidence</c> that a draining worker keeps accepting.</summary>
    public static string ToWireName(this AcceptingEvidence evidence) => evidence switch
    {
        AcceptingEvidence.Accepted => "accepted",
        AcceptingEvidence.Waiting => "waiting",
        _ => throw new ArgumentOutOfRangeException(nameof(evidence), evidence, null),
    };

    /// <summary>
    /// The <c>kind</c> of an event; null for a report that is not an event, because the change of the service's state is one.
    /// </summary>
    public static string? ToEventKind(this ServiceReport report) => report switch
    {
        ServiceReport.WorkerSpawned => "worker-spawned",
        ServiceReport.WorkerPinned => "worker-pinned",
        ServiceReport.WorkerPinLost => "worker-pin-lost",
        ServiceReport.WorkerReady => "worker-ready",
        ServiceReport.WorkerStartTimedOut => "worker-start-timeout",
        ServiceReport.WorkerHung => "worker-hung",
        ServiceReport.WorkerRecycled => "worker-recycled",
        ServiceReport.WorkerUnhealthy => "worker-unhealthy",
        ServiceReport.WorkerDraining => "worker-draining",
        ServiceReport.WorkerKilled => "worker-killed",
        ServiceReport.WorkerRemains => "worker-remains",
        ServiceReport.WorkerAbandoned => "worker-abandoned",
        ServiceReport.WorkerLeft => "worker-left",
        ServiceReport.WorkerDied => "worker-died",
        ServiceReport.WorkerConnections => "worker-connections",
        ServiceReport.WorkerKeepsAccepting => "worker-keeps-accepting",
        ServiceReport.WorkerCut => "worker-cut",
        ServiceReport.SlotBackingOff => "worker-backoff",
        ServiceReport.SlotLooping => "worker-crash-loop",
        ServiceReport.SlotFinished => "worker-finished",
        ServiceReport.RolloutStarted => "rollout-started",
        ServiceReport.RolloutProgressed => "rollout-progressed",
        ServiceReport.RolloutWaiting => "rollout-waiting",
        ServiceReport.RolloutCanary => "rollout-canary",
        ServiceReport.RolloutPromoted => "rollout-promoted",
        ServiceReport.RolloutFailing => "rollout-failing",
        ServiceReport.RolloutEnded => "rollout-ended",
        ServiceReport.ServiceStopped => null,
        ServiceReport.DemandArrived => "service-demand",
        ServiceReport.ServiceHeld => "service-waiting",
        ServiceReport.ServiceIdle => "service-idle",
        ServiceReport.ServiceAutoscaled => "service-autoscaled",
        ServiceReport.WorkerOutOfMemory => "worker-out-of-memory",
        ServiceReport.WorkerMemoryHigh => "worker-memory-high",
        ServiceReport.LimitRefused => "service-limit-refused",
        ServiceReport.ProbeUnable => "service-probe-unable",
        ServiceReport.ProbeNeverPassed => "service-probe-never-passed",
        ServiceReport.HookFailed => "hook-failed",
        _ => throw new ArgumentOutOfRangeException(nameof(report), report, null),
    };
}
