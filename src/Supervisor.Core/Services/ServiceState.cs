using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Supervisor.Core.Services;

/// <summary>A service at a moment. Times are monotonic, since the daemon's start.</summary>
public sealed record ServiceState
{
    private Derived _derived;

    /// <summary>The present specification, which the next generation gets.</summary>
    public required ServiceSpec Spec { get; init; }

    /// <summary>
    /// The specification with which each generation began and which its workers keep. Generations that no longer exist are
    /// removed.
    /// </summary>
    public ImmutableSortedDictionary<int, ServiceSpec> Specs { get; init; } = ImmutableSortedDictionary<int, ServiceSpec>.Empty;

    /// <summary>The specification of a generation.</summary>
    public ServiceSpec SpecOf(int generation) => Specs.GetValueOrDefault(generation) ?? Spec;

    /// <summary>The worker with that number; null if there is none.</summary>
    public WorkerState? Find(int workerId)
    {
        foreach (var worker in Workers)
        {
            if (worker.Id == workerId)
            {
                return worker;
            }
        }

        return null;
    }

    /// <summary>Whether the service was started, and not stopped since.</summary>
    [JsonPropertyName("wanted")]
    public bool IsStarted { get; init; }

    /// <summary>Whether it is stopped, or waits for its first connection, and has no worker.</summary>
    [JsonIgnore]
    public bool HasStopped => !IsStarted && Workers.IsEmpty;

    /// <summary>Whether the next connection starts the service; only if it is not <see cref="IsStarted"/>.</summary>
    public bool AwaitsDemand { get; init; }

    /// <summary>
    /// The services that its start or its roll-out waits for (<c>after</c>); empty: it waits for none. If the service is not
    /// <see cref="IsStarted"/>, the start waits.
    /// </summary>
    public ImmutableArray<string> HeldFor { get; init; } = [];

    /// <summary>
    /// Until when <see cref="AwaitsDemand"/> ignores a connection that its workers left in the queue; null: it does not.
    /// </summary>
    [JsonIgnore]
    public TimeSpan? LeftDemandUntil { get; init; }

    /// <summary>Workers that were replaced after an unrequested exit, in all slots and generations.</summary>
    public long? TotalRestarts
    {
        get => field ?? Slots.Sum(slot => slot.Restarts);
        init;
    }

    /// <summary>How many workers there should be.</summary>
    public required int Desired { get; init; }

    /// <summary>The generation that serves.</summary>
    public int Generation { get; init; } = 1;

    /// <summary>The newest generation so far.</summary>
    public int NewestGeneration { get; init; } = 1;

    /// <summary>The next worker's number.</summary>
    public int NextWorkerId { get; init; } = 1;

    /// <summary>Every worker whose process has not exited.</summary>
    public ImmutableArray<WorkerState> Workers { get; init; } = [];

    /// <summary>The places for workers; there may be more than <see cref="Desired"/> while some are being emptied.</summary>
    public ImmutableArray<SlotState> Slots { get; init; } = [];

    /// <summary>The active roll-out, or the last one.</summary>
    public RolloutState? Rollout { get; init; }

    /// <summary>How many connections were cut so far: connections of killed processes.</summary>
    public long Cut { get; init; }

    /// <summary>What is counted over all generations.</summary>
    public ServiceCounters Counters { get; init; } = new();

    /// <summary>The generations whose pre_start has succeeded, so that workers may start; unused without a pre_start.</summary>
    public ImmutableSortedSet<int> Prepared { get; init; } = [];

    /// <summary>The generation whose pre_start runs; null if none runs.</summary>
    public int? Preparing { get; init; }

    /// <summary>The generation whose pre_start failed, without a slot that tries again; null if none did.</summary>
    public int? Unprepared { get; init; }

    /// <summary>The generation for which post_ready has run; unused without a post_ready.</summary>
    public int? Announced { get; init; }

    /// <summary>A service that has not been started.</summary>
    public static ServiceState Create(ServiceSpec spec) =>
        new() { Spec = spec, Specs = ImmutableSortedDictionary<int, ServiceSpec>.Empty.Add(1, spec), Desired = spec.Slots };

