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

        step.SpawnFor(accepted.Connections, FreeSlots(accepted.Connections.Length));
    }

    /// <summary>Continues with a process that an earlier daemon has started.</summary>
    public void Found(ConnectionFound found)
    {
        var (state, spec) = (step.State, step.State.SpecOf(step.State.Generation));
        var worker = WorkerMachine.Start(state.NextWorkerId, FreeSlots(1)[0], state.Generation, spec, step.Now) with
        {
            Connection = found.Connection,
            Pid = found.Pid,
        };
        (worker, _) = WorkerMachine.Step(worker, WorkerEvent.Ready, spec, step.Now);
        step.State = state with
        {
            NextWorkerId = state.NextWorkerId + 1,
            Workers = state.Workers.Add(worker),
            Counters = state.Counters with { Accepted = state.Counters.Accepted + 1 },
        };
    }

    /// <summary>
    /// The programs of connections run, which are ready then. One pass for all: with hundreds of connections a pass for each would cost
    /// more than their start. Returns the workers that are left to do.
    /// </summary>
    public IEnumerable<WorkerSpawned> Spawned(ImmutableArray<WorkerSpawned> spawned)
    {
        if (!step.State.Workers.Any(worker => worker.Connection is not null))
        {
            return spawned;
        }

        var pids = spawned.ToDictionary(one => one.WorkerId, one => one.Pid);
        var workers = step.State.Workers.ToBuilder();
        for (var i = 0; i < workers.Count; i++)
        {
            if (workers[i] is { Connection: not null, Phase: WorkerPhase.Starting } worker && pids.Remove(worker.Id, out var pid))
            {
                (workers[i], _) = WorkerMachine.Step(
                    worker with { Pid = pid }, WorkerEvent.Ready, step.State.SpecOf(worker.Generation), step.Now);
            }
        }

        step.State = step.State with { Workers = workers.MoveToImmutable() };
        return spawned.Where(one => pids.ContainsKey(one.WorkerId));
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
    public void Ended(bool isFailure) => CountFailed(isFailure ? 1 : 0);

    /// <summary>
    /// The processes of connections have exited while the service is started: in one pass, like <see cref="Spawned"/>. Returns the workers
    /// that are left to do.
    /// </summary>
    public IEnumerable<WorkerEnded> Ended(ImmutableArray<WorkerEnded> ended)
    {
        if (!step.State.IsStarted)
        {
            return ended;
        }

        var reasons = ended.ToDictionary(one => one.WorkerId, one => one.Reason);
        var failed = 0;
        step.State = step.State with { Workers = step.State.Workers.RemoveAll(IsOver) };
        CountFailed(failed);
        return ended.Where(one => reasons.ContainsKey(one.WorkerId));

        bool IsOver(WorkerState worker)
        {
            if (worker.Connection is null || !reasons.Remove(worker.Id, out var reason))
            {
                return false;
            }

            failed += worker.EndReason == EndReason.None && !(worker.MainExit ?? reason).Clean ? 1 : 0;
            return true;
        }
    }

    private void CountFailed(int failed)
    {
        if (failed > 0)
        {
            step.State = step.State with { Counters = step.State.Counters with { Failed = step.State.Counters.Failed + failed } };
        }
    }

    /// <summary>The lowest numbers that no process of a connection has.</summary>
    private ImmutableArray<int> FreeSlots(int count)
    {
        // One of so many numbers is free for each.
        var taken = new bool[step.State.Workers.Length + count];
        foreach (var worker in step.State.Workers)
        {
            if (worker.Connection is not null && worker.Slot < taken.Length)
            {
                taken[worker.Slot] = true;
            }
        }

        var free = ImmutableArray.CreateBuilder<int>(count);
        for (var slot = 0; free.Count < count; slot++)
        {
            if (!taken[slot])
            {
                free.Add(slot);
            }
        }

        return free.MoveToImmutable();
    }
}
