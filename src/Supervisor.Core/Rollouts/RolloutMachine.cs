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
/// more in slots whose old worker was asked to leave first; a slot changes as soon as its new worker has settled.
/// overlap: a whole new set is started at once, and all slots change together when all of it has settled.
/// stop-first: one slot at a time (<c>max_unavailable</c>, at least one) is emptied and filled again.
/// In a slot whose old worker is not serving a new one takes nobody's place, so it never waits for its turn.
/// </remarks>
internal static class RolloutMachine
{
    public static void Begin(ServiceTransition transition)
    {
        if (!transition.State.Wanted)
        {
            return;
        }

        transition.EndRollout(RolloutPhase.Superseded, "a further restart took its place");
        var state = transition.State;
        var to = state.NewestGeneration + 1;
        transition.State = state with
        {
            NewestGeneration = to,
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

        var spec = transition.State.Spec.Rollout;
        var desired = transition.State.Desired;
        var settled = transition.State.Slots.Where(slot => slot.Index < desired && HasSettled(transition, slot.Index, rollout.To)).ToArray();
        if (spec.Strategy != RolloutStrategy.Overlap || settled.Length == desired)
        {
            foreach (var slot in settled.Where(slot => slot.Generation != rollout.To))
            {
                transition.SetSlot(slot with { Generation = rollout.To, Failures = 0, NextTry = null, LimitReached = false, Finished = false });
                transition.Report(ServiceReport.RolloutProgressed);
            }
        }

        foreach (var slot in transition.State.Slots)
        {
            if (slot.Index >= desired || slot.Generation == rollout.To || NewWorker(transition, slot.Index, rollout.To) is not null)
            {
                continue;
            }

            var serving = transition.State.Workers.Any(worker => worker.Slot == slot.Index && worker.Phase == WorkerPhase.Ready);
            var occupied = transition.State.Workers.Any(worker => worker.Slot == slot.Index);
            var onTheWay = InProgress(transition, rollout);
            switch (spec.Strategy)
            {
                case RolloutStrategy.Overlap:
                    transition.Spawn(slot.Index, rollout.To);
                    break;
                case RolloutStrategy.Rolling when !serving:
                    // Beside a starting old worker it would be a surge of its own; an empty or failing slot is free.
                    if (!transition.State.Workers.Any(worker => worker.Slot == slot.Index && worker.IsLive) || onTheWay < spec.MaxSurge)
                    {
                        transition.Spawn(slot.Index, rollout.To);
                    }

                    break;
                case RolloutStrategy.Rolling when onTheWay < spec.MaxSurge:
                    transition.Spawn(slot.Index, rollout.To);
                    break;
                case RolloutStrategy.Rolling when onTheWay < spec.MaxSurge + spec.MaxUnavailable:
                    Empty(transition, slot.Index);
                    break;
                case RolloutStrategy.StopFirst when !occupied:
                    transition.Spawn(slot.Index, rollout.To);
                    break;
                case RolloutStrategy.StopFirst when onTheWay < Math.Max(1, spec.MaxUnavailable):
                    Empty(transition, slot.Index);
                    break;
                case RolloutStrategy.Rolling or RolloutStrategy.StopFirst:
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(transition));
            }
        }
    }

