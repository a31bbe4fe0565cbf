using System.Collections.Immutable;
using Supervisor.Core.Rollouts;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>One transition of a service in the making: the state so far, and the effects in their order.</summary>
internal sealed class ServiceTransition
{
    /// <summary>Up to how many slots what is noted of each fits on the stack.</summary>
    private const int MostOnStack = 512;

    private readonly ImmutableArray<ServiceEffect>.Builder _effects = ImmutableArray.CreateBuilder<ServiceEffect>();
    private readonly ServiceState _before;

    public ServiceTransition(ServiceState state, TimeSpan now)
    {
        State = _before = state;
        Now = now;
    }

    public ServiceState State { get; set; }

    public TimeSpan Now { get; }

    public (ServiceState State, ImmutableArray<ServiceEffect> Effects) Result()
    {
        ForgetSpecs();
        return (State, _effects.ToImmutable());
    }

    /// <summary>
    /// Something else is asked for. Generations whose workers are as good as those of the new terms live on under them;
    /// any other one keeps its own. A service that does not run begins its next start with a generation of its own, since
    /// workers of the last one may still be leaving.
    /// </summary>
    public void Change(ServiceSpec spec, bool newWorkers)
    {
        var before = State.Spec;
        var specs = State.Specs;
        foreach (var (generation, terms) in State.Specs)
        {
            if (!newWorkers && ServiceTerms.SameWorker(terms, spec))
            {
                // A roll-out that is under way keeps to the strategy with which it began.
                specs = specs.SetItem(generation, State.Rollout is { IsActive: true } rollout && rollout.To == generation ? spec with { Rollout = terms.Rollout } : spec);
                if (terms.Hooks.PreStart.IsEmpty && !spec.Hooks.PreStart.IsEmpty && State.Wanted)
                {
                    // It has begun without: pre_start comes before a generation's first worker, and that one has been.
                    State = State with { Prepared = State.Prepared.Add(generation) };
                }
            }
        }

        State = State with { Spec = spec, Specs = specs };
        if (spec.Workers != before.Workers)
        {
            Scale(spec.Workers);
        }

        if (!newWorkers)
        {
            return;
        }

        if (State.Wanted)
        {
            RolloutMachine.Begin(this);
        }
        else
        {
            NextGeneration();
        }
    }

    /// <summary>A service that does not run will start with a new generation.</summary>
    private void NextGeneration()
    {
        var generation = State.NewestGeneration + 1;
        State = State with { Generation = generation, NewestGeneration = generation, Specs = State.Specs.SetItem(generation, State.Spec) };
    }

    /// <summary>What a roll-out has brought is taken back: what is asked for is what it was before.</summary>
    public void RestoreSpec(int generation)
    {
        var failed = State.Spec;
        State = State with { Spec = State.SpecOf(generation) };
        if (failed.Workers != State.Spec.Workers && State.Desired == failed.Workers)
        {
            Scale(State.Spec.Workers);
        }
    }

    /// <summary>Of a generation that nobody belongs to any more, and nobody can be started of, the terms are forgotten.</summary>
    private void ForgetSpecs()
    {
        if (State.Specs.Count <= 1)
        {
            return;
        }

        var rollout = State.Rollout is { IsActive: true } active ? active : null;
        var gone = State.Specs.Keys.Where(generation => generation != State.Generation
            && State.Preparing != generation
            && rollout?.To != generation
            && rollout?.From != generation
            && rollout?.Origins.Contains(generation) != true
            && !State.Slots.Any(slot => slot.Generation == generation)
            && !State.Workers.Any(worker => worker.Generation == generation)).ToArray();
        if (gone.Length > 0)
        {
            State = State with { Specs = State.Specs.RemoveRange(gone) };
        }
    }

    /// <summary>Makes a slot for each worker; where the service runs, what holds slots back is forgotten, and they are tried at once.</summary>
    public void Start()
    {
        if (State.Wanted)
        {
            foreach (var slot in State.Slots.Where(State.IsHeldBack))
            {
                SetSlot(slot with { Failures = 0, NextTry = null, LimitReached = false, Finished = false, RecentRestarts = [] });
            }

            return;
        }

        if (!State.SpecOf(State.Generation).Equals(State.Spec))
        {
            NextGeneration();
        }

        State = State with
        {
            Wanted = true,
            AwaitsDemand = false,
            Slots = [.. Enumerable.Range(0, State.Desired).Select(index => new SlotState { Index = index, Generation = State.Generation })],
        };
    }

