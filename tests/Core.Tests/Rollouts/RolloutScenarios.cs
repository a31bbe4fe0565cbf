using Supervisor.Core.Services;
using Supervisor.Core.Tests.Services;

namespace Supervisor.Core.Tests.Rollouts;

/// <summary>Roll-outs that go well, by each strategy, and what happens in the middle of them.</summary>
public class RolloutScenarios
{
    [Fact]
    public void Rolling_replaces_slot_by_slot_and_does_not_wait_for_drains()
    {
        var service = Running(3, new());
        service.Restart().Did("spawn 0/2");
        Assert.Equal(ServiceCondition.Rolling, service.Condition);
        service.Ready("0/2").Did("spawn 1/2", "stop 0/1");
        service.Ready("1/2").Did("spawn 2/2", "stop 1/1");
        service.Ready("2/2").Did("stop 2/1");
        Assert.Equal(RolloutPhase.Draining, service.RolloutPhase);
        Assert.Equal(2, service.State.Generation);
        service.EndAll().Did();
        Assert.Equal(RolloutPhase.Done, service.RolloutPhase);
        Assert.Equal(ServiceCondition.Running, service.Condition);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(9)]
    public void Rolling_starts_max_surge_workers_at_a_time(int surge)
    {
        var service = Running(4, new() { MaxSurge = surge }).Restart();
        var rounds = 0;
        while (service.RolloutPhase == RolloutPhase.Replacing)
        {
            Assert.Equal(
                Math.Min(surge, 4 - (rounds++ * surge)),
                service.State.Workers.Count(worker => worker.Phase == WorkerPhase.Starting));
            Assert.Equal(4, service.State.Ready);
            service.ReadyAll();
        }

        Assert.Equal((4 + surge - 1) / surge, rounds);
        Assert.Equal(4, service.Acts.Count(act => act.StartsWith("spawn", StringComparison.Ordinal)));
        Assert.Equal(4, service.Acts.Count(act => act.StartsWith("stop", StringComparison.Ordinal)));
    }

    [Fact]
    public void Overlap_drains_the_old_set_when_the_whole_new_set_is_ready()
    {
        var service = Running(3, new() { Strategy = RolloutStrategy.Overlap });
        service.Restart().Did("spawn 0/2", "spawn 1/2", "spawn 2/2");
        service.Ready("2/2", "0/2").Did();
        service.Ready("1/2").Did("stop 0/1", "stop 1/1", "stop 2/1");
        service.EndAll();
        Assert.Equal(RolloutPhase.Done, service.RolloutPhase);
    }

    [Fact]
    public void Stop_first_empties_a_slot_before_it_fills_it()
    {
        var service = Running(2, new() { Strategy = RolloutStrategy.StopFirst });
        service.Restart().Did("stop 0/1");
        service.EndAll().Did("spawn 0/2");
        service.Ready("0/2").Did("stop 1/1");
        service.EndAll().Did("spawn 1/2");
        service.Ready("1/2").Did();
        Assert.Equal(RolloutPhase.Done, service.RolloutPhase);
    }

    [Fact]
    public void Stop_first_takes_max_unavailable_slots_at_a_time() =>
        Running(4, new() { Strategy = RolloutStrategy.StopFirst, MaxUnavailable = 3 }).Restart().Did("stop 0/1", "stop 1/1", "stop 2/1");

    [Fact]
    public void Stop_first_kills_a_worker_that_does_not_exit()
    {
        var service = Running(1, new() { Strategy = RolloutStrategy.StopFirst }).Restart().Did("stop 0/1");
        service.Advance(20).Did("kill 0/1");
        service.EndAll().Did("spawn 0/2");
    }

    [Fact]
    public void Rolling_with_max_unavailable_fills_each_empty_slot_once()
    {
        var service = Running(4, new() { MaxUnavailable = 1 });
        service.Restart().Did("spawn 0/2", "stop 1/1");
        service.Exit("1/1").Did("spawn 1/2");
        service.Ready("1/2").Did("stop 2/1");
        service.Ready("0/2").Did("spawn 3/2", "stop 0/1");
        service.Settle();
        Assert.Equal(RolloutPhase.Done, service.RolloutPhase);
        Assert.Equal("0/2 1/2 2/2 3/2", service.Serving);
    }

