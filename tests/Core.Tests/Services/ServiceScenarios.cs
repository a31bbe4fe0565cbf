using Supervisor.Core.Services;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Tests.Services;

/// <summary>A service from its start to its stop, without a roll-out: which process is started and ended when.</summary>
public class ServiceScenarios
{
    [Fact]
    public void Start_spawns_every_worker_and_runs_when_all_are_ready()
    {
        var service = Service(3).Start().Did("spawn 0/1", "spawn 1/1", "spawn 2/1");
        Assert.Equal(ServiceCondition.Starting, service.Condition);
        service.Ready("0/1", "1/1");
        Assert.Equal(ServiceCondition.Starting, service.Condition);
        service.Ready("2/1");
        Assert.Equal(ServiceCondition.Running, service.Condition);
        Assert.Null(service.State.NextDeadline);
        service.Start().Did();
    }

    [Fact]
    public void With_ready_started_a_worker_is_ready_at_its_exec()
    {
        var service = Service(2, readiness: Readiness.Started).Start();
        Assert.Equal("0/1 1/1", service.Serving);
    }

    [Fact]
    public void A_crash_after_ready_is_replaced_at_once()
    {
        var service = Running(2).Die("1/1").Did("spawn 1/1");
        Assert.Equal(ServiceCondition.Degraded, service.Condition);
        service.ReadyAll();
        Assert.Equal(ServiceCondition.Running, service.Condition);
        Assert.Equal([0, 1], service.State.Slots.Select(slot => slot.Restarts));
    }

    [Fact]
    public void A_crash_loop_that_is_too_slow_for_the_limit_is_reported_at_each_doubling()
    {
        var service = Running(1);
        int[] reported = [.. Enumerable.Range(1, 21).Where(_ =>
        {
            service.Forget().Advance(2.1).Die("0/1").ReadyAll();
            return service.Reports.Any(report => report.Report == ServiceReport.SlotLooping);
        })];
        Assert.Equal([5, 10, 20], reported);
        var (loop, restart) = (service.State.Slots[0].CrashLoop!, service.State.Spec.Restart);
        Assert.Equal(TimeSpan.FromSeconds(2.1), loop.Period());
        Assert.True(loop.IsActive(restart, service.Now + TimeSpan.FromSeconds(20)));
        Assert.False(loop.IsActive(restart, service.Now + TimeSpan.FromSeconds(22)));
        service.Advance(TimeSpan.FromHours(2)).Die("0/1");
        Assert.Equal(1, service.State.Slots[0].CrashLoop!.Crashes);
        service.ReadyAll().Exit("0/1");
        Assert.Null(service.State.Slots[0].CrashLoop);
    }

    [Fact]
    public void Restarts_are_counted_by_cause_and_rollouts_by_outcome()
    {
        var service = Running(1).Die("0/1").ReadyAll().Exit("0/1").ReadyAll().Hang("0/1").EndAll().ReadyAll();
        Assert.Equal(
            [(RestartCause.Exited, 1), (RestartCause.Failed, 1), (RestartCause.Hung, 1)],
            service.State.Counters.Restarts.Select(pair => (pair.Key, (int)pair.Value)));
        Assert.Equal(service.State.TotalRestarts, service.State.Counters.Restarts.Values.Sum());
        service.Restart().Settle().Restart().Restart().Settle().Restart().Abort().Settle();
        Assert.Equal(
            [("done", 2), ("rolled-back", 1), ("superseded", 1)],
            service.State.Counters.Rollouts.Select(pair => (pair.Key, (int)pair.Value)));
    }

    [Fact]
    public void The_number_of_restarts_never_falls_and_a_slot_counts_those_of_its_generation()
    {
        var service = Running(2).Die("1/1").ReadyAll().Die("0/1").ReadyAll();
        Assert.Equal(2, service.State.TotalRestarts);
        Assert.Equal((1, "exited with status 1"), (service.State.Slots[0].Restarts, service.State.Slots[0].LastExit?.Text));
        service.Restart().Settle();
        Assert.Equal((0, null), (service.State.Slots[0].Restarts, service.State.Slots[0].LastExit));
        service.Die("0/2").ReadyAll().Stop().EndAll().Start();
        Assert.Equal(3, service.State.TotalRestarts);
        service.Scale(1).Settle();
        Assert.Equal(3, service.State.TotalRestarts);
    }

