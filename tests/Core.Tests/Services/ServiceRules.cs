using Supervisor.Core.Services;

namespace Supervisor.Core.Tests.Services;

/// <summary>What must hold after every single transition of a service, and when it is at rest.</summary>
internal static class ServiceRules
{
    public static void Check(FakeService.Transition transition)
    {
        NoReadyWorkerIsTakenAway(transition);
        OverlapWaitsForAll(transition);
        NewWorkersAreGivenTimeToSettle(transition);
        NobodyIsSpawnedTwice(transition);
        StopFirstStopsFirst(transition);
        SurgeIsBounded(transition);
        TimeMovesOn(transition);
        NothingIsLeftUndone(transition);
        BackoffIsBounded(transition);
        SlotsAreConsistent(transition);
        NobodyStartsUnprepared(transition);
        TermsAreThoseOfTheLiving(transition);
        TheCanaryGoesFirst(transition);
        GenerationsDoNotPileUp(transition);
    }

    /// <summary>
    /// While a canary is on trial, no worker of its generation is in another slot, and none that was asked to leave was of
    /// another slot; and nothing but its hold's end, promote, or the roll-out's end takes it off trial.
    /// </summary>
    private static void TheCanaryGoesFirst(FakeService.Transition transition)
    {
        var after = transition.After;
        if (after.Rollout is { IsOnTrial: true } rollout)
        {
            Require(
                after.Slots.All(slot => slot.Index < rollout.Canary || slot.Generation != rollout.To),
                "a slot beyond the canary's has changed");
            Require(
                after.Workers.All(worker => worker.Slot < rollout.Canary || worker.Generation != rollout.To),
                "a worker of the new generation is beyond the canary's slots");
            Require(
                AskedToLeave(transition).All(worker => worker.Slot < rollout.Canary || worker.Slot >= after.Desired
                    || worker.Generation != rollout.From
                    || after.Workers.Any(other => other.Slot == worker.Slot && other.IsLive)),
                "a slot beyond the canary's was emptied");
            Require(
                rollout.Phase != RolloutPhase.Canary || rollout.PromotedAt is null || rollout.PromotedAt > transition.Now,
                "the canary's hold is over");
        }

        if (transition.Before.Rollout is { IsOnTrial: true } before && after.Rollout is { IsReplacing: true, IsOnTrial: false } promoted
            && promoted.To == before.To)
        {
            Require(transition.What is PromoteRequested || before.PromotedAt <= transition.Now, "the canary was promoted before its time");
        }
    }

    /// <summary>A roll-out begins while fewer than max_generations others are alive, or none of them only drains.</summary>
    private static void GenerationsDoNotPileUp(FakeService.Transition transition)
    {
        var (before, after) = (transition.Before, transition.After);
        if (after.Rollout is not { Phase: RolloutPhase.Replacing or RolloutPhase.Canary or RolloutPhase.Draining } rollout
            || (before.Rollout?.To == rollout.To && before.Rollout.Phase != RolloutPhase.Waiting))
        {
            return;
        }

        // An old worker that this very transition asks to leave was live when it was decided.
        var others = after.Workers.Where(worker => worker.Generation != rollout.To).GroupBy(worker => worker.Generation).ToArray();
        Require(
            others.Length < Terms(after).MaxGenerations || !others.Any(OnlyDrains),
            $"generation {rollout.To} begins beside {others.Length} others");

        bool OnlyDrains(IGrouping<int, WorkerState> generation) =>
            after.Slots.All(slot => slot.Index >= after.Desired || slot.Generation != generation.Key)
            && generation.All(worker => !worker.IsLive && before.Workers.Any(other => other.Id == worker.Id && !other.IsLive));
    }

    /// <summary>
    /// With pre_start no worker is spawned of a generation for which it has not ended well; one pre_start runs at a time.
    /// </summary>
    private static void NobodyStartsUnprepared(FakeService.Transition transition)
    {
        Require(
            transition.Effects.OfType<SpawnEffect>().All(spawn => transition.After.SpecOf(spawn.Worker.Generation).Hooks.PreStart.IsEmpty
                || transition.After.Prepared.Contains(spawn.Worker.Generation)),
            "a worker was spawned before pre_start had ended well");

        // One that is told to end in the same step is waited for by the runner, which runs them one after another.
        var mayBegin = transition.Before.Preparing is not { } running || transition.What is HookEnded
            || transition.Effects.OfType<HookStopEffect>().Any(stop => stop.Hook == HookKind.PreStart && stop.Generation == running);
        Require(
            transition.Effects.OfType<HookEffect>().Count(hook => hook.Hook == HookKind.PreStart) <= (mayBegin ? 1 : 0),
            "pre_start runs twice at a time");
    }

