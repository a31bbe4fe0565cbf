using System.Collections.Immutable;

namespace Supervisor.Core.Services;

/// <summary>
/// Decides when a slot's generation changes, and which new workers may be on their way. What follows from a slot's
/// generation (who is started, who leaves) is <see cref="ServiceTransition.Reconcile"/>'s.
/// </summary>
/// <remarks>
/// rolling: at most <c>max_surge</c> new workers are on their way beside a full set, and up to <c>max_unavailable</c>
/// more in slots that yield: their old worker is asked to leave first, and the new one starts when it is gone; a slot
/// changes as soon as its new worker has settled. Without a surge it is stop-first: slots only yield.
/// overlap: a whole new set is started at once, and all slots change together when all of it has settled.
/// stop-first: one slot at a time (<c>max_unavailable</c>, at least one) yields. No slot yields its ready worker while as
/// many slots are without one, for whatever reason, as may be.
/// A slot without a worker, and with none to be started now, yields at once: there a new one takes nobody's place, so it
/// never waits for its turn.
/// canary: only the first slots change, by the same strategy, and are then watched; the others follow once the roll-out is
/// promoted. max_generations: the first new worker waits until few enough older generations are alive, as long as one of
/// them is only draining; those that still serve leave through this roll-out alone, so they are not waited for.
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

        // What was given away before, and is beyond the canary now, is not: its own generation is to serve there meanwhile.
        if (transition.State.Spec.Rollout.Canary > 0)
        {
            foreach (var slot in transition.State.Slots.Where(slot => slot.Yielded && slot.Index >= transition.State.Spec.Rollout.Canary))
            {
                transition.SetSlot(slot with { Yielded = false });
            }
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
                StartedAt = transition.Now,
                Canary = Math.Min(state.Spec.Rollout.Canary, state.Desired),
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

        if (!rollout.HasBegun)
        {
            var isNews = rollout.WaitsFor.IsEmpty;
            rollout = rollout with { WaitsFor = Awaited(transition.State) };
            rollout = rollout with { HasBegun = rollout.WaitsFor.IsEmpty };
            transition.State = transition.State with { Rollout = rollout };
            if (!rollout.HasBegun)
            {
                if (isNews)
                {
                    transition.Report(ServiceReport.RolloutWaiting);
                }

                return;
            }
        }

        // Before anything is taken away: a generation that cannot be prepared costs nobody his place.
        if (!transition.IsPrepared(rollout.To))
        {
            return;
        }

        var spec = transition.State.SpecOf(rollout.To).Rollout;
        var desired = rollout.IsOnTrial ? Math.Min(rollout.Canary, transition.State.Desired) : transition.State.Desired;
        var settled = transition.State.Slots.Where(slot => slot.Index < desired && HasSettled(transition, slot.Index, rollout.To)).ToArray();
        if (spec.Strategy != RolloutStrategy.Overlap || transition.State.Slots.All(slot => slot.Index >= desired || slot.Generation == rollout.To || settled.Contains(slot)))
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
            switch (spec.StopsFirst ? RolloutStrategy.StopFirst : spec.Strategy)
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
            case { Phase: RolloutPhase.Replacing, IsOnTrial: true } rollout
                when transition.State.Slots.All(slot => slot.Index >= Math.Min(rollout.Canary, transition.State.Desired) || slot.Generation == rollout.To):
                var hold = transition.State.SpecOf(rollout.To).Rollout.CanaryHold;
                transition.State = transition.State with
                {
                    Rollout = rollout with { Phase = RolloutPhase.Canary, PromotedAt = hold > TimeSpan.Zero ? transition.Now + hold : null },
                };
                transition.Report(ServiceReport.RolloutCanary);
                break;
            case { Phase: RolloutPhase.Replacing, IsOnTrial: false } rollout
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
                when !transition.State.Workers.Any(worker => worker.Generation > rollout.From || worker.Phase == WorkerPhase.Starting):
                transition.EndRollout(RolloutPhase.RolledBack);
                break;
            case null or { Phase: RolloutPhase.Replacing or RolloutPhase.Canary or RolloutPhase.Draining or RolloutPhase.RollingBack or RolloutPhase.Done or RolloutPhase.RolledBack or RolloutPhase.Failed or RolloutPhase.Superseded }:
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(transition));
        }
    }

    /// <summary>
    /// A worker failed: where it belongs to the generation that is being rolled out, the roll-out fails, unless the
    /// worker had settled and its slot had changed. While that generation is on trial as a canary, this does not excuse it.
    /// </summary>
    public static void NewWorkerFailed(ServiceTransition transition, WorkerState worker, string reason)
    {
        if (transition.State.Rollout is not { IsReplacing: true } rollout
            || worker.Generation != rollout.To
            || (!rollout.IsOnTrial && worker.IsSettled && transition.State.Slots[worker.Slot].Generation == rollout.To))
        {
            return;
        }

        reason += worker.ReadyAt is { } ready ? $" {Durations.Text(transition.Now - ready)} after it was ready"
            : WorkerText.BeforeReady(worker);
        reason += rollout.Phase == RolloutPhase.Canary ? ", while the canary was watched" : "";
        GoBack(transition, rollout, worker, reason, transition.State.SpecOf(rollout.To).Rollout.OnFailure == RolloutFailurePolicy.Rollback);
    }

    /// <summary>The generation that is being rolled out cannot be started at all.</summary>
    public static void NewGenerationFailed(ServiceTransition transition, int generation, string reason)
    {
        if (transition.State.Rollout is { Phase: RolloutPhase.Replacing } rollout && rollout.To == generation)
        {
            GoBack(transition, rollout, null, reason, transition.State.SpecOf(rollout.To).Rollout.OnFailure == RolloutFailurePolicy.Rollback);
        }
    }

    /// <summary>The canary is good, or not waited for: the other slots follow. Nothing happens where there is none.</summary>
    public static void Promote(ServiceTransition transition, string why)
    {
        if (transition.State.Rollout is { IsOnTrial: true } rollout)
        {
            transition.State = transition.State with { Rollout = rollout with { Phase = RolloutPhase.Replacing, Promoted = true, PromotedAt = null } };
            transition.Report(ServiceReport.RolloutPromoted, text: why);
        }
    }

    /// <summary>The roll-out goes back, whatever on_failure says, also when only drains are left of it. Nothing happens where none is under way.</summary>
    public static void Abort(ServiceTransition transition)
    {
        if (transition.State.Rollout is { IsActive: true, Phase: not RolloutPhase.RollingBack } rollout)
        {
            transition.StopPreparing(rollout.To);
            GoBack(transition, rollout, null, "aborted, as asked", goBack: true);
        }
    }

    /// <summary>
    /// What served when the roll-out began serves again in every slot: also where a generation that was superseded, and
    /// never all of the service, serves until now.
    /// </summary>
    private static void GoBack(ServiceTransition transition, RolloutState rollout, WorkerState? worker, string reason, bool goBack)
    {
        var state = transition.State;
        var slots = state.Slots.Select(slot => goBack && (slot.Generation != rollout.From || (slot.Finished && transition.State.IsServed(slot.Index)))
            ? slot.For(rollout.From)
            : slot with { Yielded = false });
        transition.State = state with
        {
            Slots = [.. slots],
            Generation = rollout.From,
            Rollout = rollout with { Phase = RolloutPhase.RollingBack, Reason = reason, PromotedAt = null, WaitsFor = [] },
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
        if (transition.State.Rollout is not { Phase: RolloutPhase.RollingBack } rollout || worker.Generation != rollout.From
            || (worker.ReadyAt is not null && !(slot.Finished && transition.State.IsServed(slot.Index))))
        {
            return;
        }

        transition.State = transition.State with
        {
            Rollout = rollout with { Reason = $"{rollout.Reason}; going back, worker {worker.Slot} of generation {worker.Generation} {reason}{WorkerText.BeforeReady(worker)}, so what is ready stays" },
        };
        Fail(transition);
    }

    /// <summary>Whether the worker belongs to the generation that is being rolled out.</summary>
    public static bool IsNew(ServiceState state, WorkerState worker) =>
        state.Rollout is { IsReplacing: true } rollout && worker.Generation == rollout.To && state.Slots[worker.Slot].Generation != rollout.To;

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

    /// <summary>The generations that only drain, where too many are alive for another one to begin; see the remarks above.</summary>
    private static ImmutableArray<int> Awaited(ServiceState state)
    {
        // A slot's generation counts also in the moment in which it has no worker there.
        var meant = state.Slots.Where(slot => slot.Index < state.Desired).Select(slot => slot.Generation).ToHashSet();
        return state.Workers.Select(worker => worker.Generation).Union(meant).Count() < (state.Rollout is { } rollout ? state.SpecOf(rollout.To) : state.Spec).Rollout.MaxGenerations
            ? []
            : [.. state.Workers.GroupBy(worker => worker.Generation).Where(generation => !meant.Contains(generation.Key) && generation.All(IsLeaving)).Select(generation => generation.Key).Order()];

        // What a superseded roll-out had on its way is ended in this very transition.
        bool IsLeaving(WorkerState worker) => !worker.IsLive || (worker.Phase == WorkerPhase.Starting && state.Slots[worker.Slot].Generation != worker.Generation);
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
}
