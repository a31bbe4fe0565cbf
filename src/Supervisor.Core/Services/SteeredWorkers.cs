namespace Supervisor.Core.Services;

/// <summary>Which workers of a service get new connections on steered listeners. Pure.</summary>
public static class SteeredWorkers
{
    /// <summary>
    /// The newest ready worker of each slot, so a worker that drains gets nothing new. With the strategy overlap a new generation
    /// counts when all of it is ready.
    /// </summary>
    public static IReadOnlyList<WorkerState> Of(ServiceState service)
    {
        var held = service.Rollout is { IsReplacing: true } rollout && !RolloutMachine.MayServe(service, rollout) ? rollout.To : (int?)null;
        var ready = service.Workers.Where(worker => worker.Phase == WorkerPhase.Ready && worker.Generation != held);
        return
        [
            .. KeepsOld(service)
                ? ready.GroupBy(worker => (worker.Slot, IsTrial: worker.Generation == service.Rollout!.To))
                    .Select(slot => slot.MaxBy(worker => worker.Id)!)
                : ready.GroupBy(worker => worker.Slot).Select(slot => slot.MaxBy(worker => worker.Id)!),
        ];
    }

    /// <summary>The generation on trial and its part of 1,000 new connections; null if the number of its workers decides.</summary>
    public static (int Generation, int Share)? Canary(ServiceState service) =>
        service.Rollout is { IsOnTrial: true } rollout && service.SpecOf(rollout.To).Rollout.CanaryShare is { } share
            ? (rollout.To, share)
            : null;

    private static bool KeepsOld(ServiceState service) =>
        service.Rollout is { } rollout && RolloutMachine.KeepsOldWorkers(service, rollout);
}
