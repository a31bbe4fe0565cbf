using Supervisor.Core.Services;

namespace Supervisor.Core.Tests.Services;

/// <summary>start = "on-demand": who starts it, who ends it, and what each command does meanwhile.</summary>
public class DemandScenarios
{
    [Fact]
    public void The_first_connection_starts_the_service_and_idleness_ends_it()
    {
        var service = Waiting(2);
        Assert.Equal((ServiceCondition.Stopped, true), (service.Condition, service.State.AwaitsDemand));
        service.Send(new DemandArrived()).Did("spawn 0/1", "spawn 1/1");
        Assert.False(service.State.AwaitsDemand);
        service.ReadyAll().Send(new IdleElapsed()).Did("stop 0/1", "stop 1/1");
        Assert.Equal((ServiceCondition.Stopping, true), (service.Condition, service.State.AwaitsDemand));
        service.EndAll();
        Assert.Equal(ServiceCondition.Stopped, service.Condition);
        service.Send(new DemandArrived()).Did("spawn 0/1", "spawn 1/1");
    }

    [Fact]
    public void A_connection_during_an_idle_drain_starts_new_workers()
    {
        var service = Waiting(1).Send(new DemandArrived()).ReadyAll().Send(new IdleElapsed()).Forget();
        service.Send(new DemandArrived()).Did("spawn 0/1");
        service.Settle();
        Assert.Equal(ServiceCondition.Running, service.Condition);
    }

    [Fact]
    public void Start_and_restart_do_not_wait_for_a_connection()
    {
        Waiting(1).Start().Did("spawn 0/1");
        Waiting(1).Restart().Did("spawn 0/1");
    }

    [Fact]
    public void A_stopped_service_does_not_wait_for_connections()
    {
        var service = Waiting(1).Stop().Send(new DemandArrived()).Did();
        Assert.False(service.State.AwaitsDemand);
        service.Start().ReadyAll().Forget().Stop().Did("stop 0/1");
        Assert.False(service.State.AwaitsDemand);
    }

    [Fact]
    public void A_service_in_a_roll_out_is_not_idle()
    {
        var service = Waiting(2).Start().ReadyAll().Restart().Forget();
        service.Send(new IdleElapsed()).Did();
    }

    [Fact]
    public void A_waiting_service_starts_with_its_scaled_number() =>
        Waiting(1).Scale(2).Send(new DemandArrived()).Did("spawn 0/1", "spawn 1/1");

    [Theory]
    [InlineData(RestartPolicy.OnFailure)]
    [InlineData(RestartPolicy.Never)]
    public void The_next_connection_starts_a_service_whose_workers_have_done_their_task(RestartPolicy policy)
    {
        var service = Waiting(2, policy).Send(new DemandArrived()).ReadyAll().Forget();
        service.Exit("0/1").Did();
        Assert.True(service.State.IsStarted);
        service.Exit("1/1").Did();
        Assert.True(service.State is { IsStarted: false, AwaitsDemand: true });
        Assert.Equal(service.Now + service.State.Spec.Restart.Backoff, service.State.LeftDemandUntil);
        service.Send(new DemandArrived()).Did("spawn 0/1", "spawn 1/1");
        Assert.Null(service.State.LeftDemandUntil);
    }

    [Fact]
    public void A_connection_that_failing_workers_leave_waits_longer_from_failure_to_failure()
    {
        var service = Waiting(1, RestartPolicy.Never);
        foreach (var wait in new[] { 0.1, 0.1, 0.2, 0.4 })
        {
            service.Send(new DemandArrived()).Die("0/1");
            Assert.Equal(service.Now + TimeSpan.FromSeconds(wait), service.State.LeftDemandUntil);
        }

        service.Send(new DemandArrived()).ReadyAll().Exit("0/1");
        Assert.Equal(service.Now + TimeSpan.FromSeconds(0.1), service.State.LeftDemandUntil);
        service.Start();
        Assert.Equal(0, service.State.Slots[0].Failures);
    }

    private static FakeService Waiting(int workers, RestartPolicy policy = RestartPolicy.Always) => new FakeService(new ServiceSpec
    {
        Name = "api",
        Command = ["/srv/api"],
        Workers = workers,
        Start = StartMode.OnDemand,
        StopWhenIdle = TimeSpan.FromMinutes(1),
        Restart = new RestartSpec { Policy = policy },
    })
    { Observer = ServiceRules.Check }.Send(new DemandAwaited());
}