    /// <summary>Whether the slot's old generation must not be started again just now, since the roll-out emptied it.</summary>
    public static bool HoldsBack(ServiceTransition transition, SlotState slot) =>
        transition.State.Rollout is { Phase: RolloutPhase.Replacing } rollout
        && slot.Generation != rollout.To
        && (transition.State.Workers.Any(worker => worker.Slot == slot.Index && worker.Generation == slot.Generation && worker.EndRequested)
            || (transition.State.Spec.Rollout.Strategy == RolloutStrategy.StopFirst && NewWorker(transition, slot.Index, rollout.To) is not null)
            || (slot.Failures > 1 && NewWorker(transition, slot.Index, rollout.To) is not null));

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
                when !transition.State.Workers.Any(worker => worker.Generation == rollout.To):
                transition.EndRollout(RolloutPhase.RolledBack);
                break;
            case null or { Phase: RolloutPhase.Replacing or RolloutPhase.Draining or RolloutPhase.RollingBack or RolloutPhase.Done or RolloutPhase.RolledBack or RolloutPhase.Failed or RolloutPhase.Superseded }:
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(transition));
        }
    }

    /// <summary>A worker failed on its way: where it belongs to the generation that is being rolled out, the roll-out fails.</summary>
    public static void NewWorkerFailed(ServiceTransition transition, WorkerState worker, string reason)
    {
        if (transition.State.Rollout is not { Phase: RolloutPhase.Replacing } rollout || worker.Generation != rollout.To || IsSettled(transition, worker))
        {
            return;
        }

        if (worker.ReadyAt is not null)
        {
            reason = reason.Replace("before it was ready", $"{Durations.Text(transition.Now - worker.ReadyAt.Value)} after it was ready", StringComparison.Ordinal);
        }

        var state = transition.State;
        var goBack = state.Spec.Rollout.OnFailure == RolloutFailurePolicy.Rollback;
        var slots = goBack
            ? [.. state.Slots.Select(slot => slot.Generation == rollout.To && slot.Index < rollout.Origins.Length
                ? slot with { Generation = rollout.Origins[slot.Index], Failures = 0, NextTry = null, LimitReached = false }
                : slot)]
            : state.Slots;
        transition.State = state with
        {
            Slots = slots,
            Rollout = rollout with { Phase = RolloutPhase.RollingBack, Reason = reason },
        };
        transition.Report(ServiceReport.RolloutFailing, worker, text: reason);
        if (!goBack)
        {
            transition.EndRollout(RolloutPhase.Failed);
        }
    }

    /// <summary>While going back, a worker of the old generation failed before it was ready: the roll-out ends between the two.</summary>
    public static void OldWorkerFailed(ServiceTransition transition, WorkerState worker, string reason)
    {
        if (transition.State.Rollout is { Phase: RolloutPhase.RollingBack } rollout && worker.Generation != rollout.To && worker.ReadyAt is null)
        {
            transition.State = transition.State with
            {
                Rollout = rollout with { Reason = $"{rollout.Reason}; going back, worker {worker.Slot} of generation {worker.Generation} {reason} before it was ready, so what is ready stays" },
            };
            transition.EndRollout(RolloutPhase.Failed);
        }
    }

    private static bool HasSettled(ServiceTransition transition, int slot, int generation) =>
        transition.State.Workers.Any(worker => worker.Slot == slot && worker.Generation == generation && worker.Phase == WorkerPhase.Ready && IsSettled(transition, worker));

    private static bool IsSettled(ServiceTransition transition, WorkerState worker) =>
        worker.ReadyAt is { } ready && transition.Now - ready >= transition.State.Spec.Rollout.Settle;

    private static WorkerState? NewWorker(ServiceTransition transition, int slot, int generation) =>
        transition.State.Workers.FirstOrDefault(worker => worker.Slot == slot && worker.Generation == generation && worker.IsLive);

    /// <summary>Slots whose replacement is under way: a new worker that has not settled, or an old one that was asked to leave first.</summary>
    private static int InProgress(ServiceTransition transition, RolloutState rollout)
    {
        var state = transition.State;
        return state.Slots.Count(slot => slot.Index < state.Desired && slot.Generation != rollout.To
            && (NewWorker(transition, slot.Index, rollout.To) is not null
                || state.Workers.Any(worker => worker.Slot == slot.Index && worker.Generation == slot.Generation && worker.EndRequested)));
    }

    private static void Empty(ServiceTransition transition, int slot)
    {
        foreach (var worker in transition.State.Workers.Where(worker => worker.Slot == slot && worker.IsLive))
        {
            transition.Worker(worker.Id, WorkerEvent.Stop);
        }
    }
}
