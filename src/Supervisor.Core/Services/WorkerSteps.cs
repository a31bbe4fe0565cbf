using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>The events of workers, and their effects on slots and the roll-out.</summary>
internal sealed class WorkerSteps(ServiceStep step)
{
    private static readonly ExitReason Stopping = new(true, "sent STOPPING=1");

    /// <summary>A worker's program runs.</summary>
    public void Spawned(int workerId, int pid)
    {
        step.Update(workerId, worker => worker with { Pid = pid });
        if (Find(workerId) is { } spawned)
        {
            step.Report(ServiceReport.WorkerSpawned, spawned);
            if (spawned.Connection is not null || step.State.SpecOf(spawned.Generation).Readiness.Kind == ReadinessKind.Started)
            {
                Happened(workerId, WorkerEvent.Ready);
            }
        }
    }

    /// <summary>One event of a worker's own machine; ignored if there is no such worker.</summary>
    public void Happened(int workerId, WorkerEvent what)
    {
        if (Find(workerId) is not { } before)
        {
            return;
        }

        var spec = step.State.SpecOf(before.Generation);
        var (after, action) = WorkerMachine.Step(before, what, spec, step.Now);
        if (ReferenceEquals(after, before) && action == WorkerMachine.Action.None)
        {
            // A worker of a stopped service gets another stop event whenever one of them exits.
            return;
        }

        step.Update(workerId, _ => after);
        switch (action)
        {
            case WorkerMachine.Action.Signal:
                step.Add(new SignalEffect(after, spec.StopSignal));
                break;
            case WorkerMachine.Action.Abort:
                step.Add(new SignalEffect(after, Signals.Abort));
                break;
            case WorkerMachine.Action.Kill:
                step.Add(new KillEffect(after));
                break;
            case WorkerMachine.Action.Abandon:
                step.Add(new AbandonEffect(after));
                break;
            case WorkerMachine.Action.None:
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(what), action, null);
        }

