using System.Collections.Immutable;

namespace Supervisor.Core.Services;

/// <summary>
/// The roll-out's part of <see cref="ServiceMachine"/>: pure decisions about slots, and pure transitions of
/// <see cref="RolloutState"/>. <see cref="RolloutSteps"/> carries them out. This comment is the specification.
/// </summary>
/// <remarks>
/// <code>
///             after is met, older         every slot             all old
///             generations have drained    has its new worker     workers exited
///   Waiting ──────────────▶ Replacing ──────────────▶ Draining ──────────────▶ Done
///      │                     │     ▲                      │
///      │  every canary slot  │     │ promote, or          │
///      │  has its new worker │     │ canary_hold is over  │
///      │                     ▼     │                      │
///      │                     Canary                       │
///      │                     │                            │
///      └──────────┬──────────┴────────────────────────────┘
///                 │  from Waiting, Replacing, Canary: a new worker or pre_start fails; from these and Draining: abort
///                 ▼
///             RollingBack ─────────────────────────────────────────────────────▶ RolledBack
///                 │                    the new workers exited, the old generation serves
///                 │  on_failure = "stop" (unless aborted), or the old generation cannot be started
///                 ▼
///               Failed
///
///   Waiting, Replacing, Canary, Draining, RollingBack ──── a further restart, or stop ────▶ Superseded
/// </code>
/// <para>
/// Strategies. rolling: at most <c>max_surge</c> new workers start next to a full set. Up to <c>max_unavailable</c> more slots
/// are vacated: the old worker drains first, and the new worker starts when the old one has exited. A slot changes as soon as
/// its new worker has settled. Without a surge, slots are only vacated. overlap: a whole new set starts at once, and all slots
/// change together when all of it has settled. stop-first: one slot at a time (<c>max_unavailable</c>, at least one) is
/// vacated. A slot without a worker, which gets none now, is vacated at once.
/// </para>
/// <para>
/// Canary: only the first slots change, by the same strategy, and are then watched. The others follow once the canary is
/// promoted. max_generations: the first new worker waits until few enough older generations are alive, while one of them only
/// drains. This roll-out ends the generations that still serve, so it does not wait for them.
/// </para>
/// <para>
/// Priority, highest first, if several apply in one step:
/// </para>
/// <list type="number">
/// <item>Stop: it supersedes a roll-out in any phase, ends pre_start, and stops every worker.</item>
/// <item>A further restart or a reload with new workers: supersedes the active roll-out.</item>
/// <item>Abort: rolls back regardless of on_failure, also while the roll-out drains. It ends pre_start of the new
/// generation.</item>
/// <item>A failure of a new worker or of pre_start: rolls back, or with on_failure = "stop" ends as failed. On trial this
/// includes workers that have settled, otherwise only workers whose slot has not changed.</item>
/// <item>Promotion: on request in any phase on trial, by time only in Canary.</item>
/// <item>Hooks: pre_start delays each new worker of its generation, and no old worker drains for it. post_ready and post_stop
/// delay nothing.</item>
/// <item>The roll-out's own progress: <see cref="Decide"/>, then <see cref="NextPhase"/>.</item>
/// </list>
/// </remarks>
public static class RolloutMachine
{
    /// <summary>What a roll-out does with one slot now.</summary>
    public enum SlotAction
    {
        /// <summary>Nothing: its turn has not come, or it has a new worker.</summary>
        None,

        /// <summary>Start the new worker.</summary>
        Spawn,

        /// <summary>Vacate the slot: the new worker starts when the old one has exited.</summary>
        Vacate,

        /// <summary>Vacate the slot, and start the new worker at once.</summary>
        VacateAndSpawn,
    }

    /// <summary>A roll-out of the present specification, to the generation after the newest.</summary>
    public static RolloutState Begin(ServiceState service, TimeSpan now) => new()
    {
        Phase = RolloutPhase.Waiting,
        From = service.Generation,
        To = service.NewestGeneration + 1,
        StartedAt = now,
        Canary = Math.Min(service.Spec.Rollout.Canary, service.Desired),
    };

