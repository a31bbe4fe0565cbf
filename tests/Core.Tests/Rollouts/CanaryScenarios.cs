using Supervisor.Core.Services;
using Supervisor.Core.Tests.Services;

namespace Supervisor.Core.Tests.Rollouts;

/// <summary>Canaries: what is watched, who promotes, who goes back; and every command and accident in the middle of it.</summary>
public class CanaryScenarios
{
    private static readonly RolloutSpec Held = new() { Canary = 1, CanaryHold = TimeSpan.FromSeconds(30) };
    private static readonly RolloutSpec Asked = new() { Canary = 1 };

    [Fact]
    public void The_canary_is_promoted_automatically_after_its_hold()
    {
        var service = Running(3, Held);
        service.Restart().Did("spawn 0/2");
        service.Ready("0/2").Did("stop 0/1");
        service.EndAll();
        Assert.Equal(RolloutPhase.Canary, service.RolloutPhase);
        Assert.Equal(ServiceCondition.Rolling, service.Condition);
        Assert.Equal(service.Now + TimeSpan.FromSeconds(30), service.State.Rollout!.PromotedAt);
        Assert.Equal(1, service.State.Generation);
        service.Advance(29.9).Did();
        service.Advance(0.1).Did("spawn 1/2");
        Assert.Contains(service.Forget().Ready("1/2").Acts, act => act == "spawn 2/2");
        service.Ready("2/2").EndAll();
        Assert.Equal((RolloutPhase.Done, 2), (service.RolloutPhase, service.State.Generation));
    }

    [Fact]
    public void A_canary_without_a_hold_waits_for_promote()
    {
        var service = Running(2, Asked).Restart().Ready("0/2").EndAll().Forget();
        Assert.Null(service.State.NextDeadline);
        service.Advance(100_000).Did();
        service.Promote().Did("spawn 1/2");
        service.Settle();
        Assert.Equal((RolloutPhase.Done, "0/2 1/2"), (service.RolloutPhase, service.Serving));
    }

    [Fact]
    public void Promotion_before_the_hold_skips_the_hold()
    {
        var service = Running(2, Held).Restart().Promote().Ready("0/2").Did("spawn 0/2", "spawn 1/2", "stop 0/1");
        service.Settle();
        Assert.Equal(RolloutPhase.Done, service.RolloutPhase);
    }

    [Theory]
    [InlineData(RolloutStrategy.Rolling, "spawn 0/2|spawn 1/2")]
    [InlineData(RolloutStrategy.Overlap, "spawn 0/2|spawn 1/2")]
    [InlineData(RolloutStrategy.StopFirst, "stop 0/1|stop 1/1")]
    public void Each_strategy_replaces_only_the_first_slots(RolloutStrategy strategy, string acts)
    {
        var service = Running(
            4,
            new() { Strategy = strategy, Canary = 2, MaxSurge = 4, MaxUnavailable = strategy == RolloutStrategy.StopFirst ? 4 : 0 });
        service.Restart().Did(acts.Split('|'));
        service.EndAll().ReadyAll().EndAll();
        Assert.Equal((RolloutPhase.Canary, "0/2 1/2 2/1 3/1"), (service.RolloutPhase, service.Serving));
        service.Promote().Settle();
        Assert.Equal((RolloutPhase.Done, "0/2 1/2 2/2 3/2"), (service.RolloutPhase, service.Serving));
    }

    [Fact]
    public void A_canary_larger_than_the_service_covers_all_slots()
    {
        var service = Running(2, new() { Canary = 9, MaxSurge = 2 }).Restart().ReadyAll();
        Assert.Equal((RolloutPhase.Canary, 2), (service.RolloutPhase, service.State.Rollout!.Canary));
        service.Promote().EndAll();
        Assert.Equal(RolloutPhase.Done, service.RolloutPhase);
    }

    [Theory]
    [InlineData("die")]
    [InlineData("exit")]
    [InlineData("leave")]
    [InlineData("hang")]
    public void A_canary_that_fails_in_its_hold_is_rolled_back(string how)
    {
        var service = Holding();
        _ = how switch
        {
            "die" => service.Die("0/2"),
            "exit" => service.Exit("0/2"),
            "leave" => service.Leave("0/2"),
            _ => service.Hang("0/2"),
        };
        Assert.Equal(RolloutPhase.RollingBack, service.RolloutPhase);
        Assert.Contains("spawn 0/1", service.Acts);
        Assert.EndsWith(", while the canary was watched", service.State.Rollout!.Reason, StringComparison.Ordinal);
        service.Settle();
        Assert.Equal((RolloutPhase.RolledBack, "0/1 1/1"), (service.RolloutPhase, service.Serving));
    }

    [Fact]
    public void A_canary_that_dies_while_the_next_starts_is_rolled_back()
    {
        var service = Running(3, new() { Canary = 2 }).Restart().Ready("0/2").Die("0/2");
        Assert.Equal(RolloutPhase.RollingBack, service.RolloutPhase);
        service.Settle();
        Assert.Equal("0/1 1/1 2/1", service.Serving);
    }

    [Fact]
    public void On_failure_stop_ends_the_roll_out_of_a_failed_canary()
    {
        var service = Running(2, Asked with { OnFailure = RolloutFailurePolicy.Stop }).Restart().Ready("0/2").EndAll().Die("0/2").Settle();
        Assert.Equal(RolloutPhase.Failed, service.RolloutPhase);
        Assert.Equal("0/2 1/1", service.Serving);
    }

