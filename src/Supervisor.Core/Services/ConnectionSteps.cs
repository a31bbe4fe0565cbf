using System.Collections.Immutable;

namespace Supervisor.Core.Services;

/// <summary>The workers of accepted connections: each starts at once, and its exit needs no replacement.</summary>
internal sealed class ConnectionSteps(ServiceStep step)
{
    /// <summary>Starts a worker for each connection. A service that was stopped in the meantime starts none.</summary>
    public void Accepted(ConnectionsAccepted accepted)
    {
        var counters = step.State.Counters;
        step.State = step.State with
        {
            Counters = counters with
            {
                Accepted = counters.Accepted + accepted.Connections.Length,
                Refused = counters.Refused + accepted.Refused,
            },
        };
        if (!step.State.AcceptsConnections)
        {
            return;
        }

        var slots = FreeSlots(accepted.Connections.Length);
        for (var i = 0; i < accepted.Connections.Length; i++)
        {
            step.Spawn(slots[i], step.State.Generation, accepted.Connections[i]);
        }
    }

    /// <summary>Begins the pre_start of the generation that the next connection starts.</summary>
    public void Prepare()
    {
        if (step.State is { IsStarted: true, Spec.Start: StartMode.PerConnection } state && state.Unprepared != state.Generation)
        {
            step.Hooks.IsPrepared(state.Generation);
        }
    }

    /// <summary>pre_start has failed: no connection is accepted before the next start, restart or reload.</summary>
    public void PreparationFailed(int generation)
    {
        if (step.State.Spec.Start == StartMode.PerConnection)
        {
            step.State = step.State with { Unprepared = generation };
        }
    }

    /// <summary>The process of a connection has exited, or could not be started.</summary>
    public void Ended(bool isFailure)
    {
        if (isFailure)
        {
            step.State = step.State with { Counters = step.State.Counters with { Failed = step.State.Counters.Failed + 1 } };
        }
    }

    /// <summary>The lowest numbers that no process of a connection has.</summary>
    private ImmutableArray<int> FreeSlots(int count)
    {
        var taken = step.State.Workers.Where(worker => worker.Connection is not null).Select(worker => worker.Slot).ToHashSet();
        return [.. Enumerable.Range(0, taken.Count + count).Where(slot => !taken.Contains(slot)).Take(count)];
    }
}