    [Fact]
    public void Rolling_without_surge_empties_max_unavailable_slots_at_once()
    {
        var service = Running(5, new() { MaxSurge = 0, MaxUnavailable = 2, Settle = TimeSpan.FromSeconds(8) });
        service.Restart().Did("stop 0/1", "stop 1/1");
        service.Exit("1/1").Did("spawn 1/2");
        service.Ready("1/2").Advance(8.9).Did();
        service.Advance(0.1).Did("stop 2/1");
        service.EndAll().Did("spawn 0/2", "spawn 2/2");
        service.ReadyAll().Advance(9).Did("stop 3/1", "stop 4/1");
        service.Advance(20).Did("kill 3/1", "kill 4/1");
        service.EndAll().Did("spawn 3/2", "spawn 4/2");
        service.ReadyAll().Advance(9);
        Assert.Equal((RolloutPhase.Done, "0/2 1/2 2/2 3/2 4/2"), (service.RolloutPhase, service.Serving));
    }

    [Fact]
    public void Rolling_without_surge_rolls_back_from_the_middle()
    {
        var service = Running(4, new() { MaxSurge = 0, MaxUnavailable = 2 }).Restart().EndAll().Ready("0/2").EndAll().Forget();
        Assert.Equal("0/2 3/1", service.Serving);
        service.Die("1/2").Did("spawn 0/1", "spawn 1/1", "spawn 2/1", "stop 2/2");
        service.Ready("0/1").Did("stop 0/2");
        service.Settle();
        Assert.Equal((RolloutPhase.RolledBack, "0/1 1/1 2/1 3/1"), (service.RolloutPhase, service.Serving));
    }

    [Fact]
    public void Rolling_without_surge_replaces_a_crashed_old_worker()
    {
        var service = Running(3, new() { MaxSurge = 0, MaxUnavailable = 1 }).Restart().Did("stop 0/1");
        service.Die("2/1").Did("spawn 2/2");
        service.Exit("0/1").Did("spawn 0/2");
        service.Settle();
        Assert.Equal((RolloutPhase.Done, "0/2 1/2 2/2"), (service.RolloutPhase, service.Serving));
    }

    [Fact]
    public void Rolling_without_surge_waits_for_a_hung_worker_to_exit()
    {
        var service = Running(2, new() { MaxSurge = 0, MaxUnavailable = 1 }).Hang("0/1").Did("abort 0/1");
        service.Die("0/1").Did("spawn 0/1");
    }

    [Fact]
    public void Max_unavailable_counts_slots_that_are_already_empty()
    {
        var service = Running(4, new() { MaxUnavailable = 1 }).Die("3/1").Forget();
        service.Restart().Did("spawn 0/2", "stop 3/1");
        service.Exit("3/1").Did("spawn 3/2");
        service.Ready("3/2").Did("stop 1/1");
    }

    [Theory]
    [InlineData(RolloutStrategy.Rolling)]
    [InlineData(RolloutStrategy.Overlap)]
    public void A_new_worker_counts_after_its_settle_time(RolloutStrategy strategy)
    {
        var service = Running(2, new() { Strategy = strategy, MaxSurge = 2, Settle = TimeSpan.FromSeconds(8) }).Restart().Forget();
        service.Ready("0/2").Advance(8.9).Did();
        service.Ready("1/2").Advance(0.1).Did(strategy == RolloutStrategy.Overlap ? [] : ["stop 0/1"]);
        service.Advance(8.9).Did(strategy == RolloutStrategy.Overlap ? ["stop 0/1", "stop 1/1"] : ["stop 1/1"]);
        Assert.Equal(RolloutPhase.Draining, service.RolloutPhase);
    }