    /// <summary>From now on the next connection starts it, where it does not run.</summary>
    public void AwaitDemand() => State = State with { AwaitsDemand = !State.Wanted };

    public void Stop()
    {
        State = State with { AwaitsDemand = false };
        if (!State.Wanted)
        {
            return;
        }

        EndRollout(RolloutPhase.Superseded, "the service was stopped");
        State = State with { Wanted = false, Prepared = [], Announced = null };
        StopPreparing(State.Preparing);
    }

    /// <summary>Ends the pre_start that runs for that generation: what it was to prepare is not wanted any more.</summary>
    public void StopPreparing(int? generation)
    {
        if (State.Preparing is { } preparing && preparing == generation)
        {
            State = State with { Preparing = null };
            _effects.Add(new HookStopEffect(HookKind.PreStart, preparing));
        }
    }

    /// <summary>Whether workers of that generation may be started; where pre_start has yet to run for it, it is, once no other runs.</summary>
    public bool IsPrepared(int generation)
    {
        if (State.SpecOf(generation).Hooks.PreStart.IsEmpty || State.Prepared.Contains(generation))
        {
            return true;
        }

        if (State.Preparing is null)
        {
            State = State with { Preparing = generation };
            _effects.Add(new HookEffect(HookKind.PreStart, generation));
        }

        return false;
    }

    /// <summary>
    /// pre_start has ended: a failure fails the roll-out of that generation, or is a failed start of each slot that waits
    /// for it. The other hooks change nothing.
    /// </summary>
    public void HookEnded(HookEnded ended)
    {
        if (ended.Stopped)
        {
            return;
        }

        if (ended.Failure is not null)
        {
            Report(ServiceReport.HookFailed, text: $"{ended.Failure} (generation {ended.Generation})");
        }

        var generation = ended.Generation;
        if (ended.Hook != HookKind.PreStart || State.Preparing != generation)
        {
            return;
        }

        State = State with { Preparing = null };
        if (ended.Failure is not { } failure)
        {
            State = State with { Prepared = State.Prepared.Add(generation) };
            return;
        }

        RolloutMachine.NewGenerationFailed(this, generation, failure);
        foreach (var slot in State.Slots)
        {
            if (slot.Generation == generation && slot.Index < State.Desired && IsFillable(slot) && !HasLiveWorker(slot))
            {
                Judge(WorkerMachine.Start(0, slot.Index, generation, State.SpecOf(generation), Now), ExitReason.NotStarted(failure));
            }
        }
    }

    private bool HasLiveWorker(SlotState slot) =>
        State.Workers.Any(worker => worker.Slot == slot.Index && worker.Generation == slot.Generation && worker.IsLive);

    private void Stopped()
    {
        Report(ServiceReport.ServiceStopped);
        if (!State.Spec.Hooks.PostStop.IsEmpty)
        {
            _effects.Add(new HookEffect(HookKind.PostStop, State.Generation));
        }
    }

    /// <summary>Runs post_ready when the generation that serves is ready in every slot, once.</summary>
    private void Announce()
    {
        if (State.SpecOf(State.Generation).Hooks.PostReady.IsEmpty || State.Announced == State.Generation
            || State.Rollout is { IsReplacing: true } or { Phase: RolloutPhase.RollingBack }
            || !State.Slots.All(slot => State.Workers.Any(worker => worker.Slot == slot.Index && worker.Generation == State.Generation && worker.Phase == WorkerPhase.Ready)))
        {
            return;
        }

        State = State with { Announced = State.Generation };
        _effects.Add(new HookEffect(HookKind.PostReady, State.Generation));
    }

    public void Scale(int workers)
    {
        var before = State.Desired;
        State = State with { Desired = workers };
        if (!State.Wanted)
        {
            return;
        }

        // A slot that had been scaled away begins anew, though workers may still be leaving it: roll-outs have passed it by.
        var slots = State.Slots;
        for (var i = before; i < workers; i++)
        {
            var slot = new SlotState { Index = i, Generation = State.Generation };
            slots = i < slots.Length ? slots.SetItem(i, slot) : slots.Add(slot);
        }

        State = State with { Slots = slots };
        if (State.Rollout is { IsActive: true } rollout && rollout.Origins.Length < slots.Length)
        {
            State = State with
            {
                Rollout = rollout with { Origins = rollout.Origins.AddRange(Enumerable.Repeat(rollout.From, slots.Length - rollout.Origins.Length)) },
            };
        }
    }

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
        if (State.SpecOf(worker.Generation).Rollout.Strategy != RolloutStrategy.StopFirst)
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