    [Fact]
    public void Crashes_before_ready_back_off_from_the_second_crash()
    {
        var service = Service(1, new RestartSpec { Limit = 0, BackoffMax = TimeSpan.FromMilliseconds(350) }).Start().Forget();
        service.Die("0/1").Did("spawn 0/1");
        foreach (var wait in new[] { 0.1, 0.2, 0.35, 0.35 })
        {
            service.Die("0/1").Did();
            Assert.Equal(service.Now + TimeSpan.FromSeconds(wait), service.State.NextDeadline);
            service.Advance(wait - 0.001).Did();
            service.Advance(0.001).Did("spawn 0/1");
        }

        service.Ready("0/1").Advance(0.1).Forget().Die("0/1").Did("spawn 0/1");
    }

    [Fact]
    public void A_slot_beyond_the_limit_waits_and_the_service_fails()
    {
        var service = Service(1, new RestartSpec { Limit = 5, Backoff = TimeSpan.FromMilliseconds(1) }).Start();
        for (var i = 0; i < 5; i++)
        {
            service.Die("0/1").Advance(0.1);
        }

        service.Forget().Die("0/1").Did();
        Assert.True(service.State.Slots[0].Phase == SlotPhase.Limited);
        Assert.Equal(ServiceCondition.Failed, service.Condition);
        Assert.Equal(service.Now + TimeSpan.FromSeconds(30), service.State.NextDeadline);
        service.Advance(30).Did("spawn 0/1");
        service.Ready("0/1");
        Assert.Equal(ServiceCondition.Running, service.Condition);
    }

    [Fact]
    public void Each_slot_backs_off_independently()
    {
        var service = Running(2, new RestartSpec()).Die("0/1").Die("0/1").Forget();
        service.Die("1/1").Did("spawn 1/1");
        Assert.NotNull(service.State.Slots[0].NextTry);
        Assert.Null(service.State.Slots[1].NextTry);
    }

    [Theory]
    [InlineData(RestartPolicy.OnFailure)]
    [InlineData(RestartPolicy.Never)]
    public void A_clean_exit_can_finish_the_slot(RestartPolicy policy)
    {
        var service = Running(2, new RestartSpec { Policy = policy }).Exit("0/1").Did();
        Assert.True(service.State.Slots[0].Phase == SlotPhase.Finished);
        Assert.Equal((ServiceCondition.Degraded, 1), (service.Condition, service.State.Expected));
        service.Exit("1/1").Did();
        Assert.Equal((ServiceCondition.Stopped, 0), (service.Condition, service.State.Expected));
    }

    [Fact]
    public void The_restart_policy_distinguishes_failures()
    {
        Running(1, new RestartSpec { Policy = RestartPolicy.OnFailure }).Die("0/1").Did("spawn 0/1");
        var never = Running(1, new RestartSpec { Policy = RestartPolicy.Never }).Die("0/1").Did();
        Assert.Equal((ServiceCondition.Failed, 1), (never.Condition, never.State.Expected));
    }

    [Fact]
    public void A_program_that_cannot_be_executed_backs_off()
    {
        var service = Service(1);
        service.Broken.Add(1);
        service.Start().Did("spawn 0/1", "spawn 0/1");
        Assert.Equal(TimeSpan.FromMilliseconds(100), service.State.NextDeadline);
        Assert.Equal("could not be started: ENOENT", service.State.Slots[0].LastExit?.Text);
    }

    [Fact]
    public void A_worker_that_misses_start_timeout_is_replaced_after_exit()
    {
        var service = Service(1).Start().Forget().Advance(30).Did("stop 0/1");
        Assert.Equal(WorkerPhase.Stopping, service.State.Workers[0].Phase);
        service.Advance(20).Did("kill 0/1");
        service.EndAll().Did("spawn 0/1");
        service.Advance(30).Did("stop 0/1");
        service.EndAll().Did();
        Assert.Equal(2, service.State.Slots[0].Failures);
        Assert.Contains("was not ready within start_timeout (30s)", service.State.Slots[0].LastExit?.Text, StringComparison.Ordinal);
        service.Advance(0.1).Did("spawn 0/1");
    }

