using System.Collections.Immutable;

namespace Supervisor.Core.Services;

/// <summary>Carries out what <see cref="RolloutMachine"/> decides.</summary>
internal sealed class RolloutSteps(ServiceStep step)
{
    /// <summary>
    /// Begins a roll-out of the present specification, which starts no worker until these services allow it. It supersedes an
    /// active roll-out, whose reason names <paramref name="by"/>.
    /// </summary>
    public void Begin(string by, ImmutableArray<string> heldFor = default)
    {
        End(RolloutPhase.Superseded, $"replaced by {by}");
        foreach (var slot in step.State.Slots.Where(slot => slot.IsVacated))
        {
            var kept = RolloutMachine.GivenToServing(step.State, slot);

            // A slot beyond the canary belongs to its own generation until the canary is promoted.
            var isBeyond = step.State.Spec.Rollout.Canary > 0 && slot.Index >= step.State.Spec.Rollout.Canary;
            step.Set(isBeyond ? kept with { IsVacated = false } : kept);
        }

        var rollout = RolloutMachine.Begin(step.State, step.Now);
        step.State = step.State with
        {
            NewestGeneration = rollout.To,
            Specs = step.State.Specs.SetItem(rollout.To, step.State.Spec),
            Rollout = rollout,
            Unprepared = null,
            HeldFor = heldFor.IsDefault ? [] : heldFor,
        };
        step.Report(ServiceReport.RolloutStarted);
        if (!step.State.HeldFor.IsEmpty)
        {
            step.Report(ServiceReport.ServiceHeld);
        }
    }

    /// <summary>Changes the slots whose turn has come, and starts the permitted new workers.</summary>
    public void Advance()
    {
        if (step.State is { HeldFor.IsEmpty: true, Rollout: { Phase: RolloutPhase.Waiting } waiting })
        {
            var rollout = RolloutMachine.Await(step.State, waiting);
            step.State = step.State with { Rollout = rollout };
            if (rollout.Phase == RolloutPhase.Waiting && waiting.WaitsFor.IsEmpty)
            {
                step.Report(ServiceReport.RolloutWaiting);
            }
        }

        // pre_start runs first: if it fails, no old worker has drained.
        if (step.State.Rollout is not { Phase: RolloutPhase.Replacing } replacing || !step.Hooks.IsPrepared(replacing.To))
        {
            return;
        }

        foreach (var slot in RolloutMachine.Settled(step.State, replacing))
        {
            step.Set(slot.For(replacing.To));
            step.Report(ServiceReport.RolloutProgressed);
        }

        var surging = RolloutMachine.Surging(step.State, replacing);
        foreach (var slot in step.State.Slots)
        {
            var action = RolloutMachine.Decide(step.State, replacing, slot, surging);
            surging += action == RolloutMachine.SlotAction.Spawn && !slot.IsVacated ? 1 : 0;
            if (action is RolloutMachine.SlotAction.Vacate or RolloutMachine.SlotAction.VacateAndSpawn)
            {
                Vacate(slot);
            }

            if (action is RolloutMachine.SlotAction.Spawn or RolloutMachine.SlotAction.VacateAndSpawn)
            {
                step.Spawn(slot.Index, replacing.To);
            }
        }
    }

    /// <summary>Moves the roll-out to the phase that it has reached.</summary>
    /// <returns>Whether it has ended now.</returns>
    public bool Conclude()
    {
        var wasActive = step.State.Rollout is { IsActive: true };
        while (step.State.Rollout is { } rollout && RolloutMachine.NextPhase(step.State, rollout) is { } phase)
        {
            switch (phase)
            {
                case RolloutPhase.Canary:
                    var hold = step.State.SpecOf(rollout.To).Rollout.CanaryHold;
                    var watched = rollout with { Phase = phase, PromotedAt = hold > TimeSpan.Zero ? step.Now + hold : null };
                    step.State = step.State with { Rollout = watched };
                    step.Report(ServiceReport.RolloutCanary);
                    break;
                case RolloutPhase.Draining:
                    step.State = step.State with { Generation = rollout.To, Rollout = rollout with { Phase = phase } };
                    step.Report(ServiceReport.RolloutProgressed);
                    break;
                default:
                    End(phase);
                    break;
            }
        }

        return wasActive && step.State.Rollout is not { IsActive: true };
    }

    /// <summary>Ends the active roll-out, if there is one.</summary>
    public void End(RolloutPhase phase, string? reason = null)
    {
        if (step.State.Rollout is { IsActive: true } rollout)
        {
            step.State = step.State with
            {
                Rollout = RolloutMachine.End(step.State, rollout, phase, reason, step.Now),
                Counters = step.State.Counters.WithRollout(phase),
            };
            step.Report(ServiceReport.RolloutEnded);
        }
    }

