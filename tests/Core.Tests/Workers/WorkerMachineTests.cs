using Supervisor.Core.Services;
using Action = Supervisor.Core.Services.WorkerMachine.Action;

namespace Supervisor.Core.Tests.Workers;

/// <summary>Every cell of phases and events: where it leads, what is done to the process, until when it may last.</summary>
public class WorkerMachineTests
{
    private const int Start = 30;
    private const int StopAfter = 20;
    /// <summary>Seconds: settle and an eighth of it.</summary>
    private const int SettleFor = 9;
    private const int WatchdogAfter = 7;
    private static readonly TimeSpan Now = TimeSpan.FromSeconds(100);
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(111);

    private static readonly ServiceSpec Spec = new()
    {
        Name = "api",
        Command = ["/srv/api"],
        StartTimeout = TimeSpan.FromSeconds(Start),
        StopTimeout = TimeSpan.FromSeconds(StopAfter),
        Watchdog = TimeSpan.FromSeconds(WatchdogAfter),
        Rollout = new RolloutSpec { Settle = TimeSpan.FromSeconds(8) },
    };

    // The deadline: null is none, 0 is the one that it had, else seconds from now.
    public static TheoryData<WorkerPhase, WorkerEvent, WorkerPhase, Action, int?> Cells => new()
    {
        { WorkerPhase.Starting, WorkerEvent.Ready, WorkerPhase.Ready, Action.None, SettleFor },
        { WorkerPhase.Starting, WorkerEvent.Stop, WorkerPhase.Stopping, Action.Signal, StopAfter },
        { WorkerPhase.Starting, WorkerEvent.StoppingAnnounced, WorkerPhase.Starting, Action.None, 0 },
        { WorkerPhase.Starting, WorkerEvent.MainExited, WorkerPhase.Stopping, Action.None, StopAfter },
        { WorkerPhase.Starting, WorkerEvent.Kill, WorkerPhase.Killed, Action.Kill, StopAfter },
        { WorkerPhase.Starting, WorkerEvent.DeadlinePassed, WorkerPhase.Stopping, Action.Signal, StopAfter },
        { WorkerPhase.Starting, WorkerEvent.Alive, WorkerPhase.Starting, Action.None, 0 },
        { WorkerPhase.Starting, WorkerEvent.WatchdogPassed, WorkerPhase.Starting, Action.None, 0 },
        { WorkerPhase.Starting, WorkerEvent.WatchdogTriggered, WorkerPhase.Stopping, Action.Abort, StopAfter },

        { WorkerPhase.Ready, WorkerEvent.Ready, WorkerPhase.Ready, Action.None, 0 },
        { WorkerPhase.Ready, WorkerEvent.Stop, WorkerPhase.Draining, Action.Signal, StopAfter },
        { WorkerPhase.Ready, WorkerEvent.StoppingAnnounced, WorkerPhase.Draining, Action.None, StopAfter },
        { WorkerPhase.Ready, WorkerEvent.MainExited, WorkerPhase.Draining, Action.None, StopAfter },
        { WorkerPhase.Ready, WorkerEvent.Kill, WorkerPhase.Killed, Action.Kill, StopAfter },
        { WorkerPhase.Ready, WorkerEvent.DeadlinePassed, WorkerPhase.Ready, Action.None, null },
        { WorkerPhase.Ready, WorkerEvent.Alive, WorkerPhase.Ready, Action.None, 0 },
        { WorkerPhase.Ready, WorkerEvent.WatchdogPassed, WorkerPhase.Stopping, Action.Abort, StopAfter },
        { WorkerPhase.Ready, WorkerEvent.WatchdogTriggered, WorkerPhase.Stopping, Action.Abort, StopAfter },

        { WorkerPhase.Draining, WorkerEvent.Ready, WorkerPhase.Draining, Action.None, 0 },
        { WorkerPhase.Draining, WorkerEvent.Stop, WorkerPhase.Draining, Action.None, 0 },
        { WorkerPhase.Draining, WorkerEvent.StoppingAnnounced, WorkerPhase.Draining, Action.None, 0 },
        { WorkerPhase.Draining, WorkerEvent.MainExited, WorkerPhase.Draining, Action.None, 0 },
        { WorkerPhase.Draining, WorkerEvent.Kill, WorkerPhase.Killed, Action.Kill, StopAfter },
        { WorkerPhase.Draining, WorkerEvent.DeadlinePassed, WorkerPhase.Killed, Action.Kill, StopAfter },
        { WorkerPhase.Draining, WorkerEvent.Alive, WorkerPhase.Draining, Action.None, 0 },
        { WorkerPhase.Draining, WorkerEvent.WatchdogPassed, WorkerPhase.Draining, Action.None, 0 },
        { WorkerPhase.Draining, WorkerEvent.WatchdogTriggered, WorkerPhase.Stopping, Action.Abort, 0 },

        { WorkerPhase.Stopping, WorkerEvent.Ready, WorkerPhase.Stopping, Action.None, 0 },
        { WorkerPhase.Stopping, WorkerEvent.Stop, WorkerPhase.Stopping, Action.None, 0 },
        { WorkerPhase.Stopping, WorkerEvent.StoppingAnnounced, WorkerPhase.Stopping, Action.None, 0 },
        { WorkerPhase.Stopping, WorkerEvent.MainExited, WorkerPhase.Stopping, Action.None, 0 },
        { WorkerPhase.Stopping, WorkerEvent.Kill, WorkerPhase.Killed, Action.Kill, StopAfter },
        { WorkerPhase.Stopping, WorkerEvent.DeadlinePassed, WorkerPhase.Killed, Action.Kill, StopAfter },
        { WorkerPhase.Stopping, WorkerEvent.Alive, WorkerPhase.Stopping, Action.None, 0 },
        { WorkerPhase.Stopping, WorkerEvent.WatchdogPassed, WorkerPhase.Stopping, Action.None, 0 },
        { WorkerPhase.Stopping, WorkerEvent.WatchdogTriggered, WorkerPhase.Stopping, Action.None, 0 },

        { WorkerPhase.Killed, WorkerEvent.Ready, WorkerPhase.Killed, Action.None, 0 },
        { WorkerPhase.Killed, WorkerEvent.Stop, WorkerPhase.Killed, Action.None, 0 },
        { WorkerPhase.Killed, WorkerEvent.StoppingAnnounced, WorkerPhase.Killed, Action.None, 0 },
        { WorkerPhase.Killed, WorkerEvent.MainExited, WorkerPhase.Killed, Action.None, 0 },
        { WorkerPhase.Killed, WorkerEvent.Kill, WorkerPhase.Killed, Action.None, 0 },
        { WorkerPhase.Killed, WorkerEvent.DeadlinePassed, WorkerPhase.Killed, Action.Abandon, null },
        { WorkerPhase.Killed, WorkerEvent.Alive, WorkerPhase.Killed, Action.None, 0 },
        { WorkerPhase.Killed, WorkerEvent.WatchdogPassed, WorkerPhase.Killed, Action.None, 0 },
        { WorkerPhase.Killed, WorkerEvent.WatchdogTriggered, WorkerPhase.Killed, Action.None, 0 },
    };

