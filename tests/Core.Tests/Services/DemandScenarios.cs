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

    private static FakeService Waiting(int workers) => new FakeService(new ServiceSpec
    {
        Name = "api",
        Command = ["/srv/api"],
        Workers = workers,
        Start = StartMode.OnDemand,
        StopWhenIdle = TimeSpan.FromMinutes(1),
    })
    { Observer = ServiceRules.Check }.Send(new DemandAwaited());
}
