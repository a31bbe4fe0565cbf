using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>When hooks run, and what their exit causes.</summary>
internal sealed class HookSteps(ServiceStep step)
{
    /// <summary>Stops a running pre_start of that generation, because nothing waits for it any more.</summary>
    public void StopPreparing(int? generation)
    {
        if (step.State.Preparing is { } preparing && preparing == generation)
        {
            step.State = step.State with { Preparing = null };
            step.Add(new HookStopEffect(HookKind.PreStart, preparing));
        }
    }

    /// <summary>
    /// Whether workers of that generation may be started. If its pre_start has not run, it runs once no other hook runs.
    /// </summary>
    public bool IsPrepared(int generation)
    {
        if (step.State.SpecOf(generation).Hooks.PreStart.IsEmpty || step.State.Prepared.Contains(generation))
        {
            return true;
        }

        if (step.State.Preparing is null)
        {
            step.State = step.State with { Preparing = generation };
            step.Add(new HookEffect(HookKind.PreStart, generation));
        }

        return false;
    }

    /// <summary>
    /// Handles the exit of a hook. If pre_start failed, the roll-out of its generation fails, or each slot that waits for it
    /// has a failed start. The other hooks change nothing.
    /// </summary>
    public void Ended(HookEnded ended)
    {
        if (ended.Stopped)
        {
            return;
        }

        if (ended.Failure is not null)
        {
            step.Report(ServiceReport.HookFailed, text: $"{ended.Failure} (generation {ended.Generation})");
        }

        var generation = ended.Generation;
        if (ended.Hook != HookKind.PreStart || step.State.Preparing != generation)
        {
            return;
        }

        step.State = step.State with { Preparing = null };
        if (ended.Failure is not { } failure)
        {
            step.State = step.State with { Prepared = step.State.Prepared.Add(generation) };
            return;
        }

        step.Rollout.PreparationFailed(generation, failure);
        step.Connections.PreparationFailed(generation);
        foreach (var slot in step.State.Slots)
        {
            if (slot.Generation == generation && slot.Index < step.State.Desired && step.State.IsFillable(slot) && !HasLiveWorker(slot))
            {
                var unborn = WorkerMachine.Start(0, slot.Index, generation, step.State.SpecOf(generation), step.Now);
                step.Slots.ApplyRestartPolicy(unborn, ExitReason.NotStarted(failure));
            }
        }
    }

    /// <summary>Runs post_ready, once, when the serving generation is ready in every slot.</summary>
    public void Announce()
    {
        var state = step.State;
        if (state.SpecOf(state.Generation).Hooks.PostReady.IsEmpty || state.Announced == state.Generation
            || state.Rollout is { IsReplacing: true } or { Phase: RolloutPhase.RollingBack }
            || !state.Slots.All(slot => state.WorkersOf(slot.Index)
                .Any(worker => worker.Generation == state.Generation && worker.Phase == WorkerPhase.Ready)))
        {
            return;
        }

        step.State = state with { Announced = state.Generation };
        step.Add(new HookEffect(HookKind.PostReady, state.Generation));
    }

    /// <summary>Runs post_stop when the last worker of a stopped service has exited.</summary>
    public void Stopped()
    {
        step.Report(ServiceReport.ServiceStopped);
        if (!step.State.Spec.Hooks.PostStop.IsEmpty)
        {
            step.Add(new HookEffect(HookKind.PostStop, step.State.Generation));
        }
    }

    private bool HasLiveWorker(SlotState slot) =>
        step.State.WorkersOf(slot.Index).Any(worker => worker.Generation == slot.Generation && worker.IsLive);
}