    public void Reconcile()
    {
        if (!State.Wanted)
        {
            foreach (var worker in State.Workers)
            {
                Worker(worker.Id, WorkerEvent.Stop);
            }

            if (_before.Wanted && State.Workers.IsEmpty)
            {
                Stopped();
            }

            return;
        }

        RolloutMachine.Advance(this);
        CoverSlots();

        foreach (var worker in State.Workers.Where(worker => worker.Slot >= State.Desired && worker.IsLive))
        {
            Worker(worker.Id, WorkerEvent.Stop);
        }

        if (State.Slots.Length > State.Desired)
        {
            var empty = State.Slots.Length;
            while (empty > State.Desired && !State.Workers.Any(worker => worker.Slot == empty - 1))
            {
                empty--;
            }

            State = State with { Slots = State.Slots[..empty] };
        }

        RolloutMachine.Conclude(this);
        Announce();
    }

    /// <summary>
    /// Covers those slots that have anything else than what nearly every slot has at nearly every event: one live worker, of
    /// the slot's own generation. Found in one pass and without garbage, since hundreds of workers are told of one by one.
    /// </summary>
    private void CoverSlots()
    {
        var slots = State.Slots;
        var workers = State.Workers;
        Span<bool> has = slots.Length <= MostOnStack ? stackalloc bool[slots.Length] : new bool[slots.Length];
        Span<bool> isOdd = slots.Length <= MostOnStack ? stackalloc bool[slots.Length] : new bool[slots.Length];
        foreach (var worker in workers)
        {
            if (worker.Slot < slots.Length)
            {
                isOdd[worker.Slot] |= has[worker.Slot] || !worker.IsLive || worker.Generation != slots[worker.Slot].Generation;
                has[worker.Slot] = true;
            }
        }

        for (var i = 0; i < slots.Length; i++)
        {
            if (isOdd[i] || !has[i])
            {
                Cover(slots[i], [.. workers.Where(worker => worker.Slot == i)]);
            }
        }
    }

    /// <summary>
    /// One slot: a live worker of the slot's generation, and all others leave once it is ready; until then one of them
    /// serves. New workers of a roll-out that is under way are not its business.
    /// </summary>
    private void Cover(SlotState slot, IEnumerable<WorkerState> workers)
    {
        if (slot.Index >= State.Desired)
        {
            return;
        }

        var ours = workers.Where(worker => worker.IsLive && !RolloutMachine.IsNew(State, worker)).ToArray();
        var current = ours.FirstOrDefault(worker => worker.Generation == slot.Generation);
        if (current is null && IsFillable(slot) && IsPrepared(slot.Generation))
        {
            Spawn(slot.Index, slot.Generation);
        }

        var serving = current is { Phase: WorkerPhase.Ready } ? current : ours.FirstOrDefault(worker => worker.Phase == WorkerPhase.Ready);
        foreach (var other in ours.Where(worker => worker != current && worker != serving))
        {
            Worker(other.Id, WorkerEvent.Stop);
        }
    }

    /// <summary>Whether the slot has a worker, or gets one of its own generation now.</summary>
    public bool IsCovered(SlotState slot) =>
        State.IsServed(slot.Index)
        || State.Workers.Any(worker => worker.Slot == slot.Index && worker.Generation == slot.Generation && worker.IsLive)
        || IsFillable(slot);

    private bool IsFillable(SlotState slot) =>
        slot.NextTry is null && !slot.Finished && !slot.Yielded
        && !State.Workers.Any(worker => worker.Slot == slot.Index && worker.Generation == slot.Generation && worker.AwaitsJudgement);

    public void Spawn(int slot, int generation)
    {
        var worker = WorkerMachine.Start(State.NextWorkerId, slot, generation, State.SpecOf(generation), Now);
        State = State with { NextWorkerId = State.NextWorkerId + 1, Workers = State.Workers.Add(worker) };
        _effects.Add(new SpawnEffect(worker));
    }

    public void SetSlot(SlotState slot) => State = State with { Slots = State.Slots.SetItem(slot.Index, slot) };

    public void EndRollout(RolloutPhase phase, string? reason = null)
    {
        if (State.Rollout is { IsActive: true } rollout)
        {
            State = State with { Rollout = rollout with { Phase = phase, EndedAt = Now, PromotedAt = null, WaitsFor = [], Reason = rollout.Reason ?? reason } };
            Report(ServiceReport.RolloutEnded);
        }
    }

    public void Report(ServiceReport report, WorkerState? worker = null, SlotState? slot = null, string? text = null) =>
        _effects.Add(new ReportEffect(report, worker, slot, State.Rollout, text));

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
