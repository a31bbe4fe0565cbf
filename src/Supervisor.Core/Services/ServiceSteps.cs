using System.Collections.Immutable;
using System.Globalization;

namespace Supervisor.Core.Services;

/// <summary>Commands for the whole service: start, stop, scale, another specification.</summary>
internal sealed class ServiceSteps(ServiceStep step)
{
    /// <summary>Makes a slot for each worker. If the service is started, held back slots are tried again at once.</summary>
    /// <param name="byDemand">A connection starts it, so that the failures of its last workers still count.</param>
    public void Start(bool byDemand = false)
    {
        if (step.State.IsStarted)
        {
            foreach (var slot in step.State.Slots.Where(step.State.IsHeldBack))
            {
                step.Set(slot.Reopened() with { RecentRestarts = [] });
            }

            step.State = step.State with { Unprepared = null };
            return;
        }

        if (!step.State.SpecOf(step.State.Generation).Equals(step.State.Spec))
        {
            BeginGeneration();
        }

        step.State = step.State with
        {
            IsStarted = true,
            HeldFor = [],
            AwaitsDemand = false,
            Unprepared = null,
            LeftDemandUntil = null,
            TotalRestarts = step.State.TotalRestarts,
            Slots = [.. Enumerable.Range(0, step.State.Desired).Select(index => NewSlot(index, byDemand))],
        };
    }

    /// <summary>
    /// Lets the next connection start an on-demand service again whose workers have all exited, and restart.policy does not
    /// replace them.
    /// </summary>
    public void RestUntilDemand()
    {
        var state = step.State;
        if (state is { IsStarted: true, Spec.Start: StartMode.OnDemand, Workers.IsEmpty: true, Rollout: not { IsActive: true } }
            && state.Slots.Length > 0 && state.Slots.All(slot => slot.Phase == SlotPhase.Finished))
        {
            Stop();
            step.Hooks.Stopped();
            AwaitDemand();
            var wait = state.Slots.Max(slot => RestartDecision.BeforeDemand(slot, state.Spec.Restart));
            step.State = step.State with { LeftDemandUntil = step.Now + wait };
        }
    }

    /// <summary>Starts the service when these services are ready; without effect if it is started.</summary>
    public void HoldStart(ImmutableArray<string> services)
    {
        if (!step.State.IsStarted)
        {
            step.State = step.State with { HeldFor = services, AwaitsDemand = false, LeftDemandUntil = null };
            step.Report(ServiceReport.ServiceHeld);
        }
    }

    /// <summary>
    /// Changes the services that the start or the roll-out waits for, and begins it if there are none. Without effect if it
    /// waits for none, because a command came first.
    /// </summary>
    public void ChangeHold(ImmutableArray<string> services)
    {
        var state = step.State;
        if (state.HeldFor.IsEmpty)
        {
            return;
        }

        step.State = state with { HeldFor = services };
        if (!services.IsEmpty || state.IsStarted)
        {
            return;
        }

        if (state.Spec.Start == StartMode.OnDemand)
        {
            AwaitDemand();
        }
        else
        {
            Start();
        }
    }

    /// <summary>Lets the next connection start the service, unless it is started.</summary>
    public void AwaitDemand() => step.State = step.State with { AwaitsDemand = !step.State.IsStarted };

    public void Stop()
    {
        step.State = step.State with { HeldFor = [], AwaitsDemand = false, LeftDemandUntil = null };
        if (!step.State.IsStarted)
        {
            return;
        }

        step.Rollout.End(RolloutPhase.Superseded, "the service was stopped");
        step.State = step.State with { IsStarted = false, Prepared = [], Unprepared = null, Announced = null };
        step.Hooks.StopPreparing(step.State.Preparing);
    }

    public void Scale(int workers)
    {
        var before = step.State.Desired;
        step.State = step.State with { Desired = workers };
        if (!step.State.IsStarted)
        {
            return;
        }

        // A slot that had been scaled away begins anew, even if its workers drain: roll-outs have skipped it.
        var slots = step.State.Slots;
        for (var i = before; i < workers; i++)
        {
            var slot = new SlotState { Index = i, Generation = step.State.Generation };
            slots = i < slots.Length ? slots.SetItem(i, slot) : slots.Add(slot);
        }

        step.State = step.State with { Slots = slots };
    }