    [Fact]
    public void An_old_worker_that_dies_in_the_hold_is_only_replaced()
    {
        var service = Holding().Die("1/1").Did("spawn 1/1");
        Assert.Equal(RolloutPhase.Canary, service.RolloutPhase);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Abort_rolls_the_canary_back_for_every_on_failure_value(bool stops)
    {
        var service = Running(2, Asked with { OnFailure = stops ? RolloutFailurePolicy.Stop : RolloutFailurePolicy.Rollback }).Restart()
            .Ready("0/2")
            .EndAll()
            .Forget();
        service.Abort().Did("spawn 0/1");
        service.Ready("0/1").Did("stop 0/2");
        service.EndAll();
        Assert.Equal((RolloutPhase.RolledBack, "aborted on request"), (service.RolloutPhase, service.State.Rollout!.Reason));
    }

    [Fact]
    public void Abort_stops_new_workers_that_are_still_starting()
    {
        var service = Running(2, new()).Restart().Forget().Abort().Did("stop 0/2");
        service.EndAll();
        Assert.Equal((RolloutPhase.RolledBack, "0/1 1/1"), (service.RolloutPhase, service.Serving));
    }

    [Fact]
    public void Abort_restarts_the_old_generation_while_it_drains()
    {
        var service = Running(1, new()).Restart().Ready("0/2").Forget();
        Assert.Equal((RolloutPhase.Draining, 2), (service.RolloutPhase, service.State.Generation));
        service.Abort().Did("spawn 0/1");
        service.Ready("0/1").EndAll();
        Assert.Equal((RolloutPhase.RolledBack, 1, "0/1"), (service.RolloutPhase, service.State.Generation, service.Serving));
    }

    [Fact]
    public void Promote_and_abort_without_a_roll_out_change_nothing()
    {
        var service = Running(1, Asked);
        service.Promote().Abort().Did();
        service.Restart().Settle().Forget().Promote().Abort().Did();
    }

    [Fact]
    public void Stop_in_the_hold_ends_it_and_start_uses_the_old_generation()
    {
        var service = Holding().Stop().EndAll();
        Assert.Equal((RolloutPhase.Superseded, null), (service.RolloutPhase, service.State.NextDeadline));
        service.Forget().Start().Did("spawn 0/1", "spawn 1/1");
    }

    [Fact]
    public void A_restart_in_the_hold_supersedes_with_its_own_canary()
    {
        var service = Holding().Restart().Did("spawn 0/3");
        service.Ready("0/3").EndAll();
        Assert.Equal((RolloutPhase.Canary, "0/3 1/1"), (service.RolloutPhase, service.Serving));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_superseded_canary_is_not_restored(bool hasLeft)
    {
        var service = Holding().Restart();
        if (hasLeft)
        {
            service.Ready("0/3").EndAll().Forget();
            service.Abort().Did("spawn 0/1");
            service.Ready("0/1").Did("stop 0/3");
        }
        else
        {
            service.Forget().Die("0/3").Did("spawn 0/1");
            service.Ready("0/1").Did("stop 0/2");
        }

        Assert.Equal(RolloutPhase.RollingBack, service.RolloutPhase);
        service.EndAll();
        Assert.Equal((RolloutPhase.RolledBack, 1, "0/1 1/1"), (service.RolloutPhase, service.State.Generation, service.Serving));
    }

    [Fact]
    public void Scaling_in_the_hold_adds_old_workers_and_removes_the_last()
    {
        var service = Holding().Scale(3).Did("spawn 2/1");
        service.Ready("2/1").Scale(1).Forget();
        Assert.Equal(RolloutPhase.Canary, service.RolloutPhase);
        service.Settle();
        Assert.Equal((RolloutPhase.Done, "0/2"), (service.RolloutPhase, service.Serving));
    }

    [Fact]
    public void A_further_restart_waits_for_drains_at_max_generations()
    {
        var service = Running(1, new() { MaxGenerations = 2 }).Restart().Ready("0/2").Forget();
        service.Restart().Did();
        Assert.Equal(1, Assert.Single(service.State.Rollout!.WaitsFor));
        Assert.Contains(service.State.Workers, worker => worker is { Generation: 2, Phase: WorkerPhase.Ready });
        service.Exit("0/1").Did("spawn 0/3");
        Assert.Empty(service.State.Rollout!.WaitsFor);
        service.Settle();
        Assert.Equal("0/3", service.Serving);
    }

    [Fact]
    public void A_wait_for_drains_is_logged_once_and_ends_with_their_kill()
    {
        var service = Running(1, new() { MaxGenerations = 2 }).Restart().Ready("0/2").Forget().Restart();
        Assert.Equal(1, service.Reports.Count(report => report.Report == ServiceReport.RolloutWaiting));
        service.Scale(2).Ready("1/2");
        Assert.Equal(1, service.Reports.Count(report => report.Report == ServiceReport.RolloutWaiting));
        service.Forget().Advance(20).Did("kill 0/1");
        service.EndAll();
        Assert.Contains("spawn 0/3", service.Acts);
    }

    [Fact]
    public void A_roll_out_does_not_wait_for_a_generation_that_serves()
    {
        // 0/1 has never been replaced, 1/2 is of a superseded roll-out: both serve until the newest is ready.
        var service = Running(2, new() { MaxGenerations = 2, MaxSurge = 1 }).Restart().Ready("0/2").EndAll().Forget();
        service.Restart();
        Assert.Contains("spawn 0/3", service.Acts);
    }

    private static FakeService Holding() => Running(2, Held).Restart().Ready("0/2").EndAll().Forget();

    private static FakeService Running(int workers, RolloutSpec rollout) => new FakeService(new ServiceSpec
    {
        Name = "api",
        Command = ["/srv/api"],
        Workers = workers,
        Rollout = rollout,
        StopTimeout = TimeSpan.FromSeconds(20),
    })
    { Observer = ServiceRules.Check }.Start().ReadyAll().Forget();
}
