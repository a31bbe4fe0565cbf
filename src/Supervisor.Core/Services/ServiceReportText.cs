
namespace Supervisor.Core.Services;

/// <summary>The text of a report about a service, for the log and for events.</summary>
public static class ServiceReportText
{
    /// <summary>The text, without the service's name before it.</summary>
    /// <param name="report">The report.</param>
    /// <param name="state">The service after the transition that reports.</param>
    /// <param name="now">The daemon's monotonic time.</param>
    public static string Of(ReportEffect report, ServiceState state, TimeSpan now)
    {
        var text = Plain(report, state, now);
        return report.LastLines is { } lines ? text + RolloutText.BeforeLastLines + lines : text;
    }

    /// <summary>Which services the start or the roll-out waits for; null if it waits for none.</summary>
    public static string? HeldText(ServiceState state) => state.HeldFor.IsEmpty
        ? null
        : $"{(state.IsStarted ? "the roll-out" : "the start")} waits for "
            + $"{(state.HeldFor.Length == 1 ? "service" : "services")} {NameList.Of(state.HeldFor)} (after)";

    private static string Plain(ReportEffect report, ServiceState state, TimeSpan now)
    {
        var spec = report.Worker is { } of ? state.SpecOf(of.Generation) : state.Spec;
        var worker = report.Worker is { } named ? WorkerText.Name(named) : "";
        return report.Report switch
        {
            ServiceReport.WorkerSpawned => $"{worker} started",
            ServiceReport.WorkerReady => $"{worker} ready after {Duration.Rounded(now - report.Worker!.StartedAt)}",
            ServiceReport.WorkerStartTimedOut => $"{worker} {report.Text}",
            ServiceReport.WorkerHung => $"{worker} {report.Text}: sending SIGABRT, SIGKILL follows in {Duration.Rounded(spec.StopTimeout)}",
            ServiceReport.WorkerRecycled or ServiceReport.WorkerUnhealthy => $"{worker} {report.Text}: replacing it",
            ServiceReport.WorkerDraining =>
                $"{worker} {(report.Worker!.EndReason == EndReason.Requested ? "draining" : "draining, because it sent STOPPING=1")}, "
                + $"SIGKILL in {Duration.Rounded(spec.StopTimeout)}",
            ServiceReport.WorkerKilled when report.Refusal is { } refusal => $"{worker} {report.Text}: SIGKILL is refused ({refusal})",
            ServiceReport.WorkerKilled => $"{worker} {report.Text}: sending SIGKILL to its processes",
            ServiceReport.WorkerRemains => $"{worker} {report.Worker!.MainExit?.Text}, but {report.Text}: "
                + $"SIGKILL in {Duration.Rounded(report.Worker.Deadline is { } at && at > now ? at - now : TimeSpan.Zero)}",
            ServiceReport.WorkerAbandoned => $"{worker} {report.Text}; listend continues without it",
            ServiceReport.WorkerLeft when report.Worker!.Remaining > 0 => $"{worker} {report.Text}; all its processes have exited",
            ServiceReport.WorkerLeft => $"{worker} {report.Text}",
            ServiceReport.WorkerDied => $"{worker} {report.Text}{WorkerText.BeforeReady(report.Worker!, report.Text)}"
                + WorkerText.AtOnce(report.Worker!, spec.Readiness, report.Text, now),
            ServiceReport.WorkerPinned or ServiceReport.WorkerPinLost => $"{worker} {report.Text}",
            ServiceReport.WorkerConnections or ServiceReport.WorkerCut => $"{worker} {report.Text}",
            ServiceReport.WorkerKeepsAccepting =>
                $"{worker} {report.Text}; its program has to close that listener on {Signals.Name(spec.StopSignal)} (stop_signal), "
                + "or SIGKILL cuts the connections that it still accepts",
            ServiceReport.SlotBackingOff => WorkerText.BackingOff(report.Slot!, spec.Restart, now),
            ServiceReport.SlotLooping => WorkerText.Looping(report.Slot!, spec.Restart),
            ServiceReport.SlotFinished =>
                $"worker {report.Slot!.Index} {report.Slot.LastExit?.Text} and is not restarted (restart.policy)"
                + (spec.Start == StartMode.OnDemand ? "; the next connection starts the service again" : ""),
            ServiceReport.RolloutStarted =>
                $"roll-out of generation {report.Rollout!.To} starts and replaces generation {report.Rollout.From}",
            ServiceReport.RolloutProgressed =>
                $"roll-out of generation {report.Rollout!.To}: {report.Rollout.Phase.ToWireName()}, {Progress(report, state, now)}",
            ServiceReport.RolloutWaiting =>
                $"roll-out of generation {report.Rollout!.To} "
                + RolloutText.Waits(spec.Name, report.Rollout, spec.Rollout.MaxGenerations, now),
            ServiceReport.RolloutCanary =>
                $"roll-out of generation {report.Rollout!.To}: the canary "
                + $"({report.Rollout.Canary} worker{(report.Rollout.Canary == 1 ? "" : "s")}) serves and is watched; "
                + $"{RolloutText.Until(spec.Name, report.Rollout, now)}",
            ServiceReport.RolloutPromoted => $"roll-out of generation {report.Rollout!.To}: the canary is promoted: {report.Text}",
            ServiceReport.RolloutFailing => $"roll-out of generation {report.Rollout!.To} fails: {report.Text}",
            ServiceReport.RolloutEnded => RolloutText.Of(RolloutFigures.Of(state, report.Rollout!, now)),
            ServiceReport.ServiceStopped => "stopped",
            ServiceReport.DemandArrived => "a connection or datagram arrived: starting the workers",
            ServiceReport.ServiceHeld => HeldText(state)!,
            ServiceReport.ServiceIdle =>
                $"no connection for {Duration.Rounded(spec.StopWhenIdle)} (stop_when_idle): stopping the workers; "
                + "the next connection starts the service again",
            ServiceReport.WorkerOutOfMemory or ServiceReport.WorkerMemoryHigh => $"{worker} {report.Text}",
            ServiceReport.ServiceAutoscaled or ServiceReport.LimitRefused or ServiceReport.ProbeUnable or ServiceReport.ProbeNeverPassed
                or ServiceReport.HookFailed => report.Text!,
            _ => throw new ArgumentOutOfRangeException(nameof(report), report.Report, null),
        };
    }

    private static string Progress(ReportEffect report, ServiceState state, TimeSpan now) =>
        RolloutText.Progress(RolloutFigures.Of(state, report.Rollout!, now));
}
