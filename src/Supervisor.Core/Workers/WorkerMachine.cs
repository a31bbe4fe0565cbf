using Supervisor.Core.Services;

namespace Supervisor.Core.Workers;

/// <summary>
/// One worker's transitions: (state, event, now) to (state, action). Every cell of states and events is filled. The end
/// of the process is not among the events, since it removes the worker from any state.
/// </summary>
public static class WorkerMachine
{
    /// <summary>What the runner has to do to the process.</summary>
    public enum Action
    {
        /// <summary>Nothing.</summary>
        None,

        /// <summary>Send the stop signal.</summary>
        Signal,

        /// <summary>SIGKILL the whole session.</summary>
        Kill,
    }

    /// <summary>A worker at its birth.</summary>
    public static WorkerState Start(int id, int slot, int generation, ServiceSpec spec, TimeSpan now) => new()
    {
        Id = id,
        Slot = slot,
        Generation = generation,
        Phase = WorkerPhase.Starting,
        StartedAt = now,
        Deadline = now + spec.StartTimeout,
    };

    /// <summary>The transition.</summary>
    public static (WorkerState State, Action Action) Step(WorkerState worker, WorkerEvent what, ServiceSpec spec, TimeSpan now) => (worker.Phase, what) switch
    {
        (WorkerPhase.Starting, WorkerEvent.Ready) => (Settling(worker, spec, now), Action.None),
        (WorkerPhase.Starting, WorkerEvent.Stop) => (Ending(worker, WorkerPhase.Stopping, spec, now), Action.Signal),
        (WorkerPhase.Starting, WorkerEvent.StoppingAnnounced) => (worker, Action.None),
        (WorkerPhase.Starting, WorkerEvent.DeadlinePassed) => (Ending(worker, WorkerPhase.Stopping, spec, now) with { StartTimedOut = true }, Action.Signal),

        (WorkerPhase.Ready, WorkerEvent.Ready) => (worker, Action.None),
        (WorkerPhase.Ready, WorkerEvent.Stop) => (Ending(worker, WorkerPhase.Draining, spec, now), Action.Signal),
        (WorkerPhase.Ready, WorkerEvent.StoppingAnnounced) => (worker with { Phase = WorkerPhase.Draining, Deadline = now + spec.StopTimeout }, Action.None),
        (WorkerPhase.Ready, WorkerEvent.DeadlinePassed) => (worker with { Deadline = null }, Action.None),

        (WorkerPhase.Draining or WorkerPhase.Stopping, WorkerEvent.DeadlinePassed) => (worker with { Phase = WorkerPhase.Killed, Deadline = null }, Action.Kill),
        (WorkerPhase.Draining, WorkerEvent.Stop) when !worker.EndRequested => (Ending(worker, WorkerPhase.Draining, spec, now), Action.Signal),
        (WorkerPhase.Draining or WorkerPhase.Stopping, WorkerEvent.Ready or WorkerEvent.Stop or WorkerEvent.StoppingAnnounced) => (worker, Action.None),

        (WorkerPhase.Killed, WorkerEvent.Ready or WorkerEvent.Stop or WorkerEvent.StoppingAnnounced or WorkerEvent.DeadlinePassed) => (worker with { Deadline = null }, Action.None),

        _ => throw new ArgumentOutOfRangeException(nameof(what), (worker.Phase, what), null),
    };

    private static WorkerState Settling(WorkerState worker, ServiceSpec spec, TimeSpan now) =>
        worker with { Phase = WorkerPhase.Ready, ReadyAt = now, Deadline = spec.Rollout.Settle > TimeSpan.Zero ? now + spec.Rollout.Settle : null };

    private static WorkerState Ending(WorkerState worker, WorkerPhase phase, ServiceSpec spec, TimeSpan now) =>
        worker with { Phase = phase, EndRequested = true, Deadline = now + spec.StopTimeout };
}