    /// <summary>When every worker does as it is asked, each slot has exactly one ready worker and nothing is pending.</summary>
    public static void CheckAtRest(ServiceState state)
    {
        Require(state.NextDeadline is null, "a deadline is pending");
        Require(state.Rollout is not { IsActive: true }, $"the roll-out is still {state.Rollout?.Phase}");
        if (!state.IsStarted)
        {
            Require(state.Workers.IsEmpty, "a stopped service has workers");
            return;
        }

        Require(state.Slots.Length == state.Desired, $"{state.Slots.Length} slots for {state.Desired} workers");
        foreach (var slot in state.Slots)
        {
            var workers = state.Workers.Where(worker => worker.Slot == slot.Index).ToArray();
            if (slot.Phase == SlotPhase.Finished)
            {
                Require(workers.Length == 0, $"slot {slot.Index} is finished and has a worker");
                continue;
            }

            Require(
                workers.Length == 1 && workers[0].Phase == WorkerPhase.Ready,
                $"slot {slot.Index} has {workers.Length} workers at rest");
            Require(
                workers[0].Generation == slot.Generation,
                $"slot {slot.Index} is served by generation {workers[0].Generation} and meant for {slot.Generation}");
        }

        if (state.Rollout is { Phase: RolloutPhase.Done } done)
        {
            // A stopped service that something else was asked of begins anew, with a generation of its own.
            Require(state.Generation >= done.To, $"a roll-out to {done.To} is done, and generation {state.Generation} serves");
        }
    }

    /// <summary>
    /// A ready worker is only asked to leave when its slot has another ready one, or is scaled away, or the service
    /// stops; or the strategy allows it, and then no more slots are without a ready worker than it allows.
    /// </summary>
    private static void NoReadyWorkerIsTakenAway(FakeService.Transition transition)
    {
        var after = transition.After;
        foreach (var worker in AskedToLeave(transition).Where(
            worker => after.IsStarted && worker.Slot < after.Desired && !HasReady(after, worker.Slot)))
        {
            var spec = Terms(after);
            var allowed = spec.Strategy switch
            {
                RolloutStrategy.StopFirst => Math.Max(1, spec.MaxUnavailable),
                RolloutStrategy.Rolling => spec.MaxUnavailable,
                _ => 0,
            };
            var missing = after.Slots
                .Count(slot => slot.Index < after.Desired && slot.Phase != SlotPhase.Finished && !HasReady(after, slot.Index));
            Require(
                after.Rollout is { IsReplacing: true },
                $"worker {worker.Id} was asked to leave slot {worker.Slot} empty outside of a roll-out");
            Require(
                missing <= allowed,
                $"worker {worker.Id} was asked to leave; {missing} slots are without a ready worker, {allowed} may be");
        }
    }

    /// <summary>Overlap: an old worker is asked to drain when the whole new generation is ready, not before.</summary>
    private static void OverlapWaitsForAll(FakeService.Transition transition)
    {
        var (before, after) = (transition.Before, transition.After);
        if (Terms(after).Strategy != RolloutStrategy.Overlap || after
            .Rollout is not { Phase: RolloutPhase.Replacing or RolloutPhase.Canary or RolloutPhase.Draining or RolloutPhase.Done } rollout)
        {
            return;
        }

        var all = rollout.IsOnTrial ? Math.Min(rollout.Canary, after.Desired) : after.Desired;
        var old = AskedToLeave(transition).Any(worker => after.IsStarted && worker.Slot < after.Desired && worker.Slot < before.Slots.Length
            && worker.Generation == before.Slots[worker.Slot].Generation && worker.Generation != rollout.To);
        Require(
            !old || Enumerable.Range(0, all).All(slot =>
                (slot < before.Slots.Length && before.Slots[slot].Generation == rollout.To)
                || after.Workers.Any(worker =>
                    worker.Slot == slot && worker.Generation == rollout.To && worker.Phase == WorkerPhase.Ready)),
            "an old worker was drained before the whole new generation was ready");
    }

