using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>Workers that die, hang, flood and lie.</summary>
public sealed partial class SupervisionTests
{
    [Fact]
    public Task A_killed_worker_is_replaced_at_once() => WithScript(
        "systemd-notify --ready --status='serving nobody'; exec sleep 1000",
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            var before = Assert.Single((await daemon.StatusAsync("w")).Workers);
            Assert.Equal(("ready", 0, 1, "serving nobody"), (before.State, before.Slot, before.Generation, before.StatusText));
            var mark = daemon.Log.Count;
            RunningProgram.Kill(before.Pid!.Value, Signals.Kill);
            await daemon.Log.WaitAsync(mark, $"pid {before.Pid}", "was killed by SIGKILL");
            await daemon.WaitUntilReadyAsync("w", from: mark);
            var after = Assert.Single((await daemon.StatusAsync("w")).Workers);
            Assert.Equal(("ready", 0, 1, 1), (after.State, after.Slot, after.Generation, after.Restarts));
            Assert.NotEqual(before.Pid, after.Pid);
            Assert.DoesNotContain(daemon.Log.Lines, line => line.Contains("next try", StringComparison.Ordinal));
        });

    [Fact]
    public Task A_worker_that_exits_at_once_backs_off_and_says_so() => WithScript(
        "exit 7",
        async daemon =>
        {
            // limit = 5 within 10 s: after that it waits for backoff_max.
            await daemon.Log.WaitAsync(0, "worker 0", "exited with status 7", "before it was ready");
            await daemon.Log.WaitAsync(0, "restart.limit", "next try in");
            var service = await daemon.StatusAsync("w");
            Assert.Equal("failed", service.State);
            Assert.Contains("exited with status 7", service.Reason, StringComparison.Ordinal);
            var worker = Assert.Single(service.Workers);
            Assert.Equal(("backoff", null), (worker.State, worker.Pid));
            Assert.InRange(worker.NextTry!.Value - DateTimeOffset.UtcNow, TimeSpan.Zero, TimeSpan.FromMinutes(10));

            // Not at once for ever: the first restart comes at once, the next ones wait 10 ms, 20 ms, 40 ms, 80 ms.
            Assert.Equal(6, daemon.Log.Lines.Count(line => line.Contains("exited with status 7 before", StringComparison.Ordinal)));
        },
        "restart = { backoff = \"10ms\", backoff_max = \"10m\" }");

    [Fact]
    public Task What_left_its_workers_session_does_not_outlive_it_with_the_listener() => WithScript(
        "setsid --fork sh -c 'echo stray $$; exec sleep 1000'; systemd-notify --ready; exec sleep 1000",
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            var line = await daemon.Log.WaitAsync(0, "stray ");
            var stray = int.Parse(line.AsSpan(line.LastIndexOf(' ')), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture);
            Assert.Equal(0, (await daemon.ListenctlAsync("stop", "w", "--wait")).ExitCode);
            await daemon.Log.WaitAsync(0, $"pid {stray} (sleep) outlived the worker");
            await Processes.EndedAsync(stray);
        });

    [Fact]
    public async Task What_a_worker_writes_is_not_filtered_by_the_daemons_level()
    {
        using var directory = new TemporaryDirectory();
        await using var daemon = DaemonUnderTest.Start(
            directory,
            """
            [listener.web]
            address = "tcp://127.0.0.1:0"

            [service.w]
            command = ["/bin/sh", "-c", "echo to-output; echo '<7>to-error' >&2; exec sleep 1000"]
            listeners = ["web"]
            ready = "started"
            log = "inherit"
            """,
            new DaemonOptions { LogLevel = "error" });
        await daemon.Log.WaitAsync(0, "to-output");
        await daemon.Log.WaitAsync(0, "to-error");
        Assert.DoesNotContain(daemon.Log.Lines, one => one.Contains("listening on", StringComparison.Ordinal));
        daemon.Signal(Signals.Terminate);
        Assert.Equal(0, await daemon.WaitAsync());
    }

    [Fact]
    public Task What_ignores_the_stop_signal_is_killed_with_its_session() => WithScript(
        """
        trap '' TERM
        sleep 1000 &
        echo child $!
        set -m
        sleep 1000 &
        echo child $!
        sh -c 'trap "" TERM; sleep 1000 & echo child $!; wait' &
        echo child $!
        systemd-notify --ready
        while :; do wait; done
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            var worker = Assert.Single(await daemon.ReadyAsync("w"));
            var children = (await daemon.Log.WaitAsync(0, 4, line => line.Contains(": child ", StringComparison.Ordinal), "child"))
                .Select(line => int.Parse(line.AsSpan(line.LastIndexOf(' ')), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture)).ToArray();
            Assert.All(children, child => Assert.True(Processes.IsAlive(child)));
            var result = await daemon.ListenctlAsync("restart", "w", "--wait");
            Assert.True(result.ExitCode == 0, result.Error);
            await daemon.Log.WaitAsync(0, $"pid {worker}", "did not leave within stop_timeout", "killed with its session");
            await Processes.EndedAsync([worker, .. children]);
        },
        "stop_timeout = \"200ms\"");

    [Fact]
    public Task Children_that_a_worker_leaves_behind_go_with_it() => WithScript(
        "sleep 1000 & echo child $!; setsid --fork true; systemd-notify --ready; trap 'exit 0' TERM; while :; do wait; done",
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            var line = await daemon.Log.WaitAsync(0, ": child ");
            var child = int.Parse(line.AsSpan(line.LastIndexOf(' ')), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture);
            var result = await daemon.ListenctlAsync("restart", "w", "--wait");
            Assert.True(result.ExitCode == 0, result.Error);
            await Processes.EndedAsync(child);
        });

    [Fact]
    public Task A_worker_that_never_gets_ready_is_ended_after_start_timeout() => WithScript(
        "echo up; exec sleep 1000",
        async daemon =>
        {
            var up = await daemon.Log.WaitAsync(0, ": up");
            var pid = int.Parse(Pid().Match(up).Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
            await daemon.Log.WaitAsync(0, $"pid {pid}", "was not ready within start_timeout (200ms)");
            await daemon.Log.WaitAsync(0, 2, line => line.EndsWith(": up", StringComparison.Ordinal), "up again");
            await Processes.EndedAsync(pid);
            var service = await daemon.StatusAsync("w");
            Assert.Contains("READY=1", Assert.Single(service.Workers).LastExit, StringComparison.Ordinal);
        },
        "start_timeout = \"200ms\"");

    [Fact]
    public Task Output_comes_line_by_line_with_service_and_pid() => WithScript(
        """
        echo out
        echo err >&2
        echo '<3>bad news'
        head -c 40000 /dev/zero | tr '\0' x; echo
        printf 'caf\303\251 \377\n'
        printf 'no newline'
        exec >&- 2>&-
        systemd-notify --ready
        exec sleep 1000
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            var pid = Assert.Single(await daemon.ReadyAsync("w"));
            var prefix = $"w[{pid}]: ";
            Assert.EndsWith($"INF {prefix}out", await daemon.Log.WaitAsync(0, prefix + "out"), StringComparison.Ordinal);
            await daemon.Log.WaitAsync(0, prefix + "err");
            Assert.Contains(" ERR ", await daemon.Log.WaitAsync(0, prefix + "bad news"), StringComparison.Ordinal);
            await daemon.Log.WaitAsync(0, prefix + "no newline");
            await daemon.Log.WaitAsync(0, prefix + "café \uFFFD");
            var pieces = daemon.Log.Lines.Where(line => line.Contains(prefix + "x", StringComparison.Ordinal)).Select(line => line.Length - line.IndexOf(prefix, StringComparison.Ordinal) - prefix.Length);
            Assert.Equal([16384, 16384, 40000 - 32768], pieces);
        });

    [Fact]
    public Task A_flood_of_output_holds_nobody_up() => WithScript(
        "systemd-notify --ready; head -c 100000000 /dev/zero | tr '\\0' x | fold -w 99; echo; sleep 2; echo flooded; exec sleep 1000",
        async daemon =>
        {
            daemon.Log.Ignore = line => line.Contains("]: xxxx", StringComparison.Ordinal);
            await daemon.WaitUntilReadyAsync("w");
            var slowest = TimeSpan.Zero;
            var flooded = daemon.Log.WaitAsync(0, "]: flooded");
            var asked = 0;
            while (!flooded.IsCompleted || asked == 0)
            {
                var clock = System.Diagnostics.Stopwatch.StartNew();
                await daemon.StatusAsync("w");
                slowest = clock.Elapsed > slowest ? clock.Elapsed : slowest;
                asked++;
            }

            await flooded;
            Assert.True(slowest < TimeSpan.FromSeconds(2), $"{asked} requests, the slowest took {slowest.TotalMilliseconds} ms");
        });

    [Fact]
    public Task A_message_of_a_foreign_process_is_refused_and_logged() => WithScript(
        "echo \"socket $NOTIFY_SOCKET\"; systemd-notify --ready --status=mine; exec sleep 1000",
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            var line = await daemon.Log.WaitAsync(0, "]: socket ");
            var socket = line[(line.IndexOf("]: socket ", StringComparison.Ordinal) + 10)..];
            var worker = Assert.Single(await daemon.ReadyAsync("w"));
            var mark = daemon.Log.Count;
            var foreign = await RunningProgram.RunAsync("systemd-notify", ["--no-block", "--status=not mine"], new Dictionary<string, string?> { ["NOTIFY_SOCKET"] = socket });
            Assert.Equal(0, foreign.ExitCode);
            await daemon.Log.WaitAsync(mark, "notify message from pid", $"for worker pid {worker} was refused");
            Assert.Equal("mine", Assert.Single((await daemon.StatusAsync("w")).Workers).StatusText);
        });

    [Fact]
    public Task A_barrier_ends_once_what_was_sent_before_it_is_dealt_with() => WithScript(
        // systemd-notify waits for its barrier: when it returns, the status is known.
        "systemd-notify --ready; for i in 1 2 3 4 5 6 7 8 9 10; do systemd-notify --status=$i; done; echo done; exec sleep 1000",
        async daemon =>
        {
            await daemon.Log.WaitAsync(0, "]: done");
            Assert.Equal("10", Assert.Single((await daemon.StatusAsync("w")).Workers).StatusText);
            Assert.DoesNotContain(daemon.Log.Lines, line => line.Contains("refused", StringComparison.Ordinal));
        });

    [Fact]
    public Task A_worker_that_says_it_is_stopping_is_replaced_while_it_drains() => WithScript(
        "systemd-notify --ready; test -e \"$0.once\" && exec sleep 1000; : > \"$0.once\"; echo leaving; systemd-notify STOPPING=1; trap 'echo drained; exit 0' TERM; while :; do sleep 1000 & wait; done",
        async daemon =>
        {
            await daemon.Log.WaitAsync(0, "says that it is leaving");
            await daemon.WaitUntilReadyAsync("w", 2);
            var workers = (await daemon.StatusAsync("w")).Workers;
            Assert.Contains(workers, worker => worker.State == "ready");
        });

    [GeneratedRegex(@"w\[(\d+)\]")]
    private static partial Regex Pid();

    private static Task WithScript(string script, Func<DaemonUnderTest, Task> test, string settings = "") => DaemonUnderTest.WithAsync(
        $"""
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.w]
        command = ["@dir@/worker"]
        listeners = ["web"]
        {settings}
        """,
        test,
        prepare: directory => directory.WriteScript("worker", "#!/bin/sh\n" + script + "\n"));
}
