using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>Gives each slot its worker, and applies the restart policy.</summary>
internal sealed class SlotSteps(ServiceStep step)
{
    /// <summary>Up to this number of slots, the notes about each fit on the stack.</summary>
    private const int MostOnStack = 512;

    /// <summary>Reconciles: every slot has a live worker of its generation, and workers that no slot needs drain.</summary>
    public void Reconcile()
    {
        if (!step.State.IsStarted)
        {
            foreach (var worker in step.State.Workers)
            {
                step.Workers.Happened(worker.Id, WorkerEvent.Stop);
            }

            if (step.Before.IsStarted && step.State.Workers.IsEmpty)
            {
                step.Hooks.Stopped();
            }

            return;
        }

        step.Rollout.Advance();
        step.Connections.Prepare();
        CoverSlots();
        ReplaceDue();
        foreach (var worker in step.State.SlotWorkers.Where(worker => worker.Slot >= step.State.Desired && worker.IsLive))
        {
            step.Workers.Happened(worker.Id, WorkerEvent.Stop);
        }

        RemoveEmptied();
        if (step.Rollout.Conclude())
        {
            // What the roll-out held back: nothing else may happen to the service for hours.
            ReplaceDue();
        }

        step.Hooks.Announce();
        step.Service.RestUntilDemand();
    }

    /// <summary>
    /// Replaces the worker of a slot: it serves until another one has settled. If the strategy forbids two workers of a slot, it
    /// exits first.
    /// </summary>
    public void Replace(int index)
    {
        if (index >= step.State.Desired)
        {
            return;
        }

        var slot = step.State.Slots[index].Reopened();
        step.Set(slot);
        foreach (var worker in step.State.WorkersOf(index).Where(worker => worker.IsLive))
        {
            step.Update(worker.Id, replaced => replaced with { IsReplaced = true });
            if (worker.Phase == WorkerPhase.Starting || step.State.SpecOf(slot.Generation).Rollout.StopsFirst)
            {
                End(worker);
            }
        }
    }

    /// <summary>Applies the restart policy to the slot of a worker that failed or exits without a stop signal.</summary>
    public void ApplyRestartPolicy(WorkerState worker, ExitReason reason)
    {
        // A slot counts failures of its own generation; a failure of a new generation belongs to the roll-out.
        var state = step.State;
        if (worker.Connection is not null || !state.IsStarted
            || worker.Slot >= state.Slots.Length || state.Slots[worker.Slot].Generation != worker.Generation)
        {
            return;
        }

        if (!worker.IsReplaced && KeepReplaced(worker))
        {
            step.Set(state.Slots[worker.Slot] with { LastExit = reason });
            return;
        }

        var slot = RestartDecision.After(state.Slots[worker.Slot], worker, reason, state.SpecOf(worker.Generation), step.Now);
        var restarts = slot.Restarts - state.Slots[worker.Slot].Restarts;
        step.State = state with
        {
            TotalRestarts = state.TotalRestarts + restarts,
            Counters = state.Counters.WithRestarts(RestartCause.Of(worker, reason), restarts),
        };
        step.Set(slot);
        if (slot.Phase == SlotPhase.Finished)
        {
            step.Report(ServiceReport.SlotFinished, worker, slot);
        }
        else if (slot.NextTry is not null)
        {
            step.Report(ServiceReport.SlotBackingOff, worker, slot);
        }
        else if (!reason.Clean && slot.CrashLoop?.IsNews(state.SpecOf(worker.Generation).Restart) == true)
        {
            step.Report(ServiceReport.SlotLooping, worker, slot);
        }

        step.Rollout.SlotDecided(worker, slot, reason.Text);
    }

    /// <summary>Forgets the restarts and failures of a worker's slot, if the worker is of the slot's generation.</summary>
    public void ForgetRestarts(int workerId)
    {
        var worker = step.State.SlotWorkers.FirstOrDefault(one => one.Id == workerId);
        if (worker is not null && worker.Slot < step.State.Slots.Length && step.State.Slots[worker.Slot] is var slot
            && slot.Generation == worker.Generation)
        {
            step.State = step.State with { TotalRestarts = step.State.TotalRestarts };
            step.Set(slot with { Restarts = 0, Failures = 0, RecentRestarts = [], CrashLoop = null });
        }
    }

