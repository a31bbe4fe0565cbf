namespace Supervisor.Core.Services;

/// <summary>
/// One worker's transitions: (state, event, now) to (state, action). Every pair of state and event is defined. The exit of all its
/// processes is not an event here, because it removes the worker in any state.
/// </summary>
public static class WorkerMachine
{
    /// <summary>
    /// The fraction of settle that is waited in addition: a program that fails at the end of settle takes a moment to exit.
    /// </summary>
    private const int SettleMargin = 8;

    /// <summary>What the runner does to the process.</summary>
    public enum Action
    {
        /// <summary>Nothing.</summary>
        None,

        /// <summary>Send the stop signal.</summary>
        Signal,

        /// <summary>Send SIGABRT: the worker hangs, and its core shows where.</summary>
        Abort,

        /// <summary>SIGKILL all its processes.</summary>
        Kill,

        /// <summary>Continue without it: it does not exit after SIGKILL.</summary>
        Abandon,
    }

    /// <summary>
    /// The shortest time in which a killed worker has to exit before the daemon continues without it; otherwise stop_timeout.
    /// </summary>
    public static TimeSpan KillPatience { get; } = TimeSpan.FromSeconds(1);

    /// <summary>A new worker.</summary>
    public static WorkerState Start(int id, int slot, int generation, ServiceSpec spec, TimeSpan now) => new()
    {
        Id = id,
        Slot = slot,
        Generation = generation,
        Phase = WorkerPhase.Starting,
        StartedAt = now,
        PhaseSince = now,
        Deadline = now + spec.StartTimeout,
        Watchdog = spec.Watchdog,
    };

    /// <summary>The transition.</summary>
    public static (WorkerState State, Action Action) Step(WorkerState worker, WorkerEvent what, ServiceSpec spec, TimeSpan now)
    {
        var (after, action) = Cell(worker, what, spec, now);
        return (after.Phase == worker.Phase ? after : after with { PhaseSince = now }, action);
    }

    /// <summary>
    /// EXTEND_TIMEOUT_USEC: the deadline of the present phase, and the watchdog's, are no earlier than <paramref name="by"/>
    /// from now. Neither becomes earlier, and settle is not a time-out.
    /// </summary>
    public static WorkerState Extend(WorkerState worker, TimeSpan by, TimeSpan now) => worker.Phase switch
    {
        WorkerPhase.Starting or WorkerPhase.Draining or WorkerPhase.Stopping => worker with { Deadline = Later(worker.Deadline, now + by) },
        WorkerPhase.Ready =>
            worker with { WatchdogDeadline = worker.WatchdogDeadline is null ? null : Later(worker.WatchdogDeadline, now + by) },
        WorkerPhase.Killed => worker,
        _ => throw new ArgumentOutOfRangeException(nameof(worker), worker.Phase, null),
    };

    /// <summary>WATCHDOG_USEC=: sets another interval; zero: no watchdog.</summary>
    public static WorkerState SetWatchdog(WorkerState worker, TimeSpan interval, TimeSpan now) => worker.Phase switch
    {
        WorkerPhase.Ready => Watched(worker with { Watchdog = interval }, now),
        WorkerPhase.Starting or WorkerPhase.Draining or WorkerPhase.Stopping or WorkerPhase.Killed => worker with { Watchdog = interval },
        _ => throw new ArgumentOutOfRangeException(nameof(worker), worker.Phase, null),
    };

