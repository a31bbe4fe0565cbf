using Supervisor.Core.Services;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Adds to the machine's reports what only the system knows: what a failed worker or hook wrote last, and why the kernel refuses a kill.
/// On the loop.
/// </summary>
internal sealed class ReportDetails(ServiceContext service, HookRunner hooks)
{
    /// <summary>What failed workers wrote last.</summary>
    public FailureLines FailureLines { get; } = new();

    /// <summary>The report of an event, with the details.</summary>
    public ReportEffect AddTo(ReportEffect report, ServiceEvent what, ServiceState state) =>
        WithRefusal(WithLastLines(report, what, state));

    /// <summary>Logs the processes of connections that have failed.</summary>
    public void LogFailedConnections(ServiceState before, ServiceEvent what)
    {
        var all = what is WorkersEnded several ? several.Workers : what is WorkerEnded one ? [one] : [];
        foreach (var ended in all)
        {
            if (before.Workers.FirstOrDefault(worker => worker.Id == ended.WorkerId) is { Connection: not null } failed
                && (failed.MainExit ?? ended.Reason) is { Clean: false } reason)
            {
                var lines = failed.Pid is { } pid ? service.Output.LastLines(pid) : [];
                service.Log.ConnectionFailed(failed, reason.Text, lines.Count == 0 ? null : string.Join(" | ", lines));
            }
        }
    }

    /// <summary>A failure with what the worker or hook wrote last, which says more than its exit status.</summary>
    private ReportEffect WithLastLines(ReportEffect report, ServiceEvent what, ServiceState state)
    {
        if (report.Report == ServiceReport.HookFailed && what is HookEnded hook)
        {
            if (hook.Hook == HookKind.PreStart)
            {
                FailureLines.Note(hook, hooks.LastLines, state);
            }

            return hooks.LastLines.Count == 0 ? report : report with { LastLines = string.Join(" | ", hooks.LastLines) };
        }

        if (report is not
            {
                Report: ServiceReport.WorkerDied or ServiceReport.WorkerStartTimedOut or ServiceReport.WorkerHung,
                Worker: { } worker
            })
        {
            return report;
        }

        var lines = worker.Pid is { } pid ? service.Output.LastLines(pid) : [];
        var bind = OwnBind.Explain(lines, service.Generations.Of(worker.Generation).Listeners, state.SpecOf(worker.Generation));
        FailureLines.Note(worker, bind is null ? lines : [.. lines, bind], state);
        if (lines.Count == 0)
        {
            return report;
        }

        var text = string.Join(" | ", lines);
        return report with { LastLines = bind is null ? text : $"{text}; {bind}" };
    }

    /// <summary>A kill with the error if the kernel refuses it. Signal 0 has the checks of any other.</summary>
    private ReportEffect WithRefusal(ReportEffect report) =>
        report is { Report: ServiceReport.WorkerKilled, Worker.Id: var id } && service.Processes.TryGetValue(id, out var process)
        && (process.KillRefusal ?? SignalDelivery.Send(process.Main.Pidfd, process.Pid, 0)) is { } refusal
            ? report with { Refusal = refusal.Name }
            : report;
}
