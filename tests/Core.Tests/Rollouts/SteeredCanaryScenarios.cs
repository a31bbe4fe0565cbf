using Supervisor.Core.Services;
using Supervisor.Core.Tests.Services;

namespace Supervisor.Core.Tests.Rollouts;

/// <summary>A canary with a share of the connections runs next to all old workers until it is promoted or rolled back.</summary>
public sealed class SteeredCanaryScenarios
{
    private static readonly RolloutSpec Shared = new() { Canary = 1, CanaryShare = 50 };

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void The_old_workers_stay_until_the_canary_is_promoted(int workers)
    {
        var service = Running(workers, Shared);
        service.Restart().Did("spawn 0/2");
        service.Ready("0/2").Did();
        Assert.Equal(RolloutPhase.Canary, service.RolloutPhase);
        Assert.Equal((2, 50), SteeredWorkers.Canary(service.State));
        Assert.Equal(workers + 1, SteeredWorkers.Of(service.State).Count);
        service.Promote();
        Assert.Null(SteeredWorkers.Canary(service.State));
        service.Settle();
        Assert.Equal(RolloutPhase.Done, service.RolloutPhase);
        Assert.All(SteeredWorkers.Of(service.State), worker => Assert.Equal(2, worker.Generation));
    }

    [Fact]
    public void With_a_surge_for_all_of_them_the_canaries_run_next_to_the_old_workers()
    {
        var service = Running(3, Shared with { Canary = 2, MaxSurge = 2 });
        service.Restart().Did("spawn 0/2", "spawn 1/2");
        service.Ready("0/2", "1/2").Did();
        Assert.Equal(RolloutPhase.Canary, service.RolloutPhase);
        Assert.Equal(5, SteeredWorkers.Of(service.State).Count);
    }

    [Fact]
    public void Without_such_a_surge_the_canaries_replace_old_workers()
    {
        var service = Running(3, Shared with { Canary = 2 }).Restart().Ready("0/2").EndAll().Ready("1/2").EndAll();
        Assert.Equal(RolloutPhase.Canary, service.RolloutPhase);
        Assert.Equal([1, 2, 2], SteeredWorkers.Of(service.State).Select(worker => worker.Generation).Order());
    }

    [Fact]
    public void An_aborted_canary_leaves_the_old_workers_as_they_are()
    {
        var service = Running(2, Shared).Restart().Ready("0/2").Forget();
        service.Abort().Did("stop 0/2");
        Assert.Equal([1, 1], SteeredWorkers.Of(service.State).Select(worker => worker.Generation));
        service.Settle();
        Assert.Equal(RolloutPhase.RolledBack, service.RolloutPhase);
    }

    [Fact]
    public void A_replaced_worker_gets_nothing_new_from_the_moment_its_successor_is_ready()
    {
        var service = Running(2, new RolloutSpec { Settle = TimeSpan.FromSeconds(5) }).Restart().Ready("0/2");
        Assert.Equal([2, 1], SteeredWorkers.Of(service.State).OrderBy(worker => worker.Slot).Select(worker => worker.Generation));
    }

    [Fact]
    public void With_overlap_all_change_at_once()
    {
        var service = Running(2, new RolloutSpec { Strategy = RolloutStrategy.Overlap }).Restart().Ready("0/2");
        Assert.All(SteeredWorkers.Of(service.State), worker => Assert.Equal(1, worker.Generation));
        service.Ready("1/2");
        Assert.All(SteeredWorkers.Of(service.State), worker => Assert.Equal(2, worker.Generation));
    }

    private static FakeService Running(int workers, RolloutSpec rollout) => new FakeService(new ServiceSpec
    {
        Name = "api",
        Command = ["/srv/api"],
        Workers = workers,
        Rollout = rollout,
    })
    { Observer = ServiceRules.Check }.Start().ReadyAll().Forget();
}