    /// <summary>A waiting roll-out with the generations that it waits for now; without any, it replaces.</summary>
    public static RolloutState Await(ServiceState service, RolloutState rollout)
    {
        var awaited = Awaited(service, rollout);
        return rollout with { WaitsFor = awaited, Phase = awaited.IsEmpty ? RolloutPhase.Replacing : RolloutPhase.Waiting };
    }

    /// <summary>Promotes the canary: all slots follow.</summary>
    public static RolloutState Promote(RolloutState rollout) => rollout with
    {
        Phase = rollout.Phase == RolloutPhase.Waiting ? RolloutPhase.Waiting : RolloutPhase.Replacing,
        IsPromoted = true,
        PromotedAt = null,
    };

    /// <summary>Rolls the roll-out back.</summary>
    public static RolloutState RollBack(RolloutState rollout, string reason) =>
        rollout with { Phase = RolloutPhase.RollingBack, Reason = reason, PromotedAt = null, WaitsFor = [] };

    /// <summary>
    /// A slot when the roll-out is rolled back: it belongs to the old generation again, even if a superseded generation serves
    /// it until now.
    /// </summary>
    public static SlotState RollBack(ServiceState service, RolloutState rollout, SlotState slot) =>
        slot.Generation != rollout.From || (slot.Phase == SlotPhase.Finished && service.IsServed(slot.Index))
            ? slot.For(rollout.From)
            : slot with { IsVacated = false };

    /// <summary>Ends the roll-out in that phase.</summary>
    public static RolloutState End(ServiceState service, RolloutState rollout, RolloutPhase phase, string? reason, TimeSpan now)
    {
        var (replaced, total) = service.Progress(rollout);
        return rollout with
        {
            Phase = phase,
            EndedAt = now,
            PromotedAt = null,
            WaitsFor = [],
            Reason = rollout.Reason ?? reason,
            Replaced = replaced,
            Total = total,
            Strategy = service.SpecOf(rollout.To).Rollout.Strategy,
        };
    }

    /// <summary>The phase that the roll-out has reached by its workers and slots; null if it has not changed.</summary>
    public static RolloutPhase? NextPhase(ServiceState service, RolloutState rollout) => rollout.Phase switch
    {
        RolloutPhase.Replacing when rollout.IsOnTrial => IsEachReplaced(service, rollout) ? RolloutPhase.Canary : null,
        RolloutPhase.Replacing =>
            IsEachReplaced(service, rollout) && (service.Desired > 0 || service.HasPrepared(rollout.To))
                && !service.SlotWorkers.Any(worker => worker.IsLive && worker.Generation != rollout.To)
            ? RolloutPhase.Draining
            : null,
        RolloutPhase.Draining => service.SlotWorkers.Any(worker => worker.Generation != rollout.To) ? null : RolloutPhase.Done,
        RolloutPhase.RollingBack =>
            service.SlotWorkers.Any(worker => worker.Generation > rollout.From || worker.Phase == WorkerPhase.Starting)
            ? null
            : RolloutPhase.RolledBack,
        RolloutPhase.Waiting or RolloutPhase.Canary => null,
        RolloutPhase.Done or RolloutPhase.RolledBack or RolloutPhase.Failed or RolloutPhase.Superseded => null,
        _ => throw new ArgumentOutOfRangeException(nameof(rollout), rollout.Phase, null),
    };

    /// <summary>The slots that the new generation takes over now, because their new workers have settled.</summary>
    public static IReadOnlyList<SlotState> Settled(ServiceState service, RolloutState rollout)
    {
        var slots = service.Slots.Where(slot => slot.Index < Last(service, rollout) && slot.Generation != rollout.To).ToArray();
        var settled = slots
            .Where(slot => service.WorkersOf(slot.Index).Any(worker => worker.Generation == rollout.To && worker.IsSettled))
            .ToArray();
        return KeepsOldWorkers(service, rollout)
            || (service.SpecOf(rollout.To).Rollout.Strategy == RolloutStrategy.Overlap && settled.Length < slots.Length) ? [] : settled;
    }