    [Theory]
    [MemberData(nameof(Cells))]
    public void Cell(WorkerPhase phase, WorkerEvent what, WorkerPhase expected, Action action, int? deadline)
    {
        var worker = Worker(phase) with
        {
            EndReason = phase is WorkerPhase.Draining or WorkerPhase.Stopping ?
            EndReason.Requested :
            EndReason.None
        };
        Assert.Equal(expected == phase ? TimeSpan.Zero : Now, WorkerMachine.Step(worker, what, Spec, Now).State.PhaseSince);

        var (after, done) = WorkerMachine.Step(worker, what, Spec, Now);

        Assert.Equal(expected, after.Phase);
        Assert.Equal(action, done);
        Assert.Equal(
            deadline switch { null => null, 0 => Before, { } seconds => (TimeSpan?)(Now + TimeSpan.FromSeconds(seconds)) },
            after.Deadline);
    }

    [Fact]
    public void The_table_covers_every_phase_and_event() =>
        Assert.Equal(
            from phase in Enum.GetValues<WorkerPhase>() from what in Enum.GetValues<WorkerEvent>() select (phase, what),
            Cells.Select(row => ((WorkerPhase)row[0], (WorkerEvent)row[1])));

    [Fact]
    public void A_worker_that_drains_unasked_gets_one_full_drain_timeout()
    {
        var leaving = WorkerMachine.Step(Worker(WorkerPhase.Ready), WorkerEvent.StoppingAnnounced, Spec, Now).State;
        Assert.Equal(EndReason.None, leaving.EndReason);
        Assert.True(leaving.AwaitsRestartPolicy);

        var later = Now + TimeSpan.FromSeconds(3);
        var (asked, action) = WorkerMachine.Step(leaving, WorkerEvent.Stop, Spec, later);
        Assert.Equal(Action.Signal, action);
        Assert.Equal(EndReason.Requested, asked.EndReason);
        Assert.Equal(later + Spec.StopTimeout, asked.Deadline);
        Assert.Equal((asked, Action.None), WorkerMachine.Step(asked, WorkerEvent.Stop, Spec, later + TimeSpan.FromSeconds(3)));
    }

