using Supervisor.Core.Services;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Tests.Services;

/// <summary>Workers that are replaced while they serve: <c>recycle</c> and <c>liveness</c>.</summary>
public sealed class ReplacementScenarios
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public void A_worker_is_replaced_at_its_age_ready_gated_and_one_at_a_time()
    {
        var service = Serving(2, new RecycleSpec { MaxAge = Hour, Jitter = 0 });
        service.Advance(Hour - TimeSpan.FromSeconds(1)).Did();
        service.Advance(TimeSpan.FromSeconds(1)).Did("spawn 0/1");
        Assert.Equal(2, service.State.Ready);
        service.ReadyAll().Did("stop 0/1", "spawn 1/1");
        service.ReadyAll().Did("stop 1/1");
        Assert.Equal(0, service.State.Slots.Sum(slot => slot.Restarts));
    }

    [Fact]
    public void Max_surge_permits_more_at_the_same_time()
    {
        var service = Serving(3, new RecycleSpec(), new RolloutSpec { MaxSurge = 2, Settle = TimeSpan.Zero });
        Due(service, ReplacementCause.Memory, 0, 1, 2).Did("spawn 0/1", "spawn 1/1");
    }

    [Fact]
    public void Nothing_is_replaced_during_a_rollout()
    {
        var service = Serving(1, new RecycleSpec()).Restart().Forget();
        Due(service, ReplacementCause.Memory, 0).Did();
        Assert.Equal(ServiceCondition.Rolling, service.Condition);
    }

    [Fact]
    public void What_was_due_during_a_rollout_begins_when_the_rollout_is_rolled_back()
    {
        var service = Serving(1, new RecycleSpec()).Restart().Forget();
        Due(service, ReplacementCause.Memory, 0).Did();
        service.Abort().Did("stop 0/2");
        service.EndAll().Did("spawn 0/1");
    }

    [Fact]
    public void An_age_that_passed_during_a_rollout_counts_when_the_rollout_has_ended()
    {
        var service = Serving(2, new RecycleSpec { MaxAge = Hour, Jitter = 0 }, new RolloutSpec { Canary = 1, Settle = TimeSpan.Zero });
        service.Restart().ReadyAll().EndAll().Forget();
        service.Advance(Hour).Did();
        service.Promote().Did("spawn 1/2");
        service.ReadyAll().EndAll().Did("stop 1/1", "spawn 0/2");
    }

    [Fact]
    public void A_setting_that_is_changed_removes_its_marks()
    {
        var recycle = new RecycleSpec { MaxMemory = 1000 };
        var service = Serving(2, recycle);
        Due(service, ReplacementCause.Memory, 0, 1).Did("spawn 0/1");
        service.Change(service.State.Spec with { Liveness = new LivenessSpec { Failures = 5 } });
        service.Change(service.State.Spec with { Recycle = recycle with { MaxMemory = 2000 } }).Forget();
        service.ReadyAll().Did("stop 0/1");
    }

    [Fact]
    public void A_setting_that_is_changed_keeps_the_marks_of_others()
    {
        var service = Serving(2, new RecycleSpec { MaxMemory = 1000 });
        Due(service, ReplacementCause.Memory, 0).Did("spawn 0/1");
        Due(service, ReplacementCause.Limits, 1).Did();
        service.Change(service.State.Spec with { Recycle = new RecycleSpec(), Liveness = new LivenessSpec { Failures = 5 } }).Forget();
        service.ReadyAll().Did("stop 0/1", "spawn 1/1");
    }

    [Fact]
    public void A_worker_that_no_longer_responds_is_the_next_even_if_it_was_to_be_recycled()
    {
        var service = Serving(3, new RecycleSpec());
        Due(service, ReplacementCause.Memory, 0, 1, 2).Did("spawn 0/1");
        Due(service, ReplacementCause.Silent, 2).Did();
        service.ReadyAll().Did("stop 0/1", "spawn 2/1");
        service.ReadyAll().Did("abort 2/1", "spawn 1/1");
    }

    [Fact]
    public void A_worker_that_does_not_respond_is_aborted_when_its_replacement_is_ready()
    {
        var service = Serving(1, new RecycleSpec());
        Due(service, ReplacementCause.Silent, 0).Did("spawn 0/1");
        service.ReadyAll().Did("abort 0/1");
    }

    [Fact]
    public void An_unhealthy_worker_drains_when_its_replacement_is_ready()
    {
        var service = Serving(1, new RecycleSpec());
        Due(service, ReplacementCause.Unhealthy, 0).Did("spawn 0/1");
        service.ReadyAll().Did("stop 0/1");
    }

    [Fact]
    public void A_failed_replacement_is_not_repeated_at_once()
    {
        var service = Serving(1, new RecycleSpec());
        Due(service, ReplacementCause.Memory, 0).Did("spawn 0/1");
        var replacement = service.State.Workers.Single(worker => worker.Phase == WorkerPhase.Starting);
        service.Send(new WorkerEnded(replacement.Id, ExitReason.Exited(1))).Did();
        Assert.Equal(1, service.State.Ready);
        Due(service, ReplacementCause.Memory, 0).Did();
        service.Advance(TimeSpan.FromSeconds(31)).Forget();
        Due(service, ReplacementCause.Memory, 0).Did("spawn 0/1");
    }

    [Fact]
    public void A_failed_replacement_for_other_limits_is_repeated_until_one_succeeds()
    {
        var service = Serving(1, new RecycleSpec());
        Due(service, ReplacementCause.Limits, 0).Did("spawn 0/1");
        for (var failure = 0; failure < 3; failure++)
        {
            FailReplacement(service).Forget();
            Assert.Equal(service.Now + TimeSpan.FromSeconds(30), service.State.NextDeadline);
            service.Advance(TimeSpan.FromSeconds(29)).Did();
            service.Advance(TimeSpan.FromSeconds(1)).Did("spawn 0/1");
        }

        service.ReadyAll().Did("stop 0/1");
        service.EndAll();
        Assert.Null(service.State.NextDeadline);
    }

    [Fact]
    public void Another_change_of_limits_repeats_a_failed_replacement_at_once()
    {
        var service = Serving(1, new RecycleSpec());
        FailReplacement(Due(service, ReplacementCause.Limits, 0)).Forget();
        service.Change(service.State.Spec with { Cgroup = new CgroupLimits { MemoryMax = 1 << 20 } }).Did();
        Assert.Null(service.State.NextDeadline);
        Due(service, ReplacementCause.Limits, 0).Did("spawn 0/1");
    }

    [Fact]
    public void A_failed_replacement_for_other_limits_waits_for_the_end_of_a_rollout()
    {
        var service = Serving(1, new RecycleSpec());
        FailReplacement(Due(service, ReplacementCause.Limits, 0));
        service.Advance(TimeSpan.FromSeconds(10)).Restart().Forget().Advance(TimeSpan.FromSeconds(25)).Did();
        service.Abort().EndAll().Did("stop 0/2", "spawn 0/1");
    }

    private static FakeService FailReplacement(FakeService service) => service.Send(new WorkerEnded(
        service.State.Workers.Single(worker => worker.Phase == WorkerPhase.Starting).Id, ExitReason.Exited(1)));

    [Fact]
    public void The_jitter_lowers_the_limits_evenly()
    {
        var recycle = new RecycleSpec { MaxAge = Hour, MaxMemory = 1000, Jitter = 50 };
        var ages = Enumerable.Range(1, 100).Select(recycle.AgeOf).ToArray();
        Assert.All(ages, age => Assert.InRange(age, Hour / 2, Hour));
        Assert.InRange(ages.Average(age => age.TotalMinutes), 43, 47);
        Assert.InRange(recycle.MemoryOf(1), 500, 1000);
        Assert.Equal(Hour, new RecycleSpec { MaxAge = Hour, Jitter = 0 }.AgeOf(7));
    }

    private static FakeService Due(FakeService service, ReplacementCause cause, params int[] slots)
    {
        foreach (var slot in slots)
        {
            var worker = service.State.Workers.First(worker => worker.Slot == slot && worker.Phase == WorkerPhase.Ready);
            service.Send(new WorkerDue(worker.Id, cause, "is due"));
        }

        return service;
    }

    private static FakeService Serving(int workers, RecycleSpec recycle, RolloutSpec? rollout = null) => new FakeService(new ServiceSpec
    {
        Name = "api",
        Command = ["/bin/a"],
        Workers = workers,
        Recycle = recycle,
        Rollout = rollout ?? new RolloutSpec { Settle = TimeSpan.Zero },
    }).Start().ReadyAll().Forget();
}