    /// <summary>How many workers are ready.</summary>
    public int Ready => Workers.Count(worker => worker.Phase == WorkerPhase.Ready);

    /// <summary>
    /// How many workers there should be now: the desired number, without workers whose exit completed their task
    /// (<c>restart.policy</c>, and no failure).
    /// </summary>
    public int Expected =>
        Desired - Slots.Count(slot => slot is { Phase: SlotPhase.Finished, LastExit.Clean: true } && slot.Index < Desired
            && !IsServed(slot.Index));

    /// <summary>
    /// Whether a slot belongs to a generation with another specification than the present one, and no roll-out is going to
    /// change that: the last one ended between two generations.
    /// </summary>
    public bool IsMixed => IsStarted && Rollout is not { IsActive: true }
        && Slots.Any(slot => slot.Index < Desired && SpecOf(slot.Generation) is var spec && !ReferenceEquals(spec, Spec)
            && !ServiceReloadImpact.SameWorker(spec, Spec));

    /// <summary>
    /// How many slots the roll-out's generation serves, and of how many; for a roll-out that has ended, the numbers at its end.
    /// </summary>
    public (int Replaced, int Total) Progress(RolloutState rollout) =>
        (rollout.Replaced ?? Slots.Count(slot => slot.Index < Desired && slot.Generation == rollout.To), rollout.Total ?? Desired);

    /// <summary>Whether a worker of that slot is ready.</summary>
    public bool IsServed(int slot) =>
        WorkersOf(slot).Any(worker => worker.Phase == WorkerPhase.Ready);

    /// <summary>The workers of slots: those without a connection of their own.</summary>
    public IEnumerable<WorkerState> SlotWorkers => Workers.Where(worker => worker.Connection is null);

    /// <summary>The workers of that slot.</summary>
    public IEnumerable<WorkerState> WorkersOf(int slot)
    {
        var index = _derived.Slots;
        if (index is null || index.Workers != Workers)
        {
            _derived.Slots = index = new SlotIndex(Workers);
        }

        return index.Of(slot);
    }

    /// <summary>Whether the next connection starts a process.</summary>
    public bool AcceptsConnections => IsStarted && Spec.Start == StartMode.PerConnection && HasPrepared(Generation);

    /// <summary>Whether pre_start of that generation has succeeded, or there is none.</summary>
    public bool HasPrepared(int generation) => SpecOf(generation).Hooks.PreStart.IsEmpty || Prepared.Contains(generation);

    /// <summary>Whether a worker of the slot's own generation may be started there now.</summary>
    internal bool IsFillable(SlotState slot) =>
        slot is { NextTry: null, IsVacated: false, Phase: not SlotPhase.Finished }
        && !WorkersOf(slot.Index).Any(worker => worker.Generation == slot.Generation
            && (worker.AwaitsRestartPolicy
                || (worker is { IsReplaced: true, IsLive: false } && SpecOf(slot.Generation).Rollout.StopsFirst)));

    /// <summary>
    /// Whether no worker serves the slot because of its last workers' failures: it waits, has reached the limit, or is
    /// finished.
    /// </summary>
    public bool IsHeldBack(SlotState slot) =>
        slot.Phase != SlotPhase.Open && slot.Index < Desired && !IsServed(slot.Index);

    /// <summary>The earliest deadline; null if nothing waits for time.</summary>
    public TimeSpan? NextDeadline
    {
        get
        {
            TimeSpan? next = null;
            foreach (var worker in Workers)
            {
                next = Earlier(next, worker.NextDeadline);
            }

            if (IsStarted)
            {
                foreach (var worker in Workers)
                {
                    next = Earlier(Earlier(next, RecycledAt(worker)), worker.RepeatedAt);
                }

                foreach (var slot in Slots)
                {
                    next = Earlier(next, slot.NextTry);
                }

                next = Earlier(next, Rollout?.PromotedAt);
            }

            return next;
        }
    }

    /// <summary>
    /// Whether a service that comes after this one may start: all workers that there should be are ready and no roll-out is
    /// active, or the next connection starts them.
    /// </summary>
    public bool IsReadyForOthers => AwaitsDemand || AcceptsConnections
        || (IsStarted && Spec.Start != StartMode.PerConnection && Rollout is not { IsActive: true } && ServedSlots() >= Expected);