    [Fact]
    public void One_worker_is_replaced_without_a_gap()
    {
        var service = Running(1, new());
        service.Restart().Did("spawn 0/2");
        service.Ready("0/2").Did("stop 0/1");
        service.EndAll();
        Assert.Equal("0/2", service.Serving);
    }

    [Fact]
    public void A_slot_that_cannot_be_filled_gets_only_a_new_worker()
    {
        var service = Running(4, new()).Die("2/1").Die("2/1").Die("3/1").Die("3/1").Forget();
        service.Restart().Did("spawn 0/2", "spawn 2/2", "spawn 3/2");
        service.Advance(1).Did();
        service.Ready("2/2", "3/2").Ready("0/2").Did("spawn 1/2", "stop 0/1");
    }

    [Fact]
    public void A_restart_fills_a_finished_slot()
    {
        var service = Running(2, new(), RestartPolicy.Never).Exit("0/1", "1/1").Forget();
        service.Restart().Did("spawn 0/2", "spawn 1/2");
        service.ReadyAll();
        Assert.Equal(ServiceCondition.Running, service.Condition);
    }

    [Fact]
    public void A_restart_keeps_starting_workers_until_new_workers_are_ready()
    {
        var service = Service(2, new()).Start().Forget();
        service.Restart().Did("spawn 0/2");
        service.Ready("0/2").Did("spawn 1/2", "stop 0/1");
        service.Ready("1/1", "1/2").Did("stop 1/1");
    }

    [Theory]
    [InlineData(RolloutStrategy.Rolling)]
    [InlineData(RolloutStrategy.Overlap)]
    public void A_crashed_old_worker_is_replaced_by_its_own_generation(RolloutStrategy strategy)
    {
        var service = Running(3, new() { Strategy = strategy }).Restart().Forget();
        service.Die("0/1").Did("spawn 0/1");
        service.Die("2/1").Did("spawn 2/1");
        service.Settle();
        Assert.Equal("0/2 1/2 2/2", service.Serving);
        Assert.Equal(RolloutPhase.Done, service.RolloutPhase);
    }

    [Fact]
    public void Stop_first_fills_the_slot_of_a_crashed_old_worker()
    {
        var service = Running(3, new() { Strategy = RolloutStrategy.StopFirst }).Restart().Forget();
        service.Die("2/1").Did("spawn 2/2");
        service.Settle();
        Assert.Equal(RolloutPhase.Done, service.RolloutPhase);
    }

    [Fact]
    public void A_crashed_new_worker_is_replaced_by_its_own_generation()
    {
        var service = Running(3, new()).Restart().Ready("0/2").Forget();
        service.Die("0/2").Did("spawn 0/2");
        Assert.Equal(RolloutPhase.Replacing, service.RolloutPhase);
        service.Settle();
        Assert.Equal(RolloutPhase.Done, service.RolloutPhase);
    }

    [Theory]
    [InlineData(RolloutStrategy.Rolling)]
    [InlineData(RolloutStrategy.Overlap)]
    [InlineData(RolloutStrategy.StopFirst)]
    public void A_second_restart_supersedes_the_first(RolloutStrategy strategy)
    {
        var service = Running(3, new() { Strategy = strategy }).Restart();
        if (strategy == RolloutStrategy.StopFirst)
        {
            service.EndAll();
        }

        service.Ready("0/2").Forget().Restart();
        Assert.Equal(
            [RolloutPhase.Superseded, RolloutPhase.Waiting],
            service.Reports.Where(report => report.Report is ServiceReport.RolloutEnded or ServiceReport.RolloutStarted)
                .Select(report => report.Rollout!.Phase));
        Assert.DoesNotContain(service.State.Workers, worker => worker.Generation == 2 && worker.Phase == WorkerPhase.Starting);
        service.Settle();
        Assert.Equal("0/3 1/3 2/3", service.Serving);
        Assert.Equal((RolloutPhase.Done, 3), (service.RolloutPhase, service.State.Generation));
    }

