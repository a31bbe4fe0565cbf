using Supervisor.Core.Services;
using Supervisor.Core.Tests.Services;

namespace Supervisor.Core.Tests.Rollouts;

/// <summary>The bad deploy, by each strategy and each way to fail: the last good generation keeps serving.</summary>
public class RollbackScenarios
{
    public enum Fault
    {
        CannotBeExecuted,
        Exits,
        Silent,
        DiesWithinSettle,
        LeavesWithinSettle,
    }

    public static TheoryData<RolloutStrategy, Fault> Faults
    {
        get
        {
            var faults = new TheoryData<RolloutStrategy, Fault>();
            foreach (var strategy in Enum.GetValues<RolloutStrategy>())
            {
                foreach (var fault in Enum.GetValues<Fault>())
                {
                    faults.Add(strategy, fault);
                }
            }

            return faults;
        }
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_new_generation_that_fails_is_rolled_back(RolloutStrategy strategy, Fault fault)
    {
        var service = Running(3, strategy);
        if (fault == Fault.CannotBeExecuted)
        {
            service.Broken.Add(2);
        }

        service.Restart();
        if (strategy == RolloutStrategy.StopFirst)
        {
            service.EndAll();
        }

        Fail(service, fault, 0);
        Assert.Contains(service.Reports, report => report.Report == ServiceReport.RolloutFailing);
        if (strategy != RolloutStrategy.StopFirst)
        {
            Assert.Equal("0/1 1/1 2/1", service.Serving);
            Assert.DoesNotContain(service.Acts, act => act.EndsWith("/1", StringComparison.Ordinal));
        }

        service.Settle();
        Assert.Equal("0/1 1/1 2/1", service.Serving);
        Assert.Equal((RolloutPhase.RolledBack, 1), (service.RolloutPhase, service.State.Generation));
        Assert.Contains(Reason(fault), service.State.Rollout!.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(RolloutStrategy.Rolling)]
    [InlineData(RolloutStrategy.StopFirst)]
    public void A_rollback_starts_old_workers_before_it_drains_new_ones(RolloutStrategy strategy)
    {
        var service = Running(3, strategy, TimeSpan.Zero).Restart();
        service.EndAll().Ready("0/2").EndAll().Forget();
        if (strategy == RolloutStrategy.StopFirst)
        {
            service.Die("1/2").Did("spawn 0/1", "spawn 1/1");
            Assert.Equal("0/2 2/1", service.Serving);
        }
        else
        {
            service.Die("1/2").Did("spawn 0/1");
            Assert.Equal("0/2 1/1 2/1", service.Serving);
        }

        Assert.Equal(RolloutPhase.RollingBack, service.RolloutPhase);
        service.Ready("0/1").Did("stop 0/2");
        service.EndAll();
        Assert.Equal(strategy == RolloutStrategy.StopFirst ? RolloutPhase.RollingBack : RolloutPhase.RolledBack, service.RolloutPhase);
        service.ReadyAll();
        Assert.Equal(RolloutPhase.RolledBack, service.RolloutPhase);
        Assert.Equal("0/1 1/1 2/1", service.Serving);
    }

    [Fact]
    public void A_rollback_ends_after_unresponsive_new_workers_are_killed()
    {
        var service = Running(3, RolloutStrategy.Overlap).Restart().Ready("1/2").Forget();
        service.Die("0/2").Did("stop 1/2", "stop 2/2");
        service.Advance(20).Did("kill 1/2", "kill 2/2");
        Assert.Equal(RolloutPhase.RollingBack, service.RolloutPhase);
        service.EndAll();
        Assert.Equal(RolloutPhase.RolledBack, service.RolloutPhase);
    }

    [Fact]
    public void A_crash_loop_in_a_replaced_slot_rolls_back()
    {
        var service = Running(3, RolloutStrategy.Rolling, TimeSpan.Zero).Restart().Ready("0/2").Forget();
        service.Die("0/2").Did("spawn 0/2");
        service.Die("0/2").Did("spawn 0/1", "stop 1/2");
        service.Settle();
        Assert.Equal("0/1 1/1 2/1", service.Serving);
    }

    [Fact]
    public void Overlap_fails_if_a_new_worker_dies_before_the_others_start()
    {
        var service = Running(2, RolloutStrategy.Overlap, TimeSpan.Zero).Restart().Ready("0/2").Forget();
        service.Die("0/2").Did("stop 1/2");
        Assert.Equal(RolloutPhase.RollingBack, service.RolloutPhase);
    }

    [Fact]
    public void Ready_workers_stay_if_the_old_generation_cannot_start()
    {
        var service = Running(3, RolloutStrategy.Rolling, TimeSpan.Zero).Restart().Ready("0/2").Ready("1/2").EndAll();
        service.Broken.Add(1);
        service.Forget().Die("2/2").Did("spawn 0/1", "spawn 1/1", "stop 1/1");
        Assert.Equal(RolloutPhase.Failed, service.RolloutPhase);
        Assert.Equal("0/2 1/2 2/1", service.Serving);
        Assert.Contains("ready workers keep their slots", service.State.Rollout!.Reason, StringComparison.Ordinal);
        service.Settle();
        Assert.Equal("0/2 1/2 2/1", service.Serving);
        Assert.Equal(ServiceCondition.Running, service.Condition);
    }

    [Fact]
    public void A_restart_repairs_a_service_between_two_generations()
    {
        var service = Running(3, RolloutStrategy.Rolling, TimeSpan.Zero).Restart().Ready("0/2").EndAll();
        service.Broken.Add(1);
        service.Die("1/2").Restart().Settle();
        Assert.Equal("0/3 1/3 2/3", service.Serving);
        Assert.Equal((RolloutPhase.Done, 3), (service.RolloutPhase, service.State.Generation));
    }

    [Theory]
    [InlineData(RolloutStrategy.Rolling, "0/2 1/1 2/1")]
    [InlineData(RolloutStrategy.Overlap, "0/1 1/1 2/1")]
    [InlineData(RolloutStrategy.StopFirst, "0/2 1/1 2/1")]
    public void On_failure_stop_keeps_the_replaced_workers(RolloutStrategy strategy, string serving)
    {
        var service = Running(3, strategy, TimeSpan.Zero, RolloutFailurePolicy.Stop).Restart().EndAll().Ready("0/2").EndAll();
        service.Die("1/2");
        Assert.Equal(RolloutPhase.Failed, service.RolloutPhase);
        service.Settle();
        Assert.Equal(serving, service.Serving);
    }

    [Fact]
    public void Stop_ends_a_rollback()
    {
        var service = Running(2, RolloutStrategy.Rolling, TimeSpan.Zero).Restart().Ready("0/2").Die("1/2").Stop();
        Assert.Equal(RolloutPhase.Superseded, service.RolloutPhase);
        service.EndAll();
        Assert.Equal(ServiceCondition.Stopped, service.Condition);
    }

    [Fact]
    public void A_restart_in_a_rollback_keeps_the_serving_workers()
    {
        var service = Running(2, RolloutStrategy.Rolling, TimeSpan.Zero).Restart().Ready("0/2").EndAll().Die("1/2");
        Assert.Equal("0/2 1/1", service.Serving);
        service.Forget().Restart().Did("spawn 0/3");
        service.Ready("0/3");
        Assert.Equal("0/3 1/1", service.Serving);
        service.Settle();
        Assert.Equal("0/3 1/3", service.Serving);
    }

    [Fact]
    public void A_superseding_roll_out_rolls_back_to_the_first_generation()
    {
        var service = Running(3, RolloutStrategy.Rolling, TimeSpan.Zero).Restart().Ready("0/2").Restart().EndAll().Forget();
        Assert.Equal("0/2 1/1 2/1", service.Serving);
        service.Die("0/3").Did("spawn 0/1");
        service.Ready("0/1").Did("stop 0/2");
        Assert.Equal(RolloutPhase.RollingBack, service.RolloutPhase);
        service.EndAll();
        Assert.Equal("0/1 1/1 2/1", service.Serving);
        Assert.Equal((RolloutPhase.RolledBack, 1, 3), (service.RolloutPhase, service.State.Rollout!.From, service.State.Rollout.To));
        Assert.Equal([1], service.State.Specs.Keys);
    }

    [Theory]
    [InlineData(RolloutStrategy.Rolling)]
    [InlineData(RolloutStrategy.StopFirst)]
    public void A_rollback_skips_every_superseded_generation(RolloutStrategy strategy)
    {
        var service = Running(3, strategy, TimeSpan.Zero).Restart().EndAll().Ready("0/2").EndAll().Restart().EndAll().ReadyAll().EndAll()
            .Restart()
            .EndAll();
        service.Abort().Settle();
        Assert.Equal((RolloutPhase.RolledBack, "0/1 1/1 2/1"), (service.RolloutPhase, service.Serving));
    }

    [Fact]
    public void Ready_workers_stay_if_the_first_generation_cannot_start()
    {
        var service = Running(3, RolloutStrategy.Rolling, TimeSpan.Zero).Restart().Ready("0/2").Restart().EndAll();
        service.Broken.Add(1);
        service.Die("0/3");
        Assert.Equal((RolloutPhase.Failed, "0/2 1/1 2/1"), (service.RolloutPhase, service.Serving));
        service.Settle();
        Assert.Equal("0/2 1/1 2/1", service.Serving);
    }

    [Theory]
    [InlineData(RolloutPhase.Done, 2, 2)]
    [InlineData(RolloutPhase.RolledBack, 0, 2)]
    [InlineData(RolloutPhase.Superseded, 1, 2)]
    public void The_record_of_an_ended_roll_out_does_not_change(RolloutPhase phase, int replaced, int total)
    {
        var service = Running(2, RolloutStrategy.Rolling, TimeSpan.Zero).Restart().Ready("0/2");
        Assert.Equal((1, 2), service.State.Progress(service.State.Rollout!));
        _ = phase switch
        {
            RolloutPhase.Done => service.Settle(),
            RolloutPhase.RolledBack => service.Abort().Settle(),
            _ => service.Stop().EndAll(),
        };
        var ended = service.State.Rollout!;
        Assert.Equal((phase, (replaced, total), RolloutStrategy.Rolling), (ended.Phase, service.State.Progress(ended), ended.Strategy));
        service.Scale(4).Stop().Settle()
            .Change(service.State.Spec with { Rollout = new RolloutSpec { Strategy = RolloutStrategy.Overlap } })
            .Start()
            .Scale(3)
            .Settle();
        Assert.Equal(ended, service.State.Rollout);
        Assert.Equal((replaced, total), service.State.Progress(service.State.Rollout!));
    }

    [Fact]
    public void A_service_between_two_generations_differs_from_its_config()
    {
        var service = Running(2, RolloutStrategy.Rolling, TimeSpan.Zero, RolloutFailurePolicy.Stop);
        var wanted = service.State.Spec with { Command = ["/srv/new"] };
        service.Change(wanted).Ready("0/2").EndAll();
        Assert.False(service.State.IsMixed);
        service.Die("1/2").Settle();
        Assert.Equal((RolloutPhase.Failed, "0/2 1/1"), (service.RolloutPhase, service.Serving));
        Assert.True(service.State.IsMixed);
        service.Restart().Settle();
        Assert.Equal((RolloutPhase.Done, false), (service.RolloutPhase, service.State.IsMixed));
    }

    [Fact]
    public void Scaling_up_in_a_rollback_starts_the_old_generation() =>
        Running(2, RolloutStrategy.Rolling, TimeSpan.Zero).Restart().Ready("0/2").Die("1/2").Forget().Scale(3).Did("spawn 2/1");

    private static void Fail(FakeService service, Fault fault, int slot)
    {
        var worker = $"{slot}/2";
        switch (fault)
        {
            case Fault.CannotBeExecuted:
                break;
            case Fault.Exits:
                service.Exit(worker);
                break;
            case Fault.Silent:
                service.Advance(30);
                break;
            case Fault.DiesWithinSettle:
                service.Ready(worker).Advance(4).Die(worker);
                break;
            case Fault.LeavesWithinSettle:
                service.Ready(worker).Advance(4).Leave(worker);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(fault));
        }
    }

    private static string Reason(Fault fault) => fault switch
    {
        Fault.CannotBeExecuted => "could not be started: ENOENT",
        Fault.Exits =>
            "exited with status 0 before it was ready; a program that goes into the background needs its option for the foreground",
        Fault.Silent => "was not ready within start_timeout (30s)",
        Fault.DiesWithinSettle => "exited with status 1 4s after it was ready",
        Fault.LeavesWithinSettle => "sent STOPPING=1 4s after it was ready",
        _ => throw new ArgumentOutOfRangeException(nameof(fault)),
    };

    private static FakeService Running(
        int workers,
        RolloutStrategy strategy,
        TimeSpan? settle = null,
        RolloutFailurePolicy onFailure = RolloutFailurePolicy.Rollback) => new FakeService(new ServiceSpec
        {
            Name = "api",
            Command = ["/srv/api"],
            Workers = workers,
            Rollout = new RolloutSpec { Strategy = strategy, Settle = settle ?? TimeSpan.FromSeconds(5), OnFailure = onFailure },
            StopTimeout = TimeSpan.FromSeconds(20),
        })
        { Observer = ServiceRules.Check }.Start().ReadyAll().Advance(10).Forget();
}
