using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>pre_start, post_ready, post_stop: when they run, where their output goes, what comes of one that fails or hangs.</summary>
public sealed class HookTests
{
    [Fact]
    public Task Each_hook_runs_at_its_moment_once_and_its_output_is_the_services() => WithHooksAsync(async daemon =>
    {
        await daemon.Log.WaitAsync(0, "]: post_ready 1");
        var restart = await daemon.ListenctlAsync("restart", "w", "--wait");
        Assert.True(restart.ExitCode == 0, restart.Error);
        await daemon.Log.WaitAsync(0, "]: post_ready 2");

        // A worker that is replaced needs no preparation and is no news.
        var mark = daemon.Log.Count;
        RunningProgram.Kill((await daemon.ReadyAsync("w"))[0], Signals.Kill);
        await daemon.WaitUntilReadyAsync("w", from: mark);
        var stop = await daemon.ListenctlAsync("stop", "w", "--wait");
        Assert.True(stop.ExitCode == 0, stop.Error);
        await daemon.Log.WaitAsync(mark, "]: post_stop 2");
        Assert.Equal(
            ["pre_start 1", "post_ready 1", "pre_start 2", "post_ready 2", "post_stop 2"],
            daemon.Log.Lines.Where(line => line.Contains("]: p", StringComparison.Ordinal)).Select(line => line[(line.IndexOf("]: ", StringComparison.Ordinal) + 3)..]));
        var logs = await daemon.ListenctlAsync("logs", "w");
        Assert.Contains(": pre_start 2", logs.Output, StringComparison.Ordinal);
    });

    [Fact]
    public Task A_pre_start_that_fails_or_hangs_fails_the_roll_out_and_nobody_leaves() => WithHooksAsync(async daemon =>
    {
        await daemon.WaitUntilReadyAsync("w", 2);
        var before = await daemon.ReadyAsync("w");
        File.WriteAllText(daemon.Directory["fail"], "");
        var failed = await daemon.ListenctlAsync("restart", "w", "--wait");
        Assert.Equal(1, failed.ExitCode);
        Assert.Contains("rolled back", failed.Error, StringComparison.Ordinal);
        Assert.Contains("hooks.pre_start exited with status 3", failed.Error, StringComparison.Ordinal);

        File.Delete(daemon.Directory["fail"]);
        File.WriteAllText(daemon.Directory["hang"], "");
        var mark = daemon.Log.Count;
        var hung = await daemon.ListenctlAsync("restart", "w", "--wait");
        Assert.Equal(1, hung.ExitCode);
        Assert.Contains("hooks.pre_start did not end within start_timeout (500ms) and was killed", hung.Error, StringComparison.Ordinal);
        var line = await daemon.Log.WaitAsync(mark, "]: hangs ");
        await Processes.EndedAsync(int.Parse(line.AsSpan(line.LastIndexOf(' ')), System.Globalization.NumberStyles.AllowLeadingWhite, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(before, await daemon.ReadyAsync("w"));
        var service = await daemon.StatusAsync("w");
        Assert.Equal(("running", "rolled-back"), (service.State, service.Rollout?.State));
        Assert.Contains("hooks.pre_start", service.Rollout!.Reason, StringComparison.Ordinal);
        Assert.Contains(" hook-failed ", (await daemon.ListenctlAsync("events")).Output, StringComparison.Ordinal);
    });

    [Fact]
    public Task Stop_ends_a_pre_start_that_runs() => WithHooksAsync(
        async daemon =>
        {
            await daemon.Log.WaitAsync(0, "]: hangs ");
            var waits = Assert.Single((await daemon.StatusAsync("w")).Workers.Select(worker => (worker.State, worker.StatusText)).Distinct());
            Assert.Equal(("starting", "hooks.pre_start runs"), waits);
            var stop = await daemon.ListenctlAsync("stop", "w", "--wait");
            Assert.True(stop.ExitCode == 0, stop.Error);
            await daemon.Log.WaitAsync(0, "]: post_stop 1");
            Assert.DoesNotContain(daemon.Log.Lines, line => line.Contains("hooks.pre_start", StringComparison.Ordinal) && line.Contains(" ERR ", StringComparison.Ordinal));
        },
        startTimeout: "10m",
        hangs: true);

    private static Task WithHooksAsync(Func<DaemonUnderTest, Task> test, string startTimeout = "500ms", bool hangs = false) => DaemonUnderTest.WithAsync(
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