    [Fact]
    public void A_new_worker_has_start_timeout_as_its_deadline()
    {
        var worker = WorkerMachine.Start(7, 2, 3, Spec, Now);
        Assert.Equal(
            (7, 2, 3, WorkerPhase.Starting, Now, Now + Spec.StartTimeout),
            (worker.Id, worker.Slot, worker.Generation, worker.Phase, worker.StartedAt, worker.Deadline));
        Assert.True(worker.IsLive);
    }

    [Fact]
    public void A_start_timeout_differs_from_a_requested_stop()
    {
        var timedOut = WorkerMachine.Step(Worker(WorkerPhase.Starting), WorkerEvent.DeadlinePassed, Spec, Now).State;
        var asked = WorkerMachine.Step(Worker(WorkerPhase.Starting), WorkerEvent.Stop, Spec, Now).State;
        Assert.True(timedOut is { EndReason: EndReason.StartTimedOut, AwaitsRestartPolicy: true });
        Assert.True(asked is { EndReason: EndReason.Requested, AwaitsRestartPolicy: false });
    }

    [Fact]
    public void A_ready_worker_settles_after_its_settle_time()
    {
        var ready = WorkerMachine.Step(Worker(WorkerPhase.Starting), WorkerEvent.Ready, Spec, Now).State;
        Assert.False(ready.IsSettled);
        Assert.Equal(Now, ready.ReadyAt);
        Assert.True(WorkerMachine.Step(ready, WorkerEvent.DeadlinePassed, Spec, ready.Deadline!.Value).State.IsSettled);
        var atOnce = Spec with { Rollout = new RolloutSpec { Settle = TimeSpan.Zero } };
        Assert.True(WorkerMachine.Step(Worker(WorkerPhase.Starting), WorkerEvent.Ready, atOnce, Now).State.IsSettled);
    }

    [Fact]
    public void Each_watchdog_ping_of_a_ready_worker_restarts_the_watchdog()
    {
        var starting = WorkerMachine.Start(7, 2, 3, Spec, Now);
        Assert.Null(starting.WatchdogDeadline);

        var ready = WorkerMachine.Step(starting, WorkerEvent.Ready, Spec, Now).State;
        Assert.Equal(Now + Spec.Watchdog, ready.WatchdogDeadline);
        Assert.Equal(ready.WatchdogDeadline, ready.NextDeadline);
        Assert.Equal(Now + TimeSpan.FromSeconds(SettleFor), ready.Deadline);

        var later = Now + TimeSpan.FromSeconds(6);
        var alive = WorkerMachine.Step(ready, WorkerEvent.Alive, Spec, later).State;
        Assert.Equal(later + Spec.Watchdog, alive.WatchdogDeadline);
        Assert.Null(WorkerMachine.Step(alive, WorkerEvent.Stop, Spec, later).State.WatchdogDeadline);
        Assert.Null(WorkerMachine.Step(alive, WorkerEvent.StoppingAnnounced, Spec, later).State.WatchdogDeadline);
    }

