using System.Collections.Immutable;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Rollouts;

/// <summary>
/// Decides when a slot's generation changes, and which new workers may be on their way. What follows from a slot's
/// generation (who is started, who leaves) is <see cref="ServiceTransition.Reconcile"/>'s.
/// </summary>
/// <remarks>
/// rolling: at most <c>max_surge</c> new workers are on their way beside a full set, and up to <c>max_unavailable</c>
/// more in slots that yield: their old worker is asked to leave first, and the new one starts when it is gone; a slot
/// changes as soon as its new worker has settled.
/// overlap: a whole new set is started at once, and all slots change together when all of it has settled.
/// stop-first: one slot at a time (<c>max_unavailable</c>, at least one) yields. No slot yields its ready worker while as
/// many slots are without one, for whatever reason, as may be.
/// A slot without a worker, and with none to be started now, yields at once: there a new one takes nobody's place, so it
/// never waits for its turn.
/// </remarks>
internal static class RolloutMachine
{
    public static void Begin(ServiceTransition transition)
    {
        transition.EndRollout(RolloutPhase.Superseded, "a further restart took its place");

        foreach (var slot in transition.State.Slots.Where(slot => slot.Yielded))
        {
            Keep(transition, slot);
        }

        var state = transition.State;
        var to = state.NewestGeneration + 1;
        transition.State = state with
        {
            NewestGeneration = to,
            Specs = state.Specs.SetItem(to, state.Spec),
            Rollout = new RolloutState
            {
                Phase = RolloutPhase.Replacing,
                From = state.Generation,
                To = to,
                Origins = [.. state.Slots.Select(slot => slot.Generation)],
                StartedAt = transition.Now,
            },
        };
        transition.Report(ServiceReport.RolloutStarted);
    }

