using System.Collections.Immutable;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>One transition of a service in the making: the state so far, and the effects in their order.</summary>
internal sealed partial class ServiceTransition
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
            if (!newWorkers && ServiceReloadImpact.SameWorker(terms, spec))
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
    }

    public void EndRollout(RolloutPhase phase, string? reason = null)
    {
        if (State.Rollout is { IsActive: true } rollout)
        {
            var (replaced, total) = State.Progress(rollout);
            State = State with
            {
                Rollout = rollout with
                {
                    Phase = phase,
                    EndedAt = Now,
                    PromotedAt = null,
                    WaitsFor = [],
                    Reason = rollout.Reason ?? reason,
                    Replaced = replaced,
                    Total = total,
                    Strategy = State.SpecOf(rollout.To).Rollout.Strategy,
                },
            };
            Report(ServiceReport.RolloutEnded);
        }
    }

    public void Report(ServiceReport report, WorkerState? worker = null, SlotState? slot = null, string? text = null) =>
        _effects.Add(new ReportEffect(report, worker, slot, State.Rollout, text));
}