    [Fact]
    public void A_hung_worker_fails_with_the_watchdog_as_cause()
    {
        var ready = WorkerMachine.Step(WorkerMachine.Start(7, 2, 3, Spec, Now), WorkerEvent.Ready, Spec, Now).State;
        var silent = WorkerMachine.Step(ready, WorkerEvent.WatchdogPassed, Spec, Now).State;
        Assert.True(silent is { HasFailed: true, EndReason: EndReason.Hung, AwaitsRestartPolicy: true, WatchdogDeadline: null });
        Assert.Equal("sent no WATCHDOG=1 for 7s", silent.Hang);
        Assert.Equal(
            "reported a hang (WATCHDOG=trigger)",
            WorkerMachine.Step(ready, WorkerEvent.WatchdogTriggered, Spec, Now).State.Hang);

        // One that leaves already is no failure of its own.
        var draining = WorkerMachine.Step(ready, WorkerEvent.Stop, Spec, Now).State;
        Assert.Null(WorkerMachine.Step(draining, WorkerEvent.WatchdogTriggered, Spec, Now).State.Hang);
    }

    [Fact]
    public void A_worker_can_set_its_watchdog_interval_or_disable_it()
    {
        var starting = WorkerMachine.SetWatchdog(WorkerMachine.Start(7, 2, 3, Spec, Now), TimeSpan.FromSeconds(3), Now);
        var ready = WorkerMachine.Step(starting, WorkerEvent.Ready, Spec, Now).State;
        Assert.Equal(Now + TimeSpan.FromSeconds(3), ready.WatchdogDeadline);
        Assert.Null(WorkerMachine.SetWatchdog(ready, TimeSpan.Zero, Now).WatchdogDeadline);
        Assert.Null(WorkerMachine.SetWatchdog(Worker(WorkerPhase.Draining), TimeSpan.FromSeconds(3), Now).WatchdogDeadline);
    }

    // The deadline that is left, and the watchdog's, in seconds from now: null is none.
    [Theory]
    [InlineData(WorkerPhase.Starting, 20, 20, null)]
    [InlineData(WorkerPhase.Starting, 5, 11, null)]
    [InlineData(WorkerPhase.Ready, 20, 11, 20)]
    [InlineData(WorkerPhase.Ready, 5, 11, 7)]
    [InlineData(WorkerPhase.Draining, 20, 20, null)]
    [InlineData(WorkerPhase.Stopping, 20, 20, null)]
    [InlineData(WorkerPhase.Killed, 20, 11, null)]
    public void EXTEND_TIMEOUT_extends_and_never_shortens_a_deadline(WorkerPhase phase, int by, int deadline, int? watchdog)
    {
        var worker = Worker(phase) with { WatchdogDeadline = phase == WorkerPhase.Ready ? Now + TimeSpan.FromSeconds(7) : null };
        var after = WorkerMachine.Extend(worker, TimeSpan.FromSeconds(by), Now);
        Assert.Equal(Now + TimeSpan.FromSeconds(deadline), after.Deadline);
        Assert.Equal(watchdog is { } seconds ? Now + TimeSpan.FromSeconds(seconds) : null, after.WatchdogDeadline);
        Assert.Equal(phase, after.Phase);
    }

    [Fact]
    public void EXTEND_TIMEOUT_does_not_create_a_watchdog() =>
        Assert.Null(WorkerMachine.Extend(Worker(WorkerPhase.Ready), TimeSpan.FromSeconds(5), Now).WatchdogDeadline);

    private static WorkerState Worker(WorkerPhase phase) =>
        new() { Id = 1, Slot = 0, Generation = 1, Phase = phase, StartedAt = TimeSpan.Zero, Deadline = Before };
}