    /// <summary>Ends the replacement of a worker, because the new one has failed; false if none is replaced in that slot.</summary>
    private bool KeepReplaced(WorkerState failed)
    {
        var replaced = step.State.WorkersOf(failed.Slot).FirstOrDefault(
            worker => worker.Id != failed.Id && worker is { IsReplaced: true, IsLive: true });
        if (replaced is null)
        {
            return false;
        }

        step.Update(replaced.Id, step.Replacements.Kept);
        return true;
    }

    private void ReplaceDue()
    {
        if (step.Replacements.Begin())
        {
            CoverSlots();
        }
    }

    /// <summary>Opens slots whose wait is over.</summary>
    public void PassDeadlines()
    {
        for (var i = 0; i < step.State.Slots.Length; i++)
        {
            if (step.State.Slots[i].NextTry <= step.Now)
            {
                step.Set(step.State.Slots[i] with { NextTry = null });
            }
        }
    }

    /// <summary>
    /// Handles the slots that differ from the normal case: one live worker of the slot's own generation. One pass without
    /// garbage, because hundreds of workers become ready one by one.
    /// </summary>
    private void CoverSlots()
    {
        var slots = step.State.Slots;
        var workers = step.State.Workers;
        Span<bool> has = slots.Length <= MostOnStack ? stackalloc bool[slots.Length] : new bool[slots.Length];
        Span<bool> isOdd = slots.Length <= MostOnStack ? stackalloc bool[slots.Length] : new bool[slots.Length];
        foreach (var worker in workers)
        {
            if (worker.Connection is null && worker.Slot < slots.Length)
            {
                isOdd[worker.Slot] |= has[worker.Slot] || worker.IsReplaced || !worker.IsLive
                    || worker.Generation != slots[worker.Slot].Generation;
                has[worker.Slot] = true;
            }
        }

        for (var i = 0; i < slots.Length; i++)
        {
            if ((isOdd[i] || !has[i]) && i < step.State.Desired)
            {
                Cover(slots[i], step.State.WorkersOf(i));
            }
        }
    }

    /// <summary>
    /// Reconciles one slot: it has a live worker of its generation. All others drain once that worker is ready; until then one
    /// of them serves. The roll-out handles its own new workers.
    /// </summary>
    private void Cover(SlotState slot, IEnumerable<WorkerState> workers)
    {
        var ours = workers.Where(worker => worker.IsLive && !RolloutMachine.IsNew(step.State, worker)).ToArray();
        var replaced = ours.FirstOrDefault(worker => worker is { IsReplaced: true, Phase: WorkerPhase.Ready });
        var current = ours.FirstOrDefault(worker => worker.Generation == slot.Generation && !worker.IsReplaced);
        if (current is null && step.State.IsFillable(slot) && step.Hooks.IsPrepared(slot.Generation))
        {
            step.Spawn(slot.Index, slot.Generation);
        }

        var serving = current is { Phase: WorkerPhase.Ready } && (replaced is null || current.IsSettled)
            ? current
            : replaced ?? ours.FirstOrDefault(worker => worker.Phase == WorkerPhase.Ready);
        foreach (var other in ours.Where(worker => worker != current && worker != serving))
        {
            End(other);
        }
    }

    /// <summary>Ends a worker that another one replaces. One that does not respond cannot drain: its core shows where it hangs.</summary>
    private void End(WorkerState worker) => step.Workers.Happened(
        worker.Id,
        worker is { Due: ReplacementCause.Silent, Phase: WorkerPhase.Ready } ? WorkerEvent.WatchdogTriggered : WorkerEvent.Stop);

    /// <summary>Removes the last slots that were scaled away and have no worker.</summary>
    private void RemoveEmptied()
    {
        var count = step.State.Slots.Length;
        while (count > step.State.Desired && !step.State.WorkersOf(count - 1).Any())
        {
            count--;
        }

        if (count < step.State.Slots.Length)
        {
            step.State = step.State with { Slots = step.State.Slots[..count] };
        }
    }
}
