using System.Collections.Immutable;
using Supervisor.Core.Services;

namespace Supervisor.Core.Reload;

/// <summary>What a reload does to one service.</summary>
/// <param name="Diff">What changes.</param>
/// <param name="Reshared">Its listeners of which each worker gets other shards, so that workers are replaced.</param>
/// <param name="Actions">The same as typed actions; at least one.</param>
public sealed record PlannedService(ServiceDiff Diff, ImmutableArray<string> Reshared, ImmutableArray<ReloadAction> Actions)
{
    /// <param name="diff">What changes.</param>
    /// <param name="running">The service; null if it does not exist.</param>
    /// <param name="listeners">The planned listeners that stay or are added, by name.</param>
    internal static PlannedService Of(ServiceDiff diff, RunningService? running, ILookup<string, PlannedListener> listeners)
    {
        if (diff.After is not { } after)
        {
            return new PlannedService(diff, [], [new ServiceStopped(diff.Name)]);
        }

        if (diff.Before is not { } before || running is null)
        {
            return new PlannedService(diff, [], [new ServiceStarted(diff.Name, after.Slots)]);
        }

        var workers = after.WorkersAfter(before, running.Workers);
        ImmutableArray<string> reshared = diff.NeedsNewWorkers ? [] : [.. after.Listeners.Distinct().SelectMany(name => listeners[name])
            .Where(step => step is { Former: { HasSocket: true } former, Diff.After: { } wanted, Move: ListenerMove.None }
                && running.NeedsOtherShares(former, wanted.Shards, workers))
            .Select(step => step.Diff.Name)];
        return new PlannedService(diff, reshared, [.. ActionsOf(diff, before, after, running, workers, reshared)]);
    }

    private static IEnumerable<ReloadAction> ActionsOf(
        ServiceDiff diff,
        ServiceSpec before,
        ServiceSpec after,
        RunningService running,
        int workers,
        ImmutableArray<string> reshared)
    {
        if (!reshared.IsEmpty)
        {
            yield return new ServiceRolledOut(diff.Name, [], workers, after.Rollout.Strategy, IsToRun: true) { Reshared = reshared };
        }
        else if (diff.IsUnchanged)
        {
            yield return new ServiceUnchanged(diff.Name);
        }

        if (before.Workers != after.Workers || workers != running.Workers)
        {
            yield return new ServiceScaled(diff.Name, running.Workers, workers);
        }

        ImmutableArray<string> inPlace =
        [
            .. diff.Changed.Where(term => !term.NeedsNewWorker && term.Setting != "workers").Select(term => term.Setting),
        ];
        if (!inPlace.IsEmpty)
        {
            yield return new ServiceChanged(diff.Name, inPlace, diff.NeedsNewWorkers);
        }

        if (diff.NeedsNewWorkers)
        {
            yield return new ServiceRolledOut(
                diff.Name,
                [.. diff.Changed.Where(term => term.NeedsNewWorker).Select(term => term.Setting)],
                workers,
                after.Rollout.Strategy,
                running.IsToRun)
            {
                NewSockets = diff.MovedListeners,
                WasMixed = diff.IsMixed,
            };
        }
    }
}
