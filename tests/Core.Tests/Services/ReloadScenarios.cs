using Supervisor.Core.Services;

namespace Supervisor.Core.Tests.Services;

/// <summary>A service of which something else is asked while it runs.</summary>
public class ReloadScenarios
{
    private static readonly ServiceSpec Spec = new()
    {
        Name = "api",
        Command = ["/srv/api"],
        Workers = 2,
        Rollout = new RolloutSpec { Settle = TimeSpan.Zero },
    };

    private static ServiceSpec With(string value) => Spec with { Environment = Spec.Environment.SetItem("MODE", value) };

    private static FakeService Running() => new FakeService(Spec).Start().ReadyAll().Forget();

    [Fact]
    public void A_change_of_worker_settings_rolls_out()
    {
        var service = Running().Change(With("b"));
        service.Did("spawn 0/2");
        service.Ready("0/2").Did("spawn 1/2", "stop 0/1");
        service.Ready("1/2").EndAll();
        Assert.Equal(RolloutPhase.Done, service.RolloutPhase);
        Assert.Equal("b", service.State.SpecOf(2).Environment["MODE"]);
        Assert.Equal([2], service.State.Specs.Keys);
    }

    [Fact]
    public void A_change_of_daemon_side_settings_restarts_no_worker()
    {
        var service = Running().Change(
            Spec with
            {
                StopTimeout = TimeSpan.FromSeconds(3),
                StopSignal = 3,
                Restart = new RestartSpec { Policy = RestartPolicy.Never },
            });
        service.Did();
        Assert.Null(service.State.Rollout);
        service.Stop();
        Assert.All(service.Effects.OfType<SignalEffect>(), effect => Assert.Equal(3, effect.Signal));
        Assert.All(service.State.Workers, worker => Assert.Equal(service.Now + TimeSpan.FromSeconds(3), worker.Deadline));
    }

    [Fact]
    public void A_worker_drains_under_the_settings_of_its_own_generation()
    {
        var service = Running().Change(
            With("b") with { StopTimeout = TimeSpan.FromSeconds(1), StopSignal = 3, StartTimeout = TimeSpan.FromSeconds(2) });
        Assert.Equal(service.Now + TimeSpan.FromSeconds(2), service.Worker("0/2").Deadline);
        service.Forget().Ready("0/2");
        Assert.Equal(15, service.Effects.OfType<SignalEffect>().Single().Signal);
        Assert.Equal(service.Now + TimeSpan.FromSeconds(30), service.Worker("0/1").Deadline);
    }

    [Fact]
    public void A_rollback_restores_the_requested_settings()
    {
        var service = Running().Change(With("b") with { Workers = 3 });
        Assert.Equal(3, service.State.Desired);
        service.Die("0/2");
        service.Settle();
        Assert.Equal(RolloutPhase.RolledBack, service.RolloutPhase);
        Assert.Equal(Spec, service.State.Spec);
        Assert.Equal(2, service.State.Desired);
        Assert.Equal("0/1 1/1", service.Serving);

        // A plain restart then is one of what serves, not of what failed.
        service.Restart().Settle();
        Assert.Equal("0/3 1/3", service.Serving);
        Assert.Equal(Spec, service.State.SpecOf(3));
    }

    /// <summary>A scale to the configured number means that the number is not manual, so it changes with the configuration.</summary>
    [Theory]
    [InlineData(3, 2)]
    [InlineData(4, 4)]
    public void A_rollback_keeps_a_manual_scale_but_not_one_to_the_configured_number(int scale, int then)
    {
        var service = Running().Change(With("b") with { Workers = 3 }).Scale(scale);
        service.Die("0/2");
        service.Settle();
        Assert.Equal(RolloutPhase.RolledBack, service.RolloutPhase);
        Assert.Equal(then, service.State.Desired);
    }

    [Fact]
    public void A_crashed_old_worker_is_replaced_with_its_old_settings()
    {
        var service = Running().Change(With("b")).Forget().Die("1/1");
        service.Did("spawn 1/1");
        Assert.Equal(Spec, service.State.SpecOf(1));
    }

