using Supervisor.Core.Services;

namespace Supervisor.Core.Tests.Services;

/// <summary>Services that wait for others: <c>after</c>.</summary>
public sealed class OrderScenarios
{
    [Fact]
    public void A_held_start_begins_when_nothing_is_left_to_wait_for()
    {
        var service = Service();
        service.Send(new StartHeld(["db", "cache"]));
        Assert.Equal((ServiceCondition.Starting, false), (service.Condition, service.State.IsStarted));
        Assert.Contains(service.Reports, report => report.Report == ServiceReport.ServiceHeld);
        service.Did();
        service.Send(new HoldChanged(["cache"])).Did();
        service.Send(new HoldChanged([])).Did("spawn 0/1");
        Assert.Empty(service.State.HeldFor);
    }

    [Fact]
    public void A_start_or_stop_by_a_client_ends_the_wait()
    {
        Service().Send(new StartHeld(["db"])).Start().Did("spawn 0/1");
        var stopped = Service().Send(new StartHeld(["db"])).Send(new StopRequested()).Send(new HoldChanged([])).Did();
        Assert.Equal(ServiceCondition.Stopped, stopped.Condition);
    }

    [Fact]
    public void A_held_on_demand_service_awaits_its_first_connection_afterwards()
    {
        var service = new FakeService(Spec with { Start = StartMode.OnDemand, Listeners = ["a"] });
        service.Send(new StartHeld(["db"])).Send(new DemandArrived()).Did();
        service.Send(new HoldChanged([])).Did();
        Assert.True(service.State.IsReadyForOthers);
        service.Send(new DemandArrived()).Did("spawn 0/1");
    }

    [Fact]
    public void A_held_rollout_begins_when_nothing_is_left_to_wait_for()
    {
        var service = Serving();
        service.Send(new SpecChanged(service.State.Spec with { Command = ["/bin/b"] }, true) { HeldFor = ["db"] }).Did();
        Assert.Equal((ServiceCondition.Rolling, RolloutPhase.Waiting), (service.Condition, service.RolloutPhase!.Value));
        service.Send(new HoldChanged([])).Did("spawn 0/2");
    }

    [Fact]
    public void An_abort_and_a_restart_end_the_wait_of_a_rollout()
    {
        var aborted = Serving();
        aborted.Send(new SpecChanged(aborted.State.Spec with { Command = ["/bin/b"] }, true) { HeldFor = ["db"] })
            .Send(new AbortRequested()).Did();
        Assert.Equal(RolloutPhase.RolledBack, aborted.RolloutPhase);
        Assert.Empty(aborted.State.HeldFor);
        var restarted = Serving();
        restarted.Send(new SpecChanged(restarted.State.Spec with { Command = ["/bin/b"] }, true) { HeldFor = ["db"] })
            .Restart().Did("spawn 0/3");
        Assert.Empty(restarted.State.HeldFor);
    }

    [Fact]
    public void A_service_is_ready_for_others_when_all_its_workers_are()
    {
        var service = Service();
        Assert.False(service.State.IsReadyForOthers);
        service.Start();
        Assert.Equal((false, false), (service.State.IsReadyForOthers, service.State.IsSettledForOthers));
        service.ReadyAll();
        Assert.Equal((true, true), (service.State.IsReadyForOthers, service.State.IsSettledForOthers));
        service.Restart();
        Assert.Equal((false, false), (service.State.IsReadyForOthers, service.State.IsSettledForOthers));
    }

    [Fact]
    public void Services_are_sorted_by_what_they_come_after()
    {
        var after = new Dictionary<string, string[]> { ["a"] = ["c", "x"], ["b"] = [], ["c"] = ["b"], ["d"] = ["e"], ["e"] = ["d"] };
        string[] sorted = [.. StartOrder.Sort(["a", "b", "c", "d", "e"], name => name, name => after[name])];
        Assert.Equal(["b", "c", "a", "e", "d"], sorted);
        string[] cycle = [.. StartOrder.CycleOf("d", name => after.GetValueOrDefault(name, []))];
        Assert.Equal(["d", "e", "d"], cycle);
        Assert.Empty(StartOrder.CycleOf("a", name => after.GetValueOrDefault(name, [])));
    }

    private static readonly ServiceSpec Spec = new() { Name = "api", Command = ["/bin/a"], Readiness = Readiness.Notify };

    private static FakeService Service() => new(Spec);

    private static FakeService Serving() => Service().Start().ReadyAll().Forget();
}
