using Supervisor.Core.Services;

namespace Supervisor.Core.Tests.Services;

/// <summary>Which hook runs when, and what becomes of a service whose pre_start fails.</summary>
public class HookScenarios
{
    [Fact]
    public void Pre_start_runs_first_and_post_ready_after_the_last_ready()
    {
        var service = Service(2);
        service.HoldHooks = true;
        service.Start().Did("pre_start 1");
        Assert.Equal(ServiceCondition.Starting, service.Condition);
        service.EndHook().Did("spawn 0/1", "spawn 1/1");
        service.Ready("0/1").Did();
        service.Ready("1/1").Did("post_ready 1");
        service.EndHook().Die("0/1").Did("spawn 0/1");
        service.Ready("0/1").Did();
    }

    [Fact]
    public void A_failed_pre_start_fails_the_start_of_every_slot()
    {
        var service = Service(2);
        service.Unprepared.Add(1);
        service.Start().Did("pre_start 1", "pre_start 1");
        Assert.Equal(TimeSpan.FromMilliseconds(100), service.State.NextDeadline);
        Assert.Equal(
            ["could not be started: hooks.pre_start exited with status 1"],
            service.State.Slots.Select(slot => slot.LastExit?.Text).Distinct());
        service.Unprepared.Clear();
        service.Advance(0.1).Did("pre_start 1", "spawn 0/1", "spawn 1/1");
    }

    [Theory]
    [InlineData(RolloutStrategy.Rolling)]
    [InlineData(RolloutStrategy.Overlap)]
    [InlineData(RolloutStrategy.StopFirst)]
    public void A_rollout_with_a_failed_pre_start_stops_no_worker(RolloutStrategy strategy)
    {
        var service = Running(2, strategy);
        service.Unprepared.Add(2);
        service.Restart().Did("pre_start 2");
        Assert.Equal(RolloutPhase.RolledBack, service.RolloutPhase);
        Assert.Equal("hooks.pre_start exited with status 1", service.State.Rollout?.Reason);
        Assert.Equal("0/1 1/1", service.Serving);
    }

    [Fact]
    public void A_rollout_runs_its_hooks_once()
    {
        var service = Running(2, RolloutStrategy.Rolling);
        service.Restart().Did("pre_start 2", "spawn 0/2");
        service.Ready("0/2").Did("spawn 1/2", "stop 0/1");
        service.Ready("1/2").Did("stop 1/1", "post_ready 2");
        service.EndAll().Did();
    }

    [Fact]
    public void A_further_restart_waits_for_the_pre_start_that_runs()
    {
        var service = Running(1, RolloutStrategy.Rolling);
        service.HoldHooks = true;
        service.Restart().Restart().Did("pre_start 2");
        service.EndHook().Did("pre_start 3");
        service.EndHook().Did("spawn 0/3");
    }

    [Fact]
    public void Post_stop_follows_the_last_exit_and_start_runs_pre_start()
    {
        var service = Running(2, RolloutStrategy.Rolling);
        service.Stop().Exit("0/1").Did("stop 0/1", "stop 1/1");
        service.Exit("1/1").Did("post_stop 1");
        service.Start().Did("pre_start 1", "spawn 0/1", "spawn 1/1");
    }

    [Fact]
    public void Stop_during_pre_start_starts_no_worker()
    {
        var service = Service(1);
        service.HoldHooks = true;
        service.Start().Stop().Did("pre_start 1", "end pre_start 1", "post_stop 1");
        service.EndHook().EndHook().Did();
        Assert.Equal(ServiceCondition.Stopped, service.Condition);
        Assert.DoesNotContain(service.Reports, report => report.Report == ServiceReport.HookFailed);
    }

    [Fact]
    public void A_start_runs_pre_start_again_after_the_old_one_exits()
    {
        var service = Service(1);
        service.HoldHooks = true;
        service.Start().Stop().Start().Did("pre_start 1", "end pre_start 1", "post_stop 1", "pre_start 1");
        service.Send(new HookEnded(HookKind.PreStart, 1, "was killed", Stopped: true)).Did();
        service.EndHook().EndHook().Did("spawn 0/1");
    }

    [Theory]
    [InlineData(HookKind.PreStart)]
    [InlineData(HookKind.PostReady)]
    [InlineData(HookKind.PostStop)]
    public void A_failed_hook_is_reported(HookKind hook)
    {
        var service = Running(1, RolloutStrategy.Rolling);
        service.Send(new HookEnded(hook, 1, "failed"));
        Assert.Equal("failed (generation 1)", Assert.Single(service.Reports).Text);
        Assert.Equal("0/1", service.Serving);
    }

    private static FakeService Running(int workers, RolloutStrategy strategy) => Service(workers, strategy).Start().ReadyAll().Forget();

    private static FakeService Service(int workers, RolloutStrategy strategy = RolloutStrategy.Rolling) => new(new ServiceSpec
    {
        Name = "api",
        Command = ["/srv/api"],
        Workers = workers,
        Rollout = new RolloutSpec { Strategy = strategy },
        Hooks = new HookSpec { PreStart = ["/pre"], PostReady = ["/ready"], PostStop = ["/stop"] },
    })
    { Observer = ServiceRules.Check };
}