    [Fact]
    public void Stop_first_keeps_the_only_superseded_worker_of_a_slot()
    {
        var service = Running(2, new() { Strategy = RolloutStrategy.StopFirst, Settle = TimeSpan.FromSeconds(5) }).Restart().EndAll()
            .Ready("0/2")
            .Forget();
        service.Restart().Did("stop 0/2");
        service.EndAll().Did("spawn 0/3");
        service.Settle();
        Assert.Equal("0/3 1/3", service.Serving);
    }

    [Fact]
    public void Scaling_up_in_a_roll_out_starts_the_serving_generation()
    {
        var service = Running(2, new()).Restart().Forget();
        service.Scale(3).Did("spawn 2/1");
        service.Ready("2/1", "0/2").Did("spawn 1/2", "stop 0/1");
        service.Ready("1/2").Did("spawn 2/2", "stop 1/1");
        service.Ready("2/2").Did("stop 2/1");
        service.EndAll();
        Assert.Equal(RolloutPhase.Done, service.RolloutPhase);
    }

    [Theory]
    [InlineData(RolloutStrategy.Rolling)]
    [InlineData(RolloutStrategy.Overlap)]
    [InlineData(RolloutStrategy.StopFirst)]
    public void Scaling_down_in_a_roll_out_reduces_the_remaining_work(RolloutStrategy strategy)
    {
        var service = Running(4, new() { Strategy = strategy }).Restart().Scale(2).Settle();
        Assert.Equal("0/2 1/2", service.Serving);
        Assert.Equal(RolloutPhase.Done, service.RolloutPhase);
    }

    [Fact]
    public void A_slot_that_returns_after_a_roll_out_gets_the_new_generation()
    {
        var service = Running(2, new()).Restart().Scale(1).Ready("0/2").Forget();
        Assert.Equal(RolloutPhase.Draining, service.RolloutPhase);
        service.Scale(2).Did("spawn 1/2");
        service.Settle();
        Assert.Equal("0/2 1/2", service.Serving);
    }

    [Fact]
    public void A_superseded_roll_out_names_what_has_superseded_it()
    {
        string? Reason(ServiceEvent what)
        {
            var service = Running(2, new()).Restart().Forget().Send(what);
            return service.Reports.First(report => report.Rollout is { Phase: RolloutPhase.Superseded }).Rollout!.Reason;
        }

        Assert.Equal("replaced by a further restart", Reason(new RestartRequested()));
        Assert.Equal("replaced by the repair of a listener", Reason(new RestartRequested("the repair of a listener")));
        Assert.Equal("replaced by a reload", Reason(new SpecChanged(Running(2, new()).State.Spec, NewWorkers: true)));
    }

    [Theory]
    [InlineData(RolloutStrategy.Rolling)]
    [InlineData(RolloutStrategy.Overlap)]
    [InlineData(RolloutStrategy.StopFirst)]
    public void Stop_in_a_roll_out_ends_it_and_start_uses_the_old_generation(RolloutStrategy strategy)
    {
        var service = Running(2, new() { Strategy = strategy }).Restart().Forget().Stop();
        Assert.Equal(RolloutPhase.Superseded, service.RolloutPhase);
        Assert.Equal("the service was stopped", service.State.Rollout!.Reason);
        service.EndAll();
        Assert.Equal(ServiceCondition.Stopped, service.Condition);
        service.Forget().Start().Did("spawn 0/1", "spawn 1/1");
    }

    private static FakeService Running(int workers, RolloutSpec rollout, RestartPolicy policy = RestartPolicy.Always) =>
        Service(workers, rollout, policy).Start().ReadyAll().Forget();

    private static FakeService Service(int workers, RolloutSpec rollout, RestartPolicy policy = RestartPolicy.Always) => new(new ServiceSpec
    {
        Name = "api",
        Command = ["/srv/api"],
        Workers = workers,
        Rollout = rollout,
        Restart = new RestartSpec { Policy = policy },
        StopTimeout = TimeSpan.FromSeconds(20),
    })
    { Observer = ServiceRules.Check };
}
