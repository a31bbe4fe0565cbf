using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>Canaries of real processes: held, promoted, aborted, killed.</summary>
public sealed class CanaryTests
{
    [Fact]
    public Task Canary_waits_for_promote() => WithAsync("rollout = { canary = 1 }", async daemon =>
    {
        await daemon.WaitUntilReadyAsync("w", 3);
        Assert.Equal(0, (await daemon.ListenctlAsync("restart", "w")).ExitCode);
        await daemon.Log.WaitForAsync(0, MessageIds.RolloutCanary, "w", generation: 2);
        var service = await daemon.StatusAsync("w");
        Assert.Equal(("rolling", "canary", 1, 3), (service.State, service.Rollout!.State, service.Rollout.Replaced, service.Rollout.Total));
        Assert.Null(service.Rollout.PromotedAt);
        Assert.Contains("listenctl promote w", service.Rollout.Waits, StringComparison.Ordinal);
        var promote = await daemon.ListenctlAsync("promote", "w", "--wait");
        Assert.True(promote.ExitCode == 0, promote.Error);
        Assert.Equal([2, 2, 2], (await daemon.StatusAsync("w")).Workers.Select(worker => worker.Generation));
        var again = await daemon.ListenctlAsync("promote", "w");
        Assert.Equal(1, again.ExitCode);
        Assert.Contains("no roll-out", again.Error, StringComparison.Ordinal);
    });

    [Fact]
    public Task A_promote_that_ends_the_rollout_reports_it() => WithAsync("rollout = { canary = 3 }", async daemon =>
    {
        await daemon.WaitUntilReadyAsync("w", 3);
        Assert.Equal(0, (await daemon.ListenctlAsync("restart", "w")).ExitCode);
        await daemon.Log.WaitForAsync(0, MessageIds.RolloutCanary, "w", generation: 2);
        await Faults.Steady.RestAsync(daemon, "w", service => service.Workers.All(worker => worker.Generation == 2));
        var promote = await daemon.ListenctlAsync("promote", "w", "--wait");
        Assert.True(promote.ExitCode == 0, promote.Error);
        Assert.Equal("done", (await daemon.StatusAsync("w")).Rollout!.State);
    });

    [Fact]
    public Task Canary_is_promoted_after_canary_hold() => WithAsync("rollout = { canary = 2, canary_hold = \"300ms\" }", async daemon =>
    {
        await daemon.WaitUntilReadyAsync("w", 3);
        var restart = await daemon.ListenctlAsync("restart", "w", "--wait");
        Assert.True(restart.ExitCode == 0, restart.Error);
        await daemon.Log.WaitForAsync(0, MessageIds.RolloutPromoted, "w", generation: 2, facts: ["canary_hold", "300ms"]);
    });

    [Fact]
    public Task Aborted_or_dead_canary_is_rolled_back() => WithAsync("rollout = { canary = 1, canary_hold = \"10m\" }", async daemon =>
    {
        await daemon.WaitUntilReadyAsync("w", 3);
        Assert.Equal(0, (await daemon.ListenctlAsync("restart", "w")).ExitCode);
        await daemon.Log.WaitForAsync(0, MessageIds.RolloutCanary, "w", generation: 2);
        Assert.InRange(
            (await daemon.StatusAsync("w")).Rollout!.PromotedAt!.Value - DateTimeOffset.UtcNow,
            TimeSpan.FromMinutes(5),
            TimeSpan.FromMinutes(10));
        var abort = await daemon.ListenctlAsync("abort", "w", "--wait");
        Assert.True(abort.ExitCode == 0, abort.Error);
        Assert.Equal("rolled-back", (await daemon.StatusAsync("w")).Rollout!.State);

        var mark = daemon.Log.Count;
        var restart = daemon.ListenctlAsync("restart", "w", "--wait");
        await daemon.Log.WaitForAsync(mark, MessageIds.RolloutCanary, "w", generation: 3);
        RunningProgram.Kill((await daemon.StatusAsync("w")).Workers.Single(worker => worker.Generation == 3).Pid!.Value, Signals.Kill);
        var failed = await restart;
        Assert.Equal(1, failed.ExitCode);
        Assert.Contains("SIGKILL", failed.Error, StringComparison.Ordinal);
        Assert.Contains("canary", failed.Error, StringComparison.Ordinal);
        Assert.Equal(
            [1, 1, 1],
            (await daemon.StatusAsync("w")).Workers.Where(worker => worker.State == "ready").Select(worker => worker.Generation));
    });

    private static Task WithAsync(string settings, Func<DaemonUnderTest, Task> test) => DaemonUnderTest.WithAsync(
        $$"""
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.w]
        command = ["sh", "-c", "systemd-notify --ready; exec sleep 1000"]
        listeners = ["web"]
        workers = 3
        {{settings}}
        """,
        test);
}