    /// <summary>How many new workers use the surge.</summary>
    public static int Surging(ServiceState service, RolloutState rollout) => service.Slots.Count(
        slot => slot.Index < Last(service, rollout) && !slot.IsVacated && slot.Generation != rollout.To
            && NewWorker(service, rollout, slot) is not null);

    /// <summary>
    /// Whether the canary runs next to all old workers until it is promoted: with <c>canary_share</c> the kernel divides new
    /// connections by that share, not by the number of workers. A rolling roll-out needs a surge for all of the canary.
    /// </summary>
    public static bool KeepsOldWorkers(ServiceState service, RolloutState rollout) =>
        rollout.IsOnTrial && service.SpecOf(rollout.To).Rollout is { CanaryShare: not null, StopsFirst: false } spec
        && (spec.Strategy == RolloutStrategy.Overlap || spec.MaxSurge >= rollout.Canary);

    /// <summary>
    /// Whether ready workers of the new generation may get new connections on steered listeners: with overlap when all are ready.
    /// </summary>
    public static bool MayServe(ServiceState service, RolloutState rollout) =>
        service.SpecOf(rollout.To).Rollout.Strategy != RolloutStrategy.Overlap
        || service.Slots.All(slot => slot.Index >= Last(service, rollout) || slot.Generation == rollout.To
            || NewWorker(service, rollout, slot) is { Phase: WorkerPhase.Ready });

    /// <summary>What to do with a slot while <paramref name="surging"/> new workers use the surge.</summary>
    public static SlotAction Decide(ServiceState service, RolloutState rollout, SlotState slot, int surging)
    {
        if (slot.Index >= Last(service, rollout) || slot.Generation == rollout.To || NewWorker(service, rollout, slot) is not null)
        {
            return SlotAction.None;
        }

        var spec = service.SpecOf(rollout.To).Rollout;
        var isOccupied = service.WorkersOf(slot.Index).Any();
        var whenVacated = isOccupied ? SlotAction.Vacate : SlotAction.VacateAndSpawn;
        return (spec.StopsFirst ? RolloutStrategy.StopFirst : spec.Strategy) switch
        {
            RolloutStrategy.Overlap => SlotAction.Spawn,
            RolloutStrategy.Rolling or RolloutStrategy.StopFirst when slot.IsVacated => isOccupied ? SlotAction.None : SlotAction.Spawn,
            RolloutStrategy.Rolling when !IsCovered(service, slot) => SlotAction.VacateAndSpawn,
            RolloutStrategy.Rolling when surging < spec.MaxSurge => SlotAction.Spawn,
            RolloutStrategy.Rolling => MayVacate(service, slot, spec.MaxUnavailable) ? whenVacated : SlotAction.None,
            RolloutStrategy.StopFirst when !isOccupied => SlotAction.VacateAndSpawn,
            RolloutStrategy.StopFirst => MayVacate(service, slot, Math.Max(1, spec.MaxUnavailable)) ? whenVacated : SlotAction.None,
            _ => throw new ArgumentOutOfRangeException(nameof(service), spec.Strategy, null),
        };
    }

    /// <summary>Why the roll-out fails after that worker's failure; null if it does not.</summary>
    public static string? FailureOf(ServiceState service, WorkerState worker, string reason, TimeSpan now)
    {
        if (service.Rollout is not { IsReplacing: true } rollout
            || worker.Generation != rollout.To
            || worker.Connection is not null
            || (!rollout.IsOnTrial && worker.IsSettled && service.Slots[worker.Slot].Generation == rollout.To))
        {
            return null;
        }

        return reason
            + (worker.ReadyAt is { } ready
                ? $" {Duration.Rounded(now - ready)} after it was ready"
                : WorkerText.BeforeReady(worker, reason))
            + (rollout.Phase == RolloutPhase.Canary ? ", while the canary was watched" : "");
    }