    /// <summary>
    /// A slot that a roll-out changes has a new worker that has been ready for <c>settle</c>; a failed one keeps what is ready.
    /// </summary>
    private static void NewWorkersAreGivenTimeToSettle(FakeService.Transition transition)
    {
        var (before, after) = (transition.Before, transition.After);
        if (before.Rollout is not { IsReplacing: true } rollout || after.Rollout?.To != rollout.To
            || after.Rollout.Phase == RolloutPhase.Failed
            || transition.What is ScaleRequested)
        {
            return;
        }

        foreach (var slot in after.Slots.Where(
            slot => slot.Generation == rollout.To && slot.Index < before.Slots.Length && before.Slots[slot.Index].Generation != rollout.To))
        {
            Require(
                after.Workers.Any(worker => worker.Slot == slot.Index && worker.Generation == rollout.To
                    && worker.Phase == WorkerPhase.Ready
                    && transition.Now - worker.ReadyAt >= Terms(after).Settle),
                $"slot {slot.Index} changed before its new worker had settled");
        }
    }

    /// <summary>
    /// A slot never has two live workers of one generation; who is spawned belongs to the slot's generation or the roll-out's.
    /// </summary>
    private static void NobodyIsSpawnedTwice(FakeService.Transition transition)
    {
        var after = transition.After;
        Require(
            after.Workers.Where(worker => worker.IsLive).GroupBy(worker => (worker.Slot, worker.Generation))
                .All(group => group.Count() == 1),
            "a slot has two live workers of one generation");
        var spawned = transition.Effects.OfType<SpawnEffect>().Select(effect => effect.Worker).ToArray();
        Require(spawned.Length == 0 || after.IsStarted, "a stopped service spawns");
        Require(
            spawned.All(worker => after.Workers.Any(other => other.Id == worker.Id && other.Phase == WorkerPhase.Starting)),
            "a worker was spawned and asked to end at once");
        foreach (var worker in spawned)
        {
            Require(worker.Slot < after.Desired, $"worker {worker.Id} was spawned in slot {worker.Slot} of {after.Desired}");
            Require(
                worker.Generation == after.Slots[worker.Slot].Generation
                    || after.Rollout is { IsReplacing: true } rollout && worker.Generation == rollout.To,
                $"worker {worker.Id} of generation {worker.Generation} was spawned in slot {worker.Slot} of generation "
                + $"{after.Slots[worker.Slot].Generation}");
        }
    }

    /// <summary>Stop-first, and rolling without a surge: a new worker starts in an empty slot.</summary>
    private static void StopFirstStopsFirst(FakeService.Transition transition)
    {
        var after = transition.After;
        if (!Terms(after).StopsFirst || after.Rollout is not { IsReplacing: true } rollout)
        {
            return;
        }

        foreach (var worker in transition.Effects.OfType<SpawnEffect>().Select(effect => effect.Worker))
        {
            Require(
                worker.Generation != rollout.To || after.Slots[worker.Slot].Generation == rollout.To
                    || after.Workers.Count(other => other.Slot == worker.Slot) == 1,
                $"worker {worker.Id} was started before slot {worker.Slot} was empty");
        }
    }

    /// <summary>
    /// Live workers: one for each slot; in a roll-out one more in at most <c>max_surge</c> slots (rolling), in every slot
    /// (overlap), in none (stop-first); while going back one more in each slot that had been replaced. A ready worker of
    /// a superseded generation stays besides until its slot's own is ready.
    /// </summary>
    private static void SurgeIsBounded(FakeService.Transition transition)
    {
        var after = transition.After;
        var spec = Terms(after);
        if (!after.IsStarted)
        {
            return;
        }

        var replacing = after.Rollout is { IsReplacing: true };
        var surge = 0;
        foreach (var slot in after.Slots.Where(slot => slot.Index < after.Desired))
        {
            var live = after.Workers.Where(worker => worker.Slot == slot.Index && worker.IsLive).ToArray();
            var strays = live.Where(
                worker => worker.Generation != slot.Generation && !(replacing && worker.Generation == after.Rollout!.To)).ToArray();
            var ownIsReady = live.Any(worker => worker.Generation == slot.Generation && worker.Phase == WorkerPhase.Ready);
            Require(strays.Length <= (ownIsReady ? 0 : 1), $"{strays.Length} workers of superseded generations live in slot {slot.Index}");
            Require(
                strays.All(worker => worker.Phase == WorkerPhase.Ready),
                $"a worker of a superseded generation still starts in slot {slot.Index}");
            surge += live.Length - strays.Length > 1 ? 1 : 0;
        }

        var most = !replacing ? 0 : spec.Strategy switch
        {
            RolloutStrategy.Rolling => spec.MaxSurge,
            RolloutStrategy.Overlap => after.Desired,
            _ => 0,
        };

        // Workers that a restart with less of a surge, or a scaling down, finds there are not taken away again.
        Require(surge <= most, $"{surge} slots have two workers, {most} may have");
    }