    /// <summary>Whether the roll-out of a service that comes after this one may begin: this one neither starts nor rolls out.</summary>
    public bool IsSettledForOthers =>
        HeldFor.IsEmpty && Condition is not (ServiceCondition.Starting or ServiceCondition.Rolling);

    /// <summary>When a worker reaches recycle.max_age; null if never, or if it is to be replaced already.</summary>
    public TimeSpan? RecycledAt(WorkerState worker)
    {
        var recycle = SpecOf(worker.Generation).Recycle;
        return recycle.MaxAge > TimeSpan.Zero && IsStarted && worker is { ReadyAt: { } ready, CanBeDue: true }
            ? (ready + recycle.AgeOf(worker.Id)) is var at && at < worker.NotDueBefore ? worker.NotDueBefore : at
            : null;
    }

    /// <summary>The service's condition.</summary>
    public ServiceCondition Condition
    {
        get
        {
            if (!IsStarted)
            {
                return !Workers.IsEmpty ? ServiceCondition.Stopping
                    : HeldFor.IsEmpty ? ServiceCondition.Stopped : ServiceCondition.Starting;
            }

            if (Rollout is { IsActive: true })
            {
                return ServiceCondition.Rolling;
            }

            if (Spec.Start == StartMode.PerConnection && !HasPrepared(Generation))
            {
                return Unprepared == Generation ? ServiceCondition.Failed : ServiceCondition.Starting;
            }

            var ready = ServedSlots();
            return ready >= Desired ? ServiceCondition.Running
                : ready == 0 && Slots.Length > 0 && Slots.All(slot => slot.Phase is SlotPhase.Limited or SlotPhase.Finished)
                    && !SlotWorkers.Any(worker => worker.IsLive)
                    ? Slots.All(slot => slot is { Phase: SlotPhase.Finished, LastExit.Clean: true })
                        ? ServiceCondition.Stopped
                        : ServiceCondition.Failed
                : ready == 0 && Slots.All(slot => slot.Failures == 0) ? ServiceCondition.Starting
                : Slots.All(slot => slot.Failures == 0) && SlotWorkers.Any(worker => worker.Phase == WorkerPhase.Starting)
                    ? ServiceCondition.Starting
                : ServiceCondition.Degraded;
        }
    }

    /// <summary>In one pass over the workers, because each event calls it.</summary>
    private int ServedSlots()
    {
        Span<bool> served = Slots.Length <= 256 ? stackalloc bool[Slots.Length] : new bool[Slots.Length];
        var count = 0;
        foreach (var worker in Workers)
        {
            if (worker is { Phase: WorkerPhase.Ready, Connection: null } && worker.Slot < served.Length && !served[worker.Slot])
            {
                served[worker.Slot] = true;
                count++;
            }
        }

        return count;
    }

    private static TimeSpan? Earlier(TimeSpan? a, TimeSpan? b) => a is null ? b : b is null || a < b ? a : b;

    /// <summary>What was computed from the state. It is not a part of the state's value: all are equal.</summary>
    private struct Derived : IEquatable<Derived>
    {
        /// <summary>An index of the workers that it names, which may be those of the state that this one was copied from.</summary>
        public SlotIndex? Slots;

        public readonly bool Equals(Derived other) => true;

        public override readonly bool Equals(object? obj) => obj is Derived;

        public override readonly int GetHashCode() => 0;
    }
}

/// <summary>A service's condition, as in the public interface.</summary>
public enum ServiceCondition
{
    /// <summary>The first workers are starting, or wait for other services.</summary>
    Starting,

    /// <summary>All workers are ready.</summary>
    Running,

    /// <summary>Some workers are missing.</summary>
    Degraded,

    /// <summary>A roll-out is active.</summary>
    Rolling,

    /// <summary>It was stopped, and workers drain.</summary>
    Stopping,

    /// <summary>It was stopped and has no worker.</summary>
    Stopped,

    /// <summary>It has no worker, and none can be started.</summary>
    Failed,
}
