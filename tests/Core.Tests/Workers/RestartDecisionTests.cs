using CsCheck;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Tests.Workers;

public class RestartDecisionTests
{
    private static readonly ServiceSpec Spec = new() { Name = "api", Command = ["/srv/api"] };
    private static readonly SlotState Slot = new() { Index = 0, Generation = 1 };
    private static readonly ExitReason Failure = ExitReason.Exited(1);

    [Fact]
    public void The_backoff_doubles_from_the_second_failure_up_to_its_cap()
    {
        var waits = Enumerable.Range(0, 12).Select(failures => RestartDecision.Backoff(new RestartSpec(), failures).TotalMilliseconds);
        Assert.Equal([0, 0, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000], waits);
    }

    [Fact]
    public void The_backoff_is_between_zero_and_backoff_max() =>
        Gen.Select(Gen.Long[0, TimeSpan.TicksPerDay], Gen.Long[0, TimeSpan.TicksPerDay], Gen.Int[0, int.MaxValue])
            .Sample((backoff, most, failures) =>
                {
                    var restart = new RestartSpec { Backoff = TimeSpan.FromTicks(backoff), BackoffMax = TimeSpan.FromTicks(most) };
                    var wait = RestartDecision.Backoff(restart, failures);
                    return wait >= TimeSpan.Zero && wait <= restart.BackoffMax
                && (failures <= 2 || wait >= RestartDecision.Backoff(restart, failures - 1));
                }, iter: Iterations.Of(2_000));

    [Theory]
    [InlineData(RestartPolicy.Always, true, false)]
    [InlineData(RestartPolicy.Always, false, false)]
    [InlineData(RestartPolicy.OnFailure, true, true)]
    [InlineData(RestartPolicy.OnFailure, false, false)]
    [InlineData(RestartPolicy.Never, true, true)]
    [InlineData(RestartPolicy.Never, false, true)]
    public void The_policy_decides_whether_the_slot_is_finished(RestartPolicy policy, bool clean, bool finished)
    {
        var reason = ExitReason.Exited(clean ? 0 : 1);
        var slot = RestartDecision.After(
            Slot,
            Worker(ready: 0),
            reason,
            Spec with { Restart = new RestartSpec { Policy = policy } },
            At(5));
        Assert.Equal(finished, slot.Phase == SlotPhase.Finished);
        Assert.Equal(finished ? 0 : 1, slot.Restarts);
        Assert.Equal(reason, slot.LastExit);
    }

    [Fact]
    public void A_start_timeout_is_a_failure_even_with_a_clean_exit() =>
        Assert.False(RestartDecision.After(
            Slot,
            Worker() with { EndReason = EndReason.StartTimedOut },
            ExitReason.Exited(0),
            Spec with { Restart = new RestartSpec { Policy = RestartPolicy.OnFailure } },
            At(30)).Finished);

    [Fact]
    public void A_ready_worker_resets_the_failure_count()
    {
        var slot = Slot with { Failures = 7 };
        Assert.Equal((1, null), Of(RestartDecision.After(slot, Worker(ready: 1), Failure, Spec, At(2))));
        Assert.Equal((8, At(2) + TimeSpan.FromMilliseconds(6400)), Of(RestartDecision.After(slot, Worker(), Failure, Spec, At(2))));
    }

    /// <summary>READY=1 and a crash, round and round: hundreds of times a second where no limit is set.</summary>
    [Fact]
    public void A_worker_that_fails_when_ready_does_not_reset_the_count()
    {
        var slot = Slot with { Failures = 1 };
        foreach (var reason in new[] { Failure, ExitReason.Signalled(11, coreDumped: true) })
        {
            Assert.Equal(
                (2, At(2.05) + TimeSpan.FromMilliseconds(100)),
                Of(RestartDecision.After(slot, Worker(ready: 2), reason, Spec, At(2.05))));
            Assert.Equal((1, null), Of(RestartDecision.After(slot, Worker(ready: 2), reason, Spec, At(2.1))));
        }

        // Killed from outside, asked to end, or done with its work.
        foreach (var reason in new[] {
            ExitReason.Signalled(9, coreDumped: false),
            ExitReason.Signalled(15, coreDumped: false),
            ExitReason.Exited(0) })
        {
            Assert.Equal((1, null), Of(RestartDecision.After(slot, Worker(ready: 2), reason, Spec, At(2.05))));
        }
    }

    [Theory]
    [InlineData(0.5, 3)]
    [InlineData(1, 1)]
    public void A_worker_that_is_ready_at_exec_must_run_for_a_second(double lived, int failures) =>
        Assert.Equal(failures, RestartDecision.After(
            Slot with { Failures = 2 },
            Worker(ready: 0),
            Failure,
            Spec with { Readiness = Readiness.Started },
            At(lived)).Failures);

    [Fact]
    public void The_limit_delays_starts_until_its_interval_has_passed()
    {
        var slot = Slot;
        for (var i = 0; i < 5; i++)
        {
            slot = RestartDecision.After(slot, Worker(ready: 0), Failure, Spec, At(i));
            Assert.True(slot is { Phase: SlotPhase.Open, NextTry: null });
        }

        var limited = RestartDecision.After(slot, Worker(ready: 0), Failure, Spec, At(5));
        Assert.True(limited.Phase == SlotPhase.Limited);
        Assert.Equal(At(35), limited.NextTry);

        var later = RestartDecision.After(slot, Worker(ready: 0), Failure, Spec, At(10));
        Assert.True(later is { Phase: SlotPhase.Open, NextTry: null });
    }

    [Fact]
    public void A_limit_of_zero_disables_the_limit()
    {
        var slot = Slot;
        for (var i = 0; i < 100; i++)
        {
            slot = RestartDecision.After(
                slot,
                Worker(ready: 0),
                Failure,
                Spec with { Restart = new RestartSpec { Limit = 0 } },
                At(i * 0.01));
            Assert.False(slot.Phase == SlotPhase.Limited);
        }
    }

    [Fact]
    public void Each_exit_reason_is_clean_or_a_failure()
    {
        Assert.True(ExitReason.Exited(0).Clean);
        Assert.False(ExitReason.Exited(2).Clean);
        Assert.All([1, 2, 13, 15], signal => Assert.True(ExitReason.Signalled(signal, false).Clean));
        Assert.All([3, 6, 9, 11], signal => Assert.False(ExitReason.Signalled(signal, false).Clean));
        Assert.False(ExitReason.NotStarted("ENOENT").Clean);
        Assert.Equal("was killed by SIGSEGV (core dumped)", ExitReason.Signalled(11, true).Text);
    }

    private static (int, TimeSpan?) Of(SlotState slot) => (slot.Failures, slot.NextTry);

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private static WorkerState Worker(double? ready = null) => new()
    {
        Id = 1,
        Slot = 0,
        Generation = 1,
        Phase = ready is null ? WorkerPhase.Starting : WorkerPhase.Ready,
        StartedAt = TimeSpan.Zero,
        ReadyAt = ready is { } seconds ? At(seconds) : null,
    };
}