        if (before.Phase != after.Phase)
        {
            EnteredPhase(before, after);
        }
    }

    /// <summary>
    /// A worker's main process has exited. If the daemon did not stop it, it is replaced now, unless the strategy forbids two
    /// workers of a slot. The worker stays until its other processes have exited.
    /// </summary>
    public void MainEnded(int workerId, ExitReason reason)
    {
        if (Find(workerId) is not { MainExit: null } before)
        {
            return;
        }

        var spec = step.State.SpecOf(before.Generation);
        var (after, _) = WorkerMachine.Step(before, WorkerEvent.MainExited, spec, step.Now);
        step.Update(workerId, _ => after with { MainExit = reason });
        if (before.EndReason != EndReason.None)
        {
            return;
        }

        step.Report(ServiceReport.WorkerDied, before, text: reason.Text);
        if (before.Connection is null && !before.RestartDecided && !spec.Rollout.StopsFirst)
        {
            step.Update(workerId, ended => ended with { RestartDecided = true });
            step.Slots.ApplyRestartPolicy(before, reason);
        }

        if (before.IsLive)
        {
            step.Rollout.WorkerFailed(before, $"{Name(before)} {reason.Text}");
        }
    }

    /// <summary>Processes of a worker remain after its main process has exited.</summary>
    public void Remains(WorkerRemains remains)
    {
        MainEnded(remains.WorkerId, remains.Reason);
        if (Find(remains.WorkerId) is { } worker && worker.Remaining != remains.Count)
        {
            step.Update(worker.Id, one => one with { Remaining = remains.Count });
            if (worker.Remaining == 0)
            {
                step.Report(ServiceReport.WorkerRemains, Find(worker.Id), text: remains.What);
            }
        }
    }

    /// <summary>The daemon continues without a worker that does not exit after SIGKILL.</summary>
    public void Abandoned(int workerId, string what)
    {
        if (Find(workerId) is { } worker)
        {
            Remove(worker, ServiceReport.WorkerAbandoned, new ExitReason(false, what));
        }
    }

    /// <summary>The whole worker has exited, or was never created.</summary>
    public void Ended(int workerId, ExitReason reason)
    {
        if (Find(workerId) is not { } worker)
        {
            return;
        }

        ServiceReport? report = worker switch
        {
            { EndReason: EndReason.Requested or EndReason.Hung } => ServiceReport.WorkerLeft,
            { EndReason: EndReason.None, MainExit: null } => ServiceReport.WorkerDied,
            { EndReason: EndReason.None, Remaining: > 0 } => ServiceReport.WorkerLeft,
            _ => null,
        };
        Remove(worker, report, worker.MainExit ?? reason);
    }

    /// <summary>Kills all workers of a stopped service.</summary>
    public void KillAll()
    {
        foreach (var worker in step.State.IsStarted ? [] : step.State.Workers)
        {
            Happened(worker.Id, WorkerEvent.Kill);
        }
    }

    private void Remove(WorkerState worker, ServiceReport? report, ExitReason reason)
    {
        step.Remove(worker.Id);
        step.Connections.Ended(isFailure: worker is { Connection: not null, EndReason: EndReason.None } && !reason.Clean);
        if (report is { } kind)
        {
            step.Report(kind, worker, text: reason.Text);
        }

        if (worker.EndReason != EndReason.Requested && !worker.RestartDecided)
        {
            step.Slots.ApplyRestartPolicy(worker, worker.EndReason switch
            {
                EndReason.Hung => new ExitReason(false, worker.Hang!),
                EndReason.StartTimedOut => new ExitReason(false, StartTimeoutText(worker)),
                _ => reason,
            });
        }

        if (worker.IsLive)
        {
            step.Rollout.WorkerFailed(worker, $"{Name(worker)} {reason.Text}");
        }

        if (!step.State.IsStarted && step.State.Workers.IsEmpty)
        {
            step.Hooks.Stopped();
        }
    }

    /// <summary>Handles deadlines that have passed.</summary>
    public void PassDeadlines()
    {
        foreach (var worker in step.State.Workers)
        {
            if (worker.NextDeadline <= step.Now)
            {
                PassDeadline(worker);
            }
        }
    }

    /// <summary>For one worker. A separate method, because its lambda would be garbage for every worker at every event.</summary>
    private void PassDeadline(WorkerState worker)
    {
        // The watchdog first: a worker that hangs has not settled.
        if (worker.WatchdogDeadline <= step.Now)
        {
            Happened(worker.Id, WorkerEvent.WatchdogPassed);
        }

        if (worker.Deadline <= step.Now && step.State.Workers.Any(still => still.Id == worker.Id && still.Deadline <= step.Now))
        {
            Happened(worker.Id, WorkerEvent.DeadlinePassed);
        }
    }

    private void EnteredPhase(WorkerState before, WorkerState after)
    {
        switch (after.Phase)
        {
            case WorkerPhase.Ready:
                step.Report(ServiceReport.WorkerReady, after);
                if (after.Slot < step.State.Slots.Length && step.State.Slots[after.Slot] is var slot && slot.Generation == after.Generation
                    && slot.Phase is SlotPhase.BackingOff or SlotPhase.Limited)
                {
                    step.Set(slot with { Phase = SlotPhase.Open, NextTry = null });
                }

                break;
            case WorkerPhase.Draining:
                step.Report(ServiceReport.WorkerDraining, after);
                if (after.EndReason == EndReason.None)
                {
                    DrainsUnasked(before, after);
                }

                break;
            case WorkerPhase.Stopping when after.EndReason == EndReason.StartTimedOut:
                step.Report(ServiceReport.WorkerStartTimedOut, after, text: StartTimeoutText(after));
                step.Rollout.WorkerFailed(after, $"{Name(after)} {StartTimeoutText(after)}");
                break;
            case WorkerPhase.Stopping when after.EndReason == EndReason.Hung:
                step.Report(ServiceReport.WorkerHung, after, text: after.Hang);
                Hangs(before, after);
                break;
            case WorkerPhase.Killed:
                var spec = step.State.SpecOf(after.Generation);
                step.Report(ServiceReport.WorkerKilled, after, text: before.Deadline <= step.Now
                    ? $"did not exit within stop_timeout ({Duration.Rounded(spec.StopTimeout)})" : "has to be killed now");
                break;
            case WorkerPhase.Starting or WorkerPhase.Stopping:
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(after), after.Phase, null);
        }
    }

    /// <summary>
    /// Replaces a worker that drains without a stop signal while it drains. The limits of any other restart apply, unless the
    /// policy depends on how it exits.
    /// </summary>
    private void DrainsUnasked(WorkerState before, WorkerState worker)
    {
        step.Rollout.WorkerFailed(before, $"{Name(worker)} {Stopping.Text}");
        if (step.State.SpecOf(worker.Generation).Restart.Policy == RestartPolicy.Always)
        {
            step.Update(worker.Id, draining => draining with { RestartDecided = true });
            step.Slots.ApplyRestartPolicy(worker, Stopping);
        }
    }

    /// <summary>
    /// Replaces a worker that hangs while it writes its core, because it serves no client. Not if the strategy forbids two
    /// workers of a slot.
    /// </summary>
    private void Hangs(WorkerState before, WorkerState worker)
    {
        step.Rollout.WorkerFailed(before, $"{Name(worker)} {worker.Hang}");
        if (!step.State.SpecOf(worker.Generation).Rollout.StopsFirst)
        {
            step.Update(worker.Id, hung => hung with { RestartDecided = true });
            step.Slots.ApplyRestartPolicy(worker, new ExitReason(false, worker.Hang!));
        }
    }

    private WorkerState? Find(int workerId) => step.State.Find(workerId);

    private static string Name(WorkerState worker) => $"worker {worker.Slot}{(worker.Pid is { } pid ? $" (pid {pid})" : "")}";

    private string StartTimeoutText(WorkerState worker)
    {
        var spec = step.State.SpecOf(worker.Generation);
        return $"was not ready within start_timeout ({Duration.Rounded(spec.StartTimeout)})" + spec.Readiness.Kind switch
        {
            ReadinessKind.Started => "",
            ReadinessKind.Log => $": no line of its output contains \"{Printable.Of(spec.Readiness.Text!)}\"",
            ReadinessKind.Descriptor => $": {worker.Seen ?? $"it wrote no newline to descriptor {spec.Readiness.Descriptor}"}",
            ReadinessKind.Notify or ReadinessKind.Accepting or ReadinessKind.Http or ReadinessKind.Tcp or ReadinessKind.Exec =>
                worker.Seen is { } seen ? $": {seen}" : "",
            _ => throw new ArgumentOutOfRangeException(nameof(worker)),
        };
    }
}
