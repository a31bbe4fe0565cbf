using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>pre_start, post_ready, post_stop: when they run, where their output goes, and what a failed or hanging hook causes.</summary>
public sealed class HookTests
{
    [Fact]
    public Task Each_hook_runs_once_at_its_moment() => WithHooksAsync(async daemon =>
    {
        await daemon.Log.WaitForOutputAsync(0, "post_ready 1");
        var restart = await daemon.ListenctlAsync("restart", "w", "--wait");
        Assert.True(restart.ExitCode == 0, restart.Error);
        await daemon.Log.WaitForOutputAsync(0, "post_ready 2");

        // The hooks do not run for the replacement of a worker.
        var mark = daemon.Log.Count;
        RunningProgram.Kill((await daemon.ReadyAsync("w"))[0], Signals.Kill);
        await daemon.WaitUntilReadyAsync("w", from: mark);
        var stop = await daemon.ListenctlAsync("stop", "w", "--wait");
        Assert.True(stop.ExitCode == 0, stop.Error);
        await daemon.Log.WaitForOutputAsync(mark, "post_stop 2");
        Assert.Equal(
            ["pre_start 1", "post_ready 1", "pre_start 2", "post_ready 2", "post_stop 2"],
            daemon.Log.Messages.Where(message => message.Output?.StartsWith('p') == true).Select(message => message.Output!));
        var logs = await daemon.ListenctlAsync("logs", "w");
        Assert.Contains("pre_start 2", logs.Output, StringComparison.Ordinal);
    });

    [Fact]
    public Task Failed_or_hanging_pre_start_rolls_back() => WithHooksAsync(async daemon =>
    {
        await daemon.WaitUntilReadyAsync("w", 2);
        var before = await daemon.ReadyAsync("w");
        File.WriteAllText(daemon.Directory["fail"], "");
        var failed = await daemon.ListenctlAsync("restart", "w", "--wait");
        Assert.Equal(1, failed.ExitCode);
        Assert.Contains("hooks.pre_start", failed.Error, StringComparison.Ordinal);
        await daemon.Log.WaitForAsync(0, MessageIds.HookFailed, "w", facts: ["hooks.pre_start", "status 3"]);
        Assert.Equal("rolled-back", (await daemon.StatusAsync("w")).Rollout?.State);

        File.Delete(daemon.Directory["fail"]);
        File.WriteAllText(daemon.Directory["hang"], "");
        var mark = daemon.Log.Count;
        var hung = await daemon.ListenctlAsync("restart", "w", "--wait");
        Assert.Equal(1, hung.ExitCode);
        await daemon.Log.WaitForAsync(mark, MessageIds.HookFailed, "w", facts: ["hooks.pre_start", "start_timeout", "500ms"]);
        var child = (await daemon.Log.WaitForOutputAsync(mark, "hangs ")).Output!["hangs ".Length..];
        await Processes.EndedAsync(int.Parse(child, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(before, await daemon.ReadyAsync("w"));
        var service = await daemon.StatusAsync("w");
        Assert.Equal(("running", "rolled-back"), (service.State, service.Rollout?.State));
        Assert.Contains("hooks.pre_start", service.Rollout!.Reason, StringComparison.Ordinal);
        Assert.Contains("\"hook-failed\"", (await daemon.ListenctlAsync("events", "--json")).Output, StringComparison.Ordinal);
    });

    [Fact]
    public Task Stop_kills_a_running_pre_start() => WithHooksAsync(
        async daemon =>
        {
            await daemon.Log.WaitForOutputAsync(0, "hangs ");
            var waits = Assert.Single(
                (await daemon.StatusAsync("w")).Workers.Select(worker => (worker.State, worker.StatusText)).Distinct());
            Assert.Equal("starting", waits.State);
            Assert.Contains("hooks.pre_start", waits.StatusText, StringComparison.Ordinal);
            var stop = await daemon.ListenctlAsync("stop", "w", "--wait");
            Assert.True(stop.ExitCode == 0, stop.Error);
            await daemon.Log.WaitForOutputAsync(0, "post_stop 1");
            Assert.DoesNotContain(daemon.Log.Messages, message => message.Kind == MessageIds.HookFailed);
        },
        startTimeout: "10m",
        hangs: true);

    private static Task WithHooksAsync(
        Func<DaemonUnderTest, Task> test, string startTimeout = "500ms", bool hangs = false) => DaemonUnderTest.WithAsync(
        $$"""
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.w]
        command = ["sleep", "1000"]
        listeners = ["web"]
        workers = 2
        ready = "started"
        start_timeout = "{{startTimeout}}"
        hooks = { pre_start = ["@dir@/hook"], post_ready = ["@dir@/hook"], post_stop = ["@dir@/hook"] }
        """,
        test,
        prepare: directory =>
        {
            directory.WriteScript(
                "hook",
                """
                #!/bin/sh
                dir=${0%/*}
                if [ $LISTEND_HOOK = pre_start ]; then
                    [ -e $dir/fail ] && exit 3
                    if [ -e $dir/hang ]; then sleep 1000 & echo hangs $!; wait; fi
                fi
                echo $LISTEND_HOOK $LISTEND_GENERATION
                """);
            if (hangs)
            {
                directory.Write("hang", "");
            }
        });
}