    private static (WorkerState State, Action Action) Cell(WorkerState worker, WorkerEvent what, ServiceSpec spec, TimeSpan now) =>
        (worker.Phase, what) switch
        {
            (WorkerPhase.Killed, WorkerEvent.DeadlinePassed) => (worker with { Deadline = null }, Action.Abandon),
            (WorkerPhase.Killed, _) => (worker, Action.None),
            (_, WorkerEvent.Kill) or (WorkerPhase.Draining or WorkerPhase.Stopping, WorkerEvent.DeadlinePassed) =>
                (Killed(worker, spec, now), Action.Kill),
            (WorkerPhase.Starting, WorkerEvent.MainExited) => (Ended(worker, WorkerPhase.Stopping, spec, now), Action.None),
            (WorkerPhase.Ready, WorkerEvent.MainExited) => (Ended(worker, WorkerPhase.Draining, spec, now), Action.None),
            (WorkerPhase.Draining or WorkerPhase.Stopping, WorkerEvent.MainExited) => (worker, Action.None),

            (WorkerPhase.Starting, WorkerEvent.Ready) => (Settling(worker, spec, now), Action.None),
            (WorkerPhase.Starting, WorkerEvent.Stop) => (Ending(worker, WorkerPhase.Stopping, spec, now), Action.Signal),
            (WorkerPhase.Starting, WorkerEvent.StoppingAnnounced) => (worker, Action.None),
            (WorkerPhase.Starting, WorkerEvent.DeadlinePassed) =>
                (Ending(worker, WorkerPhase.Stopping, spec, now) with { EndReason = EndReason.StartTimedOut }, Action.Signal),
            (WorkerPhase.Starting, WorkerEvent.Alive or WorkerEvent.WatchdogPassed) => (worker, Action.None),

            (WorkerPhase.Ready, WorkerEvent.Ready) => (worker, Action.None),
            (WorkerPhase.Ready, WorkerEvent.Stop) => (Ending(worker, WorkerPhase.Draining, spec, now), Action.Signal),
            (WorkerPhase.Ready, WorkerEvent.StoppingAnnounced) =>
                (worker with { Phase = WorkerPhase.Draining, Deadline = now + spec.StopTimeout, WatchdogDeadline = null }, Action.None),
            (WorkerPhase.Ready, WorkerEvent.DeadlinePassed) => (worker with { Deadline = null }, Action.None),
            (WorkerPhase.Ready, WorkerEvent.Alive) => (Watched(worker, now), Action.None),

            (WorkerPhase.Starting, WorkerEvent.WatchdogTriggered)
                or (WorkerPhase.Ready, WorkerEvent.WatchdogPassed or WorkerEvent.WatchdogTriggered) =>
                (Ending(worker, WorkerPhase.Stopping, spec, now) with { Hang = HangText(worker, what) }, Action.Abort),

            (WorkerPhase.Draining, WorkerEvent.Stop) when worker is { EndReason: EndReason.None, MainExit: null } =>
                (Ending(worker, WorkerPhase.Draining, spec, now), Action.Signal),
            (WorkerPhase.Draining, WorkerEvent.WatchdogTriggered) => (worker with { Phase = WorkerPhase.Stopping }, Action.Abort),
            (WorkerPhase.Draining or WorkerPhase.Stopping, WorkerEvent.Ready or WorkerEvent.Stop or WorkerEvent.StoppingAnnounced) =>
                (worker, Action.None),
            (
                WorkerPhase.Draining or WorkerPhase.Stopping,
                WorkerEvent.Alive or WorkerEvent.WatchdogPassed or WorkerEvent.WatchdogTriggered) => (worker, Action.None),

            _ => throw new ArgumentOutOfRangeException(nameof(what), (worker.Phase, what), null),
        };

    private static WorkerState Settling(WorkerState worker, ServiceSpec spec, TimeSpan now) =>
        Watched(
            worker with
            {
                Phase = WorkerPhase.Ready,
                ReadyAt = now,
                Deadline = worker.Connection is null && spec.Rollout.Settle > TimeSpan.Zero
                    ? now + spec.Rollout.Settle + (spec.Rollout.Settle / SettleMargin)
                    : null,
            },
            now);

    private static WorkerState Ending(WorkerState worker, WorkerPhase phase, ServiceSpec spec, TimeSpan now) =>
        worker with { Phase = phase, EndReason = EndReason.Requested, Deadline = now + spec.StopTimeout, WatchdogDeadline = null };

    /// <summary>Its main process has exited. If the daemon did not stop it, it drains as after STOPPING=1.</summary>
    private static WorkerState Ended(WorkerState worker, WorkerPhase phase, ServiceSpec spec, TimeSpan now) =>
        worker with { Phase = phase, Deadline = now + spec.StopTimeout, WatchdogDeadline = null };

    private static WorkerState Killed(WorkerState worker, ServiceSpec spec, TimeSpan now) => worker with
    {
        Phase = WorkerPhase.Killed,
        Deadline = now + (spec.StopTimeout > KillPatience ? spec.StopTimeout : KillPatience),
        WatchdogDeadline = null,
    };

    private static WorkerState Watched(WorkerState worker, TimeSpan now) =>
        worker with { WatchdogDeadline = worker.Watchdog > TimeSpan.Zero ? now + worker.Watchdog : null };

    private static string HangText(WorkerState worker, WorkerEvent what) => worker is { Due: ReplacementCause.Silent, DueText: { } silent }
        ? silent
        : what == WorkerEvent.WatchdogTriggered
        ? "reported a hang (WATCHDOG=trigger)"
        : $"sent no WATCHDOG=1 for {Duration.Rounded(worker.Watchdog)}";

    private static TimeSpan? Later(TimeSpan? deadline, TimeSpan at) => deadline is null || deadline >= at ? deadline : at;
}