    /// <summary>Deadlines are in the future: who sleeps until the next one and says so never does so twice for the same.</summary>
    private static void TimeMovesOn(FakeService.Transition transition) =>
        Require(
            !(transition.After.NextDeadline <= transition.Now),
            $"the next deadline, {transition.After.NextDeadline}, has passed at {transition.Now}");

    /// <summary>A transition leaves nothing to do for one that comes at the same moment.</summary>
    private static void NothingIsLeftUndone(FakeService.Transition transition)
    {
        var (again, effects) = ServiceMachine.Step(transition.After, new TimePassed(), transition.Now);
        Require(effects.IsEmpty, $"more is done without anything having happened: {string.Join(", ", effects)}");
        Require(again.NextDeadline == transition.After.NextDeadline, "the next deadline moved without anything having happened");
    }

    private static void BackoffIsBounded(FakeService.Transition transition) =>
        Require(
            transition.After.Slots.All(slot => slot.NextTry is null
                || (slot.NextTry > transition.Now && slot.NextTry <= transition.Now + transition.After.Spec.Restart.BackoffMax)),
            "a slot waits longer than backoff_max");

    private static void SlotsAreConsistent(FakeService.Transition transition)
    {
        var after = transition.After;
        Require(
            after.Slots.Select(slot => slot.Index).SequenceEqual(Enumerable.Range(0, after.Slots.Length)),
            "slots are not numbered in order");
        Require(!after.IsStarted || after.Slots.Length >= after.Desired, "slots are missing");
        Require(after.Workers.Select(worker => worker.Id).Distinct().Count() == after.Workers.Length, "two workers have one number");
        Require(after.Generation <= after.NewestGeneration, "the generation is newer than the newest");
        Require(
            after.Rollout is not { Phase: RolloutPhase.RollingBack } back || after.Slots.All(slot => slot.Generation == back.From),
            "going back, a slot is meant for another generation than the one before");
    }

    /// <summary>
    /// The workers that were ready and that this transition asked to leave; one that hangs serves nobody and is not asked.
    /// </summary>
    private static IEnumerable<WorkerState> AskedToLeave(FakeService.Transition transition) =>
        transition.Effects.OfType<SignalEffect>().Where(effect => effect.Signal != Signals.Abort).Select(effect => effect.Worker)
            .Concat(transition.Effects.OfType<KillEffect>().Select(effect => effect.Worker))
            .Where(worker => transition.Before.Workers.Any(before => before.Id == worker.Id && before.Phase == WorkerPhase.Ready));

    /// <summary>A roll-out keeps to the strategy with which it began.</summary>
    private static RolloutSpec Terms(ServiceState state) => (state.Rollout is { } rollout ? state.SpecOf(rollout.To) : state.Spec).Rollout;

    /// <summary>A worker has the terms of its own generation, and nothing else has any.</summary>
    private static void TermsAreThoseOfTheLiving(FakeService.Transition transition)
    {
        var after = transition.After;
        Require(after.Specs.ContainsKey(after.Generation), "the generation that serves has no terms");
        Require(after.Workers.All(worker => after.Specs.ContainsKey(worker.Generation)), "a worker has no terms");
        Require(!after.IsStarted || after.Slots.All(slot => after.Specs.ContainsKey(slot.Generation)), "a slot has no terms");
        Require(
            after.Specs.Count <= 3
                + after.Workers.Select(worker => worker.Generation).Concat(after.Slots.Select(slot => slot.Generation)).Distinct().Count(),
            "terms of generations are kept of which nothing is left");
        foreach (var (generation, terms) in transition.Before.Specs)
        {
            Require(
                !after.Specs.TryGetValue(generation, out var now) || ServiceReloadImpact.SameWorker(terms, now),
                "the terms of a generation changed in what its workers were given");
        }
    }

    private static bool HasReady(ServiceState state, int slot) =>
        state.Workers.Any(worker => worker.Slot == slot && worker.Phase == WorkerPhase.Ready);

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new RuleBrokenException(otherwise);
        }
    }
}

/// <summary>A rule does not hold.</summary>
public sealed class RuleBrokenException(string message) : Exception(message);