    /// <summary>Scales within the bounds of <c>autoscale</c>, unless a command or a roll-out came first.</summary>
    public void Autoscale(AutoscaleRequested scale)
    {
        var state = step.State;
        if (state is not { IsStarted: true, Spec.Autoscale.IsOn: true, Rollout: not { IsActive: true } }
            || scale.Workers == state.Desired || state.Spec.Autoscale.Clamp(scale.Workers) != scale.Workers)
        {
            return;
        }

        var before = state.Desired;
        Scale(scale.Workers);
        step.Report(
            ServiceReport.ServiceAutoscaled,
            text: string.Create(
                CultureInfo.InvariantCulture, $"scaled from {before} to {scale.Workers} workers: {scale.Text} (autoscale)"));
    }

    /// <summary>
    /// Changes the specification. Generations whose workers get the same under the new one continue under it; the others keep
    /// their own. A stopped service begins its next start with a new generation, because workers of the last one may still
    /// drain.
    /// </summary>
    public void Change(ServiceSpec spec, bool newWorkers, ImmutableArray<string> heldFor)
    {
        var before = step.State.Spec;
        var specs = step.State.Specs;
        foreach (var (generation, terms) in step.State.Specs)
        {
            if (newWorkers || !ServiceReloadImpact.SameWorker(terms, spec))
            {
                continue;
            }

            // An active roll-out keeps the strategy with which it began.
            var isRolledOut = step.State.Rollout is { IsActive: true } rollout && rollout.To == generation;
            specs = specs.SetItem(generation, isRolledOut ? spec with { Rollout = terms.Rollout } : spec);
            if (terms.Hooks.PreStart.IsEmpty && !spec.Hooks.PreStart.IsEmpty && step.State.IsStarted)
            {
                // pre_start runs before a generation's first worker, and this generation has workers.
                step.State = step.State with { Prepared = step.State.Prepared.Add(generation) };
            }
        }

        var previous = step.State.Specs;
        step.State = step.State with { Spec = spec, Specs = specs };
        step.Replacements.Reconsider(previous);
        Scale(before, spec);

        if (newWorkers && step.State.IsStarted)
        {
            step.Rollout.Begin("a reload", heldFor);
        }
        else if (newWorkers)
        {
            BeginGeneration();
        }
    }

    /// <summary>After a rollback: restores the previous specification.</summary>
    public void RestoreSpec(int generation)
    {
        var failed = step.State.Spec;
        step.State = step.State with { Spec = step.State.SpecOf(generation) };
        if (step.State.Desired == failed.Slots || step.State.Spec.Autoscale.IsOn)
        {
            Scale(failed, step.State.Spec);
        }
    }

    private void Scale(ServiceSpec before, ServiceSpec after)
    {
        var desired = after.WorkersAfter(before, step.State.Desired);
        if (desired != step.State.Desired)
        {
            Scale(desired);
        }
    }

    /// <summary>Forgets the specifications of generations that have no worker and cannot get one.</summary>
    public void ForgetSpecs()
    {
        var state = step.State;
        if (state.Specs.Count <= 1)
        {
            return;
        }

        var rollout = state.Rollout is { IsActive: true } active ? active : null;
        var gone = state.Specs.Keys.Where(generation => generation != state.Generation
            && state.Preparing != generation
            && rollout?.To != generation
            && rollout?.From != generation
            && !(state.IsStarted && state.Slots.Any(slot => slot.Generation == generation))
            && !state.Workers.Any(worker => worker.Generation == generation)).ToArray();
        if (gone.Length > 0)
        {
            step.State = state with { Specs = state.Specs.RemoveRange(gone) };
        }
    }

    private SlotState NewSlot(int index, bool byDemand)
    {
        var slots = step.State.Slots;
        return byDemand && index < slots.Length && slots[index].Generation == step.State.Generation
            ? slots[index] with { Phase = SlotPhase.Open, NextTry = null, IsVacated = false }
            : new SlotState { Index = index, Generation = step.State.Generation };
    }

    private void BeginGeneration()
    {
        var generation = step.State.NewestGeneration + 1;
        step.State = step.State with
        {
            Generation = generation,
            NewestGeneration = generation,
            Specs = step.State.Specs.SetItem(generation, step.State.Spec),
        };
    }
}