    /// <summary>
    /// Whether a rollback cannot succeed: a worker of the old generation could not be started, or its slot is finished while a
    /// new worker serves there.
    /// </summary>
    public static bool CannotRollBack(ServiceState service, WorkerState worker, SlotState slot) =>
        service.Rollout is { Phase: RolloutPhase.RollingBack } rollout
        && worker.Generation == rollout.From
        && (worker.ReadyAt is null || (slot.Phase == SlotPhase.Finished && service.IsServed(slot.Index)));

    /// <summary>Whether the worker belongs to the new generation and its slot does not yet.</summary>
    public static bool IsNew(ServiceState service, WorkerState worker) =>
        service.Rollout is { IsReplacing: true } rollout && worker.Generation == rollout.To && worker.Connection is null
            && service.Slots[worker.Slot].Generation != rollout.To;

    /// <summary>The slot, given to the generation that serves it if its own does not.</summary>
    public static SlotState GivenToServing(ServiceState service, SlotState slot)
    {
        var ready = service.WorkersOf(slot.Index)
            .Where(worker => worker.Phase == WorkerPhase.Ready && !IsNew(service, worker)).ToArray();
        return ready.Length > 0 && ready.All(worker => worker.Generation != slot.Generation) ? slot.For(ready[^1].Generation) : slot;
    }

    /// <summary>Whether the slot has a worker of its own generation, or gets one now.</summary>
    public static bool IsCovered(ServiceState service, SlotState slot) =>
        service.IsServed(slot.Index)
        || service.WorkersOf(slot.Index).Any(worker => worker.Generation == slot.Generation && worker.IsLive)
        || service.IsFillable(slot);

    /// <summary>The number of slots, from the first, that the roll-out replaces now.</summary>
    private static int Last(ServiceState service, RolloutState rollout) =>
        rollout.IsOnTrial ? Math.Min(rollout.Canary, service.Desired) : service.Desired;

    private static bool IsEachReplaced(ServiceState service, RolloutState rollout) =>
        service.Slots.All(slot => slot.Index >= Last(service, rollout) || slot.Generation == rollout.To
            || (KeepsOldWorkers(service, rollout) && NewWorker(service, rollout, slot) is { IsSettled: true }));

    private static WorkerState? NewWorker(ServiceState service, RolloutState rollout, SlotState slot) =>
        service.WorkersOf(slot.Index).FirstOrDefault(worker => worker.Generation == rollout.To && worker.IsLive);

    /// <summary>Whether one more slot may be vacated, so that it has no ready worker. A finished slot misses none.</summary>
    private static bool MayVacate(ServiceState service, SlotState slot, int allowed)
    {
        if (allowed == 0)
        {
            return false;
        }

        var slots = service.Slots.Where(other => other.Index < service.Desired).ToArray();
        return slots.Count(other => other.IsVacated) < allowed
            && (!service.IsServed(slot.Index)
                || slots.Count(other => other.Phase != SlotPhase.Finished && !service.IsServed(other.Index)) < allowed);
    }

    /// <summary>The generations that only drain, if too many are alive for another one to begin.</summary>
    private static ImmutableArray<int> Awaited(ServiceState service, RolloutState rollout)
    {
        // A slot's generation also counts while it has no worker there.
        var meant = service.Slots.Where(slot => slot.Index < service.Desired).Select(slot => slot.Generation).ToHashSet();
        var alive = service.SlotWorkers.Select(worker => worker.Generation).Union(meant).Count();
        return alive < service.SpecOf(rollout.To).Rollout.MaxGenerations
            ? []
            :
            [
                .. service.SlotWorkers.GroupBy(worker => worker.Generation)
                    .Where(generation => !meant.Contains(generation.Key) && generation.All(IsEnding))
                        .Select(generation => generation.Key).Order(),
            ];

        // This step also ends the new workers of a superseded roll-out.
        bool IsEnding(WorkerState worker) =>
            !worker.IsLive || (worker.Phase == WorkerPhase.Starting && service.Slots[worker.Slot].Generation != worker.Generation);
    }
}
