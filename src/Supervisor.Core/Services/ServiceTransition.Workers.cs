using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>What is heard of workers, and what time makes of them.</summary>
internal sealed partial class ServiceTransition
{
    public void Update(int workerId, Func<WorkerState, WorkerState> change)
    {
        for (var i = 0; i < State.Workers.Length; i++)
        {
            if (State.Workers[i].Id == workerId)
            {
                State = State with { Workers = State.Workers.SetItem(i, change(State.Workers[i])) };
                return;
            }
        }
    }

    public void Spawned(int workerId, int pid)
    {
        Update(workerId, worker => worker with { Pid = pid });
        if (State.Workers.FirstOrDefault(worker => worker.Id == workerId) is { } spawned)
        {
            Report(ServiceReport.WorkerSpawned, spawned);
            if (State.SpecOf(spawned.Generation).Readiness.Kind == ReadinessKind.Started)
            {
                Worker(workerId, WorkerEvent.Ready);
            }
        }
    }

    public void Worker(int workerId, WorkerEvent what)
    {
        if (State.Workers.FirstOrDefault(worker => worker.Id == workerId) is not { } before)
        {
            return;
        }

        var spec = State.SpecOf(before.Generation);
        var (after, action) = WorkerMachine.Step(before, what, spec, Now);
        if (ReferenceEquals(after, before) && action == WorkerMachine.Action.None)
        {
            // Said again to each worker of a service that stops, whenever one of them has gone.
            return;
        }

        Update(workerId, _ => after);
        switch (action)
        {
            case WorkerMachine.Action.Signal:
                _effects.Add(new SignalEffect(after, spec.StopSignal));
                break;
            case WorkerMachine.Action.Abort:
                _effects.Add(new SignalEffect(after, Signals.Abort));
                break;
            case WorkerMachine.Action.Kill:
                _effects.Add(new KillEffect(after));
                break;
            case WorkerMachine.Action.None:
                break;
        }

        if (before.Phase == after.Phase)
        {
            return;
        }

        switch (after.Phase)
        {
            case WorkerPhase.Ready:
                Report(ServiceReport.WorkerReady, after);
                if (after.Slot < State.Slots.Length && State.Slots[after.Slot] is var slot && slot.Generation == after.Generation && (slot.LimitReached || slot.NextTry is not null))
                {
                    SetSlot(slot with { LimitReached = false, NextTry = null });
                }

                break;
            case WorkerPhase.Draining:
                Report(ServiceReport.WorkerDraining, after);
                if (!after.EndRequested)
                {
                    Leaving(before, after);
                }

                break;
            case WorkerPhase.Stopping when after.StartTimedOut:
                Report(ServiceReport.WorkerStartTimedOut, after, text: StartTimeoutText(after));
                RolloutMachine.NewWorkerFailed(this, after, $"{Who(after)} {StartTimeoutText(after)}");
                break;
            case WorkerPhase.Stopping when after.Hang is { } hang:
                Report(ServiceReport.WorkerHung, after, text: hang);
                Hung(before, after, hang);
                break;
            case WorkerPhase.Killed:
                Report(ServiceReport.WorkerKilled, after);
                break;
            case WorkerPhase.Starting or WorkerPhase.Stopping:
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(what), after.Phase, null);
        }
    }

    /// <summary>
    /// A worker that leaves by itself is replaced while it drains, under the limits of any other restart, unless the
    /// policy depends on how it ends.
    /// </summary>
    private void Leaving(WorkerState before, WorkerState worker)
    {
        RolloutMachine.NewWorkerFailed(this, before, $"{Who(worker)} said that it is stopping");
        if (State.SpecOf(worker.Generation).Restart.Policy == RestartPolicy.Always)
        {
            Update(worker.Id, leaving => leaving with { Judged = true });
            Judge(worker, new ExitReason(true, "said that it is stopping"));
        }
    }

    /// <summary>
    /// A worker that hangs serves nobody: it is replaced while it leaves its core, unless the strategy says that two of a
    /// slot must not be.
    /// </summary>
    private void Hung(WorkerState before, WorkerState worker, string text)
    {
        RolloutMachine.NewWorkerFailed(this, before, $"{Who(worker)} {text}");
        if (!State.SpecOf(worker.Generation).Rollout.StopsFirst)
        {
            Update(worker.Id, hung => hung with { Judged = true });
            Judge(worker, new ExitReason(false, text));
        }
    }

    public void End(int workerId, ExitReason reason)
    {
        if (State.Workers.FirstOrDefault(worker => worker.Id == workerId) is not { } worker)
        {
            return;
        }

        State = State with { Workers = State.Workers.Remove(worker) };
        if (worker.EndRequested && !worker.StartTimedOut)
        {
            Report(ServiceReport.WorkerLeft, worker, text: reason.Text);
        }

        if (!worker.EndRequested || worker.HasFailed)
        {
            if (!worker.HasFailed)
            {
                Report(ServiceReport.WorkerDied, worker, text: reason.Text);
            }

            if (!worker.Judged)
            {
                Judge(worker, worker.Hang is { } hang ? new ExitReason(false, hang) : worker.StartTimedOut ? new ExitReason(false, StartTimeoutText(worker)) : reason);
            }

            if (worker.IsLive)
            {
                RolloutMachine.NewWorkerFailed(this, worker, $"{Who(worker)} {reason.Text}");
            }
        }

        if (!State.Wanted && State.Workers.IsEmpty)
        {
            Stopped();
        }
    }

    /// <summary>Lets the restart policy decide about the slot of a worker that ended, or leaves, by itself.</summary>
    private void Judge(WorkerState worker, ExitReason reason)
    {
        // A slot counts the failures of the generation that it is meant for; a new generation's failure is the roll-out's.
        if (!State.Wanted || worker.Slot >= State.Slots.Length || State.Slots[worker.Slot].Generation != worker.Generation)
        {
            return;
        }

        var slot = RestartDecision.After(State.Slots[worker.Slot], worker, reason, State.SpecOf(worker.Generation), Now);
        SetSlot(slot);
        if (slot.Finished)
        {
            Report(ServiceReport.SlotFinished, worker, slot);
        }
        else if (slot.NextTry is not null)
        {
            Report(ServiceReport.SlotBackingOff, worker, slot);
        }

        RolloutMachine.OldWorkerFailed(this, worker, slot, reason.Text);
        if (slot.Finished)
        {
            RolloutMachine.Keep(this, State.Slots[slot.Index]);
        }
    }

    public void PassDeadlines()
    {
        foreach (var worker in State.Workers)
        {
            if (worker.NextDeadline <= Now)
            {
                PassDeadline(worker);
            }
        }

        if (State.Wanted && State.Rollout is { } rollout && rollout.PromotedAt <= Now)
        {
            RolloutMachine.Promote(this, $"canary_hold ({Durations.Text(State.SpecOf(rollout.To).Rollout.CanaryHold)}) went well");
        }

        for (var i = 0; i < State.Slots.Length; i++)
        {
            if (State.Slots[i].NextTry <= Now)
            {
                SetSlot(State.Slots[i] with { NextTry = null });
            }
        }
    }

    /// <summary>Of one worker. A method of its own, since what it looks for would be garbage of every worker at every event.</summary>
    private void PassDeadline(WorkerState worker)
    {
        // The watchdog first: a worker that hangs has not settled.
        if (worker.WatchdogDeadline <= Now)
        {
            Worker(worker.Id, WorkerEvent.WatchdogPassed);
        }

        if (worker.Deadline <= Now && State.Workers.Any(still => still.Id == worker.Id && still.Deadline <= Now))
        {
            Worker(worker.Id, WorkerEvent.DeadlinePassed);
        }
    }

    private static string Who(WorkerState worker) => $"worker {worker.Slot}{(worker.Pid is { } pid ? $" (pid {pid})" : "")}";

    private string StartTimeoutText(WorkerState worker) =>
        $"was not ready within start_timeout ({Durations.Text(State.SpecOf(worker.Generation).StartTimeout)})" + State.SpecOf(worker.Generation).Readiness.Kind switch
        {
            ReadinessKind.Notify => ": it never sent READY=1; if it cannot, set ready = \"started\"",
            ReadinessKind.Started => "",
            ReadinessKind.Accepting or ReadinessKind.Http => worker.Seen is { } seen ? $": {seen}" : "",
            _ => throw new ArgumentOutOfRangeException(nameof(worker)),
        };
}