    [Fact]
    public void Policy_never_does_not_restart_after_a_start_timeout() =>
        Assert.True(Service(1, new RestartSpec { Policy = RestartPolicy.Never }).Start().Forget().Advance(30).EndAll().Did("stop 0/1").State
            .Slots[0]
            .Finished);

    [Fact]
    public void A_worker_that_drains_unasked_is_replaced_while_it_drains()
    {
        var service = Running(1).Leave("0/1").Did("spawn 0/1");
        service.ReadyAll();
        Assert.Equal("0/1", service.Serving);
        service.EndAll().Did();
        Assert.Equal(1, service.State.Slots[0].Restarts);
    }

    [Fact]
    public void A_draining_worker_that_does_not_exit_is_killed()
    {
        var service = Running(1).Leave("0/1").ReadyAll().Forget();
        service.Advance(20).Did("kill 0/1");
        service.EndAll().Did();
    }

    [Fact]
    public void A_worker_without_watchdog_pings_is_aborted_and_replaced()
    {
        var service = Watched(RolloutStrategy.Rolling);
        service.Advance(2).Alive("0/1").Advance(2).Did();
        service.Advance(1);
        Assert.Single(service.Reports, report => report.Report == ServiceReport.WorkerHung && report.Text == "sent no WATCHDOG=1 for 3s");
        service.Did("abort 0/1", "spawn 0/1");
        Assert.Equal("sent no WATCHDOG=1 for 3s", service.State.Slots[0].LastExit?.Text);
        service.Advance(2).Ready("0/1").Did();
        service.Advance(1).Did();
        Assert.Equal(1, service.State.Slots[0].Restarts);
    }

    [Fact]
    public void A_worker_that_survives_SIGABRT_is_killed()
    {
        var service = Watched(RolloutStrategy.Rolling);
        service.Hang("0/1").Did("abort 0/1", "spawn 0/1");
        service.Send(new WorkerWatchdogSet(2, TimeSpan.Zero)).ReadyAll().Advance(20).Did("kill 0/1");
        service.EndAll().Did();
        Assert.Equal(ServiceCondition.Running, service.Condition);
    }

    [Fact]
    public void A_hung_worker_of_an_exclusive_slot_is_replaced_after_exit()
    {
        var service = Watched(RolloutStrategy.StopFirst);
        service.Advance(3).Did("abort 0/1");
        service.EndAll().Did("spawn 0/1");
        Assert.Equal("sent no WATCHDOG=1 for 3s", service.State.Slots[0].LastExit?.Text);
    }