    [Fact]
    public void A_second_reload_supersedes_the_first()
    {
        var service = Running().Change(With("b")).Ready("0/2").Change(With("c"));
        Assert.Equal(3, service.State.Rollout?.To);
        service.Settle();
        Assert.Equal("0/3 1/3", service.Serving);
        Assert.Equal("c", service.State.Spec.Environment["MODE"]);
        Assert.Equal([3], service.State.Specs.Keys);
    }

    [Fact]
    public void In_place_changes_do_not_alter_a_running_rollouts_strategy()
    {
        var service = Running().Change(With("b")).Forget()
            .Change(With("b") with { Rollout = new RolloutSpec { Strategy = RolloutStrategy.StopFirst } });
        service.Did();
        Assert.Equal(2, service.State.Rollout?.To);
        service.Ready("0/2").Did("spawn 1/2", "stop 0/1");
        service.Settle();
        service.Restart().Did("stop 1/1", "stop 0/2");
    }

    [Fact]
    public void A_reload_with_more_workers_scales()
    {
        var service = Running().Change(Spec with { Workers = 3 });
        service.Did("spawn 2/1");
        Assert.Null(service.State.Rollout);
        service.ReadyAll().Forget().Change(Spec with { Workers = 1 });
        service.Did("stop 1/1", "stop 2/1");
    }

    [Fact]
    public void A_manual_scale_survives_a_reload_that_keeps_workers()
    {
        var service = Running().Scale(3).ReadyAll().Change(Spec with { StopTimeout = TimeSpan.FromSeconds(1) });
        Assert.Equal(3, service.State.Desired);
    }

    [Fact]
    public void Draining_workers_keep_their_settings_when_a_service_starts()
    {
        var service = Running().Stop().Change(With("b") with { StopTimeout = TimeSpan.FromSeconds(1) });
        service.Forget().Start();
        Assert.Equal(["spawn 0/2", "spawn 1/2"], service.Acts);
        Assert.Equal(TimeSpan.FromSeconds(30), service.State.SpecOf(1).StopTimeout);
        service.Settle();
        Assert.Equal("0/2 1/2", service.Serving);
    }

    [Fact]
    public void A_service_stopped_in_a_reload_starts_with_the_new_settings()
    {
        var service = Running().Change(With("b")).Ready("0/2").Stop().EndAll().Start().ReadyAll();
        Assert.Equal("0/3 1/3", service.Serving);
        Assert.Equal("b", service.State.SpecOf(3).Environment["MODE"]);
    }

    [Fact]
    public void Specifications_are_equal_by_value()
    {
        var one = new ServiceSpec
        {
            Name = "api",
            Command = ["/a", "b"],
            Listeners = ["web"],
            Environment = Spec.Environment.SetItem("A", "1"),
            Hooks = new HookSpec { PreStart = ["/x"] },
            Rollout = Spec.Rollout,
        };
        var other = new ServiceSpec
        {
            Name = "api",
            Command = ["/a", "b"],
            Listeners = ["web"],
            Environment = Spec.Environment.SetItem("A", "1"),
            Hooks = new HookSpec { PreStart = ["/x"] },
            Rollout = Spec.Rollout,
        };
        Assert.Equal(one, other);
        Assert.Equal(one.GetHashCode(), other.GetHashCode());
        Assert.NotEqual(one, other with { Command = ["/a"] });
        Assert.NotEqual(one, other with { Name = "web" });
        Assert.Equal(["environment", "hooks.pre_start"], ServiceReloadImpact.Changed(
            one,
            Spec with { Command = one.Command, Listeners = one.Listeners, Workers = 1 }).Select(term => term.Setting));
    }

    [Fact]
    public void A_stopped_service_forgets_the_generation_that_no_worker_has()
    {
        var service = Running().Stop();
        service.Change(With("b"));
        Assert.Equal([1, 2], service.State.Specs.Keys);
        service.EndAll();
        Assert.Equal([2], service.State.Specs.Keys);
        service.Change(With("c"));
        Assert.Equal([3], service.State.Specs.Keys);
        service.Forget().Start().Did("spawn 0/3", "spawn 1/3");
    }
}
