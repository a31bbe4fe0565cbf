using System.Globalization;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Services;
using Supervisor.Daemon.Runtime;

namespace Supervisor.Daemon.Control;

/// <summary>The words of an event: its kind, and its line for people.</summary>
internal static class EventText
{
    /// <summary>The kind; null where the report is no event of its own, since the service's change of state says it.</summary>
    public static string? Kind(ServiceReport report) => report switch
    {
        ServiceReport.WorkerSpawned => "worker-spawned",
        ServiceReport.WorkerReady => "worker-ready",
        ServiceReport.WorkerStartTimedOut => "worker-start-timeout",
        ServiceReport.WorkerHung => "worker-hung",
        ServiceReport.WorkerDraining => "worker-draining",
        ServiceReport.WorkerKilled => "worker-killed",
        ServiceReport.WorkerLeft => "worker-left",
        ServiceReport.WorkerDied => "worker-died",
        ServiceReport.SlotBackingOff => "worker-backoff",
        ServiceReport.SlotFinished => "worker-finished",
        ServiceReport.RolloutStarted => "rollout-started",
        ServiceReport.RolloutProgressed => "rollout-progressed",
        ServiceReport.RolloutWaiting => "rollout-waiting",
        ServiceReport.RolloutCanary => "rollout-canary",
        ServiceReport.RolloutPromoted => "rollout-promoted",
        ServiceReport.RolloutFailing => "rollout-failing",
        ServiceReport.RolloutEnded => "rollout-ended",
        ServiceReport.ServiceStopped => null,
        ServiceReport.WorkerConnections => "worker-connections",
        ServiceReport.WorkerKeepsAccepting => "worker-keeps-accepting",
        ServiceReport.WorkerCut => "worker-cut",
        ServiceReport.DemandArrived => "service-demand",
        ServiceReport.ServiceIdle => "service-idle",
        ServiceReport.HookFailed => "hook-failed",
        _ => throw new ArgumentOutOfRangeException(nameof(report), report, null),
    };

    /// <summary>The line for people.</summary>
    public static string Message(ServiceSpec spec, ReportEffect report, RolloutDocument? rollout, TimeSpan now)
    {
        var worker = report.Worker is { } subject ? Who(spec, subject) : "";
        return report.Report switch
        {
            ServiceReport.WorkerSpawned => $"{worker} started",
            ServiceReport.WorkerReady => $"{worker} is ready after {Durations.Text(now - report.Worker!.StartedAt)}",
            ServiceReport.WorkerStartTimedOut => $"{worker} {report.Text}",
            ServiceReport.WorkerHung => $"{worker} {report.Text}: it is sent SIGABRT, has {Durations.Text(spec.StopTimeout)}",
            ServiceReport.WorkerDraining => $"{worker} {(report.Worker!.EndRequested ? "was asked to drain" : "says that it is leaving")}, has {Durations.Text(spec.StopTimeout)}",
            ServiceReport.WorkerKilled => $"{worker} did not leave within stop_timeout ({Durations.Text(spec.StopTimeout)}) and is killed with its session",
            ServiceReport.WorkerLeft => $"{worker} has left: {report.Text}",
            ServiceReport.WorkerDied => $"{worker} {report.Text}{(report.Worker is { Pid: not null, ReadyAt: null } ? " before it was ready" : "")}",
            ServiceReport.SlotBackingOff => $"{Slot(spec, report.Slot!)} {Failures(spec, report.Slot!)}: next try in {Durations.Text(report.Slot!.NextTry!.Value - now)}",
            ServiceReport.SlotFinished => $"{Slot(spec, report.Slot!)} is not started again (restart.policy)",
            ServiceReport.RolloutStarted => $"service {spec.Name}: roll-out of generation {report.Rollout!.To} over {report.Rollout.From} begins",
            ServiceReport.RolloutProgressed => $"service {spec.Name}: roll-out of generation {rollout!.To}: {rollout.State}, {rollout.Replaced} of {rollout.Total} replaced, {rollout.Draining} leaving",
            ServiceReport.RolloutWaiting => $"service {spec.Name}: roll-out of generation {report.Rollout!.To} {RolloutWords.Waits(spec.Name, report.Rollout, spec.Rollout.MaxGenerations, now)}",
            ServiceReport.RolloutCanary => $"service {spec.Name}: roll-out of generation {report.Rollout!.To}: the canary of {report.Rollout.Canary} serves and is watched; {RolloutWords.Until(spec.Name, report.Rollout, now)}",
            ServiceReport.RolloutPromoted => $"service {spec.Name}: roll-out of generation {report.Rollout!.To}: the canary is promoted: {report.Text}",
            ServiceReport.RolloutFailing => $"service {spec.Name}: roll-out of generation {report.Rollout!.To} fails: {report.Text}",
            ServiceReport.RolloutEnded => Ended(spec, report.Rollout!, now),
            ServiceReport.ServiceStopped => $"service {spec.Name}: stopped",
            ServiceReport.WorkerConnections or ServiceReport.WorkerKeepsAccepting or ServiceReport.WorkerCut => $"{worker} {report.Text}",
            ServiceReport.DemandArrived => $"service {spec.Name}: a connection waits; it is started",
            ServiceReport.ServiceIdle => $"service {spec.Name}: no connection for {Durations.Text(spec.StopWhenIdle)} (stop_when_idle): its workers leave; the next connection starts it again",
            ServiceReport.HookFailed => $"service {spec.Name}: {report.Text}",
            _ => throw new ArgumentOutOfRangeException(nameof(report), report.Report, null),
        };
    }

    private static string Ended(ServiceSpec spec, RolloutState rollout, TimeSpan now)
    {
        var elapsed = Durations.Text((rollout.EndedAt ?? now) - rollout.StartedAt);
        return rollout.Phase == RolloutPhase.Done
            ? $"service {spec.Name}: generation {rollout.To} serves; the roll-out took {elapsed}"
            : $"service {spec.Name}: roll-out of generation {rollout.To} ended after {elapsed}, {Documents.Word(rollout.Phase)}: {rollout.Reason}";
    }

    private static string Failures(ServiceSpec spec, SlotState slot) => slot.LimitReached
        ? $"was restarted {spec.Restart.Limit} times within {Durations.Text(spec.Restart.LimitInterval)} (restart.limit)"
        : $"keeps failing ({slot.Failures} in a row)";

    private static string Who(ServiceSpec spec, WorkerState worker) => string.Create(
        CultureInfo.InvariantCulture, $"service {spec.Name}: worker {worker.Slot} ({(worker.Pid is { } pid ? $"pid {pid}, " : "")}generation {worker.Generation})");

    private static string Slot(ServiceSpec spec, SlotState slot) => string.Create(CultureInfo.InvariantCulture, $"service {spec.Name}: worker {slot.Index}");
}