    [Fact]
    public void A_new_worker_that_hangs_fails_the_rollout()
    {
        var service = Watched(RolloutStrategy.Rolling, settle: 10);
        service.Advance(10).Alive("0/1").Forget();
        service.Send(new WorkerWatchdogSet(1, TimeSpan.Zero)).Restart().Ready("0/2").Forget().Advance(3);
        Assert.Contains("abort 0/2", service.Acts);
        Assert.Contains("sent no WATCHDOG=1 for 3s 3s after it was ready", service.State.Rollout?.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void EXTEND_TIMEOUT_extends_the_start_timeout()
    {
        var service = Service(1).Start().Forget().Advance(29);
        service.Send(new WorkerTimeoutExtended(1, TimeSpan.FromSeconds(60))).Advance(59).Did();
        service.Advance(1).Did("stop 0/1");
    }

    [Fact]
    public void A_named_main_process_becomes_the_worker()
    {
        var service = Service(1).Start();
        service.Send(new WorkerMainProcess(1, 4711));
        Assert.Equal(4711, service.Worker("0/1").Pid);
    }

    [Fact]
    public void The_limit_applies_to_workers_that_keep_draining()
    {
        var service = Running(1);
        for (var i = 0; i < 5; i++)
        {
            service.Leave("0/1").Did("spawn 0/1");
            service.ReadyAll().Forget();
        }

        service.Leave("0/1").Did();
        Assert.True(service.State.Slots[0].Phase == SlotPhase.Limited);
    }

    [Theory]
    [InlineData(RestartPolicy.Never, 1, true)]
    [InlineData(RestartPolicy.OnFailure, 0, true)]
    [InlineData(RestartPolicy.OnFailure, 1, false)]
    public void A_policy_that_needs_the_exit_status_waits_for_the_exit(
        RestartPolicy policy,
        int status,
        bool finished)
    {
        var service = Running(1, new RestartSpec { Policy = policy }).Leave("0/1").Did();
        service.Send(new WorkerEnded(1, ExitReason.Exited(status))).Did(finished ? [] : ["spawn 0/1"]);
        Assert.Equal(finished, service.State.Slots[0].Phase == SlotPhase.Finished);
    }

    [Fact]
    public void Stop_ends_every_worker_and_kills_a_worker_that_remains()
    {
        var service = Running(2).Scale(3).Forget();
        service.Stop().Did("stop 0/1", "stop 1/1", "stop 2/1");
        Assert.Equal(ServiceCondition.Stopping, service.Condition);
        service.Exit("0/1").Did();
        service.Advance(20).Did("kill 1/1", "kill 2/1");
        service.EndAll();
        Assert.Single(service.Reports, report => report.Report == ServiceReport.ServiceStopped);
        Assert.Equal(ServiceCondition.Stopped, service.Condition);
        service.Forget().Stop();
        Assert.Empty(service.Effects);
    }

    [Fact]
    public void A_restart_starts_a_stopped_service()
    {
        var service = Running(2).Restart().Settle().Stop().EndAll().Forget();
        service.Restart().Did("spawn 0/2", "spawn 1/2");
        Assert.Equal(ServiceCondition.Starting, service.Condition);
        service.ReadyAll().Did();
        Assert.Equal(ServiceCondition.Running, service.Condition);
    }

    [Fact]
    public void A_start_retries_only_waiting_slots_at_once()
    {
        var service = Running(2, new RestartSpec()).Die("1/1").Die("1/1").Forget();
        Assert.NotNull(service.State.NextDeadline);
        service.Start().Did("spawn 1/1");
        Assert.Equal(0, service.State.Slots[1].Failures);
        service.Die("1/1").Did("spawn 1/1");
        service.ReadyAll();
        Assert.Equal(ServiceCondition.Running, service.Condition);
        service.Start().Did();
    }

    [Fact]
    public void A_start_after_the_limit_resets_the_count()
    {
        var service = Service(1, new RestartSpec { Limit = 2, Backoff = TimeSpan.FromMilliseconds(1) }).Start();
        for (var i = 0; i < 3; i++)
        {
            service.Die("0/1").Advance(0.1);
        }

        Assert.Equal(ServiceCondition.Failed, service.Condition);
        service.Forget().Start().Did("spawn 0/1");
        Assert.Equal(ServiceCondition.Starting, service.Condition);
        service.Die("0/1").Did("spawn 0/1");
        Assert.False(service.State.Slots[0].Phase == SlotPhase.Limited);
        Assert.Equal(4, service.State.Slots[0].Restarts);
    }

    [Fact]
    public void A_start_during_a_retry_clears_the_limit_and_spawns_nothing()
    {
        var service = Service(1, new RestartSpec { Limit = 1, Backoff = TimeSpan.FromMilliseconds(1) }).Start();
        service.Die("0/1").Die("0/1").Advance(30).Forget();
        Assert.True(service.State.Slots[0].Phase == SlotPhase.Limited);
        service.Start().Did();
        Assert.False(service.State.Slots[0].Phase == SlotPhase.Limited);
    }

    [Theory]
    [InlineData(RestartPolicy.OnFailure)]
    [InlineData(RestartPolicy.Never)]
    public void A_start_runs_a_finished_service_again(RestartPolicy policy)
    {
        var service = Running(2, new RestartSpec { Policy = policy }).Exit("0/1", "1/1").Did();
        Assert.Equal(ServiceCondition.Stopped, service.Condition);
        service.Start().Did("spawn 0/1", "spawn 1/1");
        service.ReadyAll();
        Assert.Equal(ServiceCondition.Running, service.Condition);
    }

    [Fact]
    public void A_start_does_not_fill_a_finished_slot_that_still_drains()
    {
        var service = Running(1, new RestartSpec { Policy = RestartPolicy.Never }).Leave("0/1").Did();
        service.Start().Did();
        service.EndAll().Did();
        service.Start().Did("spawn 0/1");
    }

    [Fact]
    public void A_spawned_worker_is_reported_with_its_pid()
    {
        var service = Service(1).Start();
        Assert.Equal(100, Assert.Single(service.Reports, report => report.Report == ServiceReport.WorkerSpawned).Worker!.Pid);
    }

    [Fact]
    public void A_stopped_service_starts_next_to_its_draining_workers()
    {
        var service = Running(2).Stop().Forget();
        service.Start().Did("spawn 0/1", "spawn 1/1");
        service.EndAll().Did();
        service.ReadyAll();
        Assert.Equal(ServiceCondition.Running, service.Condition);
    }

    [Fact]
    public void Stop_of_waiting_slots_completes_at_once()
    {
        var service = Service(1).Start().Die("0/1").Die("0/1").Forget();
        service.Stop();
        Assert.Single(service.Reports, report => report.Report == ServiceReport.ServiceStopped);
        Assert.Null(service.State.NextDeadline);
    }

    [Fact]
    public void Scaling_up_adds_and_scaling_down_drains_the_last()
    {
        var service = Running(2).Scale(4).Did("spawn 2/1", "spawn 3/1");
        service.ReadyAll().Scale(1).Did("stop 1/1", "stop 2/1", "stop 3/1");
        Assert.Equal(4, service.State.Slots.Length);
        service.EndAll();
        Assert.Single(service.State.Slots);
        Assert.Equal(ServiceCondition.Running, service.Condition);
    }

    [Fact]
    public void A_slot_scaled_back_during_a_drain_gets_a_new_worker_at_once()
    {
        var service = Running(2).Scale(1).Forget();
        service.Scale(2).Did("spawn 1/1");
        service.EndAll().ReadyAll().Did();
        Assert.Equal(ServiceCondition.Running, service.Condition);
    }

    [Fact]
    public void A_stopped_service_remembers_its_scale() =>
        Running(1).Stop().EndAll().Scale(2).Forget().Start().Did("spawn 0/1", "spawn 1/1");

    [Fact]
    public void Events_of_exited_workers_change_nothing()
    {
        var service = Running(1);
        var state = service.State;
        service.Send(new WorkerReady(99)).Send(new WorkerLeaving(99)).Send(new WorkerEnded(99, ExitReason.Exited(0)))
            .Send(new WorkerSpawned(99, 1));
        Assert.Same(state, service.State);
        Assert.Empty(service.Effects);
    }

    private static FakeService Watched(RolloutStrategy strategy, int settle = 0) => new FakeService(new ServiceSpec
    {
        Name = "api",
        Command = ["/srv/api"],
        Watchdog = TimeSpan.FromSeconds(3),
        StopTimeout = TimeSpan.FromSeconds(20),
        Rollout = new RolloutSpec { Strategy = strategy, Settle = TimeSpan.FromSeconds(settle) },
    })
    { Observer = ServiceRules.Check }.Start().ReadyAll().Forget();

    private static FakeService Running(int workers, RestartSpec? restart = null) => Service(workers, restart).Start().ReadyAll().Forget();

    private static FakeService Service(int workers, RestartSpec? restart = null, Readiness? readiness = null) => new(new ServiceSpec
    {
        Name = "api",
        Command = ["/srv/api"],
        Workers = workers,
        Restart = restart ?? new RestartSpec(),
        Readiness = readiness ?? Readiness.Notify,
        StopTimeout = TimeSpan.FromSeconds(20),
    })
    { Observer = ServiceRules.Check };
}