    /// <summary>Counts connections that were cut, for the service and for the active roll-out.</summary>
    public void Cut(int count)
    {
        step.State = step.State with
        {
            Cut = step.State.Cut + count,
            Rollout = step.State.Rollout is { IsActive: true } rollout ? rollout with { Cut = rollout.Cut + count } : step.State.Rollout,
        };
    }

    /// <summary>Handles a worker's failure, which may fail the roll-out.</summary>
    public void WorkerFailed(WorkerState worker, string reason)
    {
        if (RolloutMachine.FailureOf(step.State, worker, reason, step.Now) is { } why)
        {
            Fail(why, worker);
        }
    }

    /// <summary>Handles a failure of pre_start, which may fail the roll-out.</summary>
    public void PreparationFailed(int generation, string reason)
    {
        if (step.State.Rollout is { Phase: RolloutPhase.Replacing } rollout && rollout.To == generation)
        {
            Fail(reason, null);
        }
    }

    /// <summary>Promotes the canary, or skips it. Does nothing without an active trial.</summary>
    public void Promote(string why)
    {
        if (step.State.Rollout is { IsOnTrial: true } rollout)
        {
            step.State = step.State with { Rollout = RolloutMachine.Promote(rollout) };
            step.Report(ServiceReport.RolloutPromoted, text: why);
        }
    }

    /// <summary>
    /// Rolls the roll-out back, regardless of on_failure, also while it drains. Does nothing without an active roll-out.
    /// </summary>
    public void Abort()
    {
        if (step.State.Rollout is { IsActive: true, Phase: not RolloutPhase.RollingBack } rollout)
        {
            step.Hooks.StopPreparing(rollout.To);
            RollBack("aborted on request", null);
        }
    }

    /// <summary>
    /// Called when the restart policy has decided about a slot of the old generation: a rollback may no longer be possible.
    /// </summary>
    public void SlotDecided(WorkerState worker, SlotState slot, string reason)
    {
        if (step.State.Rollout is { } rollout && RolloutMachine.CannotRollBack(step.State, worker, slot))
        {
            var failure = $"worker {worker.Slot} of generation {worker.Generation} {reason}{WorkerText.BeforeReady(worker)}";
            var both = $"{rollout.Reason}; the rollback stopped because {failure}; ready workers keep their slots";
            step.State = step.State with { Rollout = rollout with { Reason = both } };
            EndBetween();
        }

        if (slot.Phase == SlotPhase.Finished)
        {
            step.Set(RolloutMachine.GivenToServing(step.State, step.State.Slots[slot.Index]));
        }
    }

    private void Fail(string reason, WorkerState? worker)
    {
        var rollout = step.State.Rollout!;
        if (step.State.SpecOf(rollout.To).Rollout.OnFailure == RolloutFailurePolicy.Rollback)
        {
            RollBack(reason, worker);
            return;
        }

        step.State = step.State with
        {
            Slots = [.. step.State.Slots.Select(slot => slot with { IsVacated = false })],
            Generation = rollout.From,
            Rollout = RolloutMachine.RollBack(rollout, reason),
        };
        step.Report(ServiceReport.RolloutFailing, worker, text: reason);
        EndBetween();
    }

    private void RollBack(string reason, WorkerState? worker)
    {
        var rollout = step.State.Rollout!;
        step.State = step.State with
        {
            Slots = [.. step.State.Slots.Select(slot => RolloutMachine.RollBack(step.State, rollout, slot))],
            Generation = rollout.From,
            Rollout = RolloutMachine.RollBack(rollout, reason),
            HeldFor = [],
        };
        step.Service.RestoreSpec(rollout.From);
        step.Report(ServiceReport.RolloutFailing, worker, text: reason);
    }

    /// <summary>Ends the roll-out between the two generations: each slot keeps the generation that serves it.</summary>
    private void EndBetween()
    {
        foreach (var slot in step.State.Slots)
        {
            step.Set(RolloutMachine.GivenToServing(step.State, slot));
        }

        End(RolloutPhase.Failed);
    }

    /// <summary>Vacates the slot before a new worker serves it.</summary>
    private void Vacate(SlotState slot)
    {
        step.Set(slot with { IsVacated = true });
        foreach (var worker in step.State.WorkersOf(slot.Index).Where(worker => worker.IsLive))
        {
            step.Workers.Happened(worker.Id, WorkerEvent.Stop);
        }
    }
}