    /// <summary>Changes the slots whose turn has come, and starts the new workers that may start.</summary>
    public static void Advance(ServiceTransition transition)
    {
        if (transition.State.Rollout is not { Phase: RolloutPhase.Replacing } rollout)
        {
            return;
        }

        // Before anything is taken away: a generation that cannot be prepared costs nobody his place.
        if (!transition.IsPrepared(rollout.To))
        {
            return;
        }

        var spec = transition.State.SpecOf(rollout.To).Rollout;
        var desired = transition.State.Desired;
        var settled = transition.State.Slots.Where(slot => slot.Index < desired && HasSettled(transition, slot.Index, rollout.To)).ToArray();
        if (spec.Strategy != RolloutStrategy.Overlap || settled.Length == desired)
        {
            foreach (var slot in settled.Where(slot => slot.Generation != rollout.To))
            {
                transition.SetSlot(slot.For(rollout.To));
                transition.Report(ServiceReport.RolloutProgressed);
            }
        }

        var surging = transition.State.Slots.Count(slot => slot.Index < desired && !slot.Yielded && slot.Generation != rollout.To
            && NewWorker(transition, slot.Index, rollout.To) is not null);
        foreach (var slot in transition.State.Slots)
        {
            if (slot.Index >= desired || slot.Generation == rollout.To || NewWorker(transition, slot.Index, rollout.To) is not null)
            {
                continue;
            }

            var state = transition.State;
            var occupied = state.Workers.Any(worker => worker.Slot == slot.Index);
            switch (spec.Strategy)
            {
                case RolloutStrategy.Overlap:
                    transition.Spawn(slot.Index, rollout.To);
                    break;
                case RolloutStrategy.Rolling or RolloutStrategy.StopFirst when slot.Yielded:
                    if (!occupied)
                    {
                        transition.Spawn(slot.Index, rollout.To);
                    }

                    break;
                case RolloutStrategy.Rolling when !transition.IsCovered(slot):
                case RolloutStrategy.StopFirst when !occupied:
                    Yield(transition, slot);
                    transition.Spawn(slot.Index, rollout.To);
                    break;
                case RolloutStrategy.Rolling when surging < spec.MaxSurge:
                    surging++;
                    transition.Spawn(slot.Index, rollout.To);
                    break;
                case RolloutStrategy.Rolling when MayYield(state, slot, spec.MaxUnavailable):
                case RolloutStrategy.StopFirst when MayYield(state, slot, Math.Max(1, spec.MaxUnavailable)):
                    Yield(transition, slot);
                    if (!occupied)
                    {
                        transition.Spawn(slot.Index, rollout.To);
                    }

                    break;
                case RolloutStrategy.Rolling or RolloutStrategy.StopFirst:
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(transition));
            }
        }
    }

    /// <summary>Ends what has come to its end.</summary>
    public static void Conclude(ServiceTransition transition)
    {
        switch (transition.State.Rollout)
        {
            case { Phase: RolloutPhase.Replacing } rollout
                when transition.State.Slots.All(slot => slot.Index >= transition.State.Desired || slot.Generation == rollout.To)
                && !transition.State.Workers.Any(worker => worker.IsLive && worker.Generation != rollout.To):
                transition.State = transition.State with
                {
                    Generation = rollout.To,
                    Rollout = rollout with { Phase = RolloutPhase.Draining },
                };
                transition.Report(ServiceReport.RolloutProgressed);
                Conclude(transition);
                break;
            case { Phase: RolloutPhase.Draining } rollout when !transition.State.Workers.Any(worker => worker.Generation != rollout.To):
                transition.EndRollout(RolloutPhase.Done);
                break;
            case { Phase: RolloutPhase.RollingBack } rollout
                when !transition.State.Workers.Any(worker => worker.Generation == rollout.To || worker.Phase == WorkerPhase.Starting):
                transition.EndRollout(RolloutPhase.RolledBack);
                break;
            case null or { Phase: RolloutPhase.Replacing or RolloutPhase.Draining or RolloutPhase.RollingBack or RolloutPhase.Done or RolloutPhase.RolledBack or RolloutPhase.Failed or RolloutPhase.Superseded }:
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(transition));
        }
    }

    /// <summary>
    /// A worker failed: where it belongs to the generation that is being rolled out, the roll-out fails, unless the
    /// worker had settled and its slot had changed.
    /// </summary>
    public static void NewWorkerFailed(ServiceTransition transition, WorkerState worker, string reason)
    {
        if (transition.State.Rollout is not { Phase: RolloutPhase.Replacing } rollout
            || worker.Generation != rollout.To
            || (worker.IsSettled && transition.State.Slots[worker.Slot].Generation == rollout.To))
        {
            return;
        }

        reason += worker.ReadyAt is { } ready ? $" {Durations.Text(transition.Now - ready)} after it was ready"
            : BeforeReady(worker);
        GoBack(transition, rollout, worker, reason);
    }

    /// <summary>The generation that is being rolled out cannot be started at all.</summary>
    public static void NewGenerationFailed(ServiceTransition transition, int generation, string reason)
    {
        if (transition.State.Rollout is { Phase: RolloutPhase.Replacing } rollout && rollout.To == generation)
        {
            GoBack(transition, rollout, null, reason);
        }
    }

    private static void GoBack(ServiceTransition transition, RolloutState rollout, WorkerState? worker, string reason)
    {
        var state = transition.State;
        var goBack = state.SpecOf(rollout.To).Rollout.OnFailure == RolloutFailurePolicy.Rollback;
        var slots = state.Slots.Select(slot => goBack && (slot.Generation == rollout.To || (slot.Finished && transition.State.IsServed(slot.Index)))
            ? slot.For(rollout.Origins[slot.Index])
            : slot with { Yielded = false });
        transition.State = state with
        {
            Slots = [.. slots],
            Rollout = rollout with { Phase = RolloutPhase.RollingBack, Reason = reason },
        };
        if (goBack)
        {
            transition.RestoreSpec(rollout.From);
        }

        transition.Report(ServiceReport.RolloutFailing, worker, text: reason);
        if (!goBack)
        {
            Fail(transition);
        }
    }

    /// <summary>
    /// While going back, the old generation could not be started, or its slot is finished while a new worker serves it:
    /// the roll-out ends between the two.
    /// </summary>
    public static void OldWorkerFailed(ServiceTransition transition, WorkerState worker, SlotState slot, string reason)
    {
        if (transition.State.Rollout is not { Phase: RolloutPhase.RollingBack } rollout || worker.Generation == rollout.To
            || (worker.ReadyAt is not null && !(slot.Finished && transition.State.IsServed(slot.Index))))
        {
            return;
        }

        transition.State = transition.State with
        {
            Rollout = rollout with { Reason = $"{rollout.Reason}; going back, worker {worker.Slot} of generation {worker.Generation} {reason}{BeforeReady(worker)}, so what is ready stays" },
        };
        Fail(transition);
    }

    /// <summary>Whether the worker belongs to the generation that is being rolled out.</summary>
    public static bool IsNew(ServiceState state, WorkerState worker) =>
        state.Rollout is { Phase: RolloutPhase.Replacing } rollout && worker.Generation == rollout.To && state.Slots[worker.Slot].Generation != rollout.To;

    /// <summary>Ends between the two generations.</summary>
    private static void Fail(ServiceTransition transition)
    {
        foreach (var slot in transition.State.Slots)
        {
            Keep(transition, slot);
        }

        transition.EndRollout(RolloutPhase.Failed);
    }

    /// <summary>A slot that its own generation does not serve, while another one does, is that one's.</summary>
    public static void Keep(ServiceTransition transition, SlotState slot)
    {
        var ready = transition.State.Workers.Where(worker => worker.Slot == slot.Index && worker.Phase == WorkerPhase.Ready && !IsNew(transition.State, worker)).ToArray();
        if (ready.Length > 0 && ready.All(worker => worker.Generation != slot.Generation))
        {
            transition.SetSlot(slot.For(ready[^1].Generation));
        }
    }

    private static bool HasSettled(ServiceTransition transition, int slot, int generation) =>
        transition.State.Workers.Any(worker => worker.Slot == slot && worker.Generation == generation && worker.IsSettled);

    private static WorkerState? NewWorker(ServiceTransition transition, int slot, int generation) =>
        transition.State.Workers.FirstOrDefault(worker => worker.Slot == slot && worker.Generation == generation && worker.IsLive);

    /// <summary>Whether one more slot may yield, and this one be without a ready worker; where none is wanted, none is missed.</summary>
    private static bool MayYield(ServiceState state, SlotState slot, int allowed)
    {
        var slots = state.Slots.Where(other => other.Index < state.Desired).ToArray();
        return slots.Count(other => other.Yielded) < allowed
            && (!state.IsServed(slot.Index) || slots.Count(other => !other.Finished && !state.IsServed(other.Index)) < allowed);
    }

    /// <summary>Gives the slot to the new generation before that one serves.</summary>
    private static void Yield(ServiceTransition transition, SlotState slot)
    {
        transition.SetSlot(slot with { Yielded = true });
        foreach (var worker in transition.State.Workers.Where(worker => worker.Slot == slot.Index && worker.IsLive))
        {
            transition.Worker(worker.Id, WorkerEvent.Stop);
        }
    }

    /// <summary>What the end of a worker that was not ready yet leaves to be said: nothing where it never came to be, or where the time-out says it.</summary>
    private static string BeforeReady(WorkerState worker) =>
        worker.ReadyAt is null && worker.Pid is not null && !worker.StartTimedOut ? " before it was ready" : "";
}
