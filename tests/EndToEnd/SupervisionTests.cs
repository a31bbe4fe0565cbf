using System.Globalization;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>Workers that die, hang, flood and lie.</summary>
public sealed class SupervisionTests
{
    [Fact]
    public Task Killed_worker_is_replaced_at_once() => WithScript(
        "systemd-notify --ready --status='serving nobody'; exec sleep 1000",
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            var before = Assert.Single((await daemon.StatusAsync("w")).Workers);
            Assert.Equal(("ready", 0, 1, "serving nobody"), (before.State, before.Slot, before.Generation, before.StatusText));
            var mark = daemon.Log.Count;
            RunningProgram.Kill(before.Pid!.Value, Signals.Kill);
            await daemon.Log.WaitForAsync(mark, MessageIds.WorkerDied, "w", pid: before.Pid, facts: "SIGKILL");
            await daemon.WaitUntilReadyAsync("w", from: mark);
            var after = Assert.Single((await daemon.StatusAsync("w")).Workers);
            Assert.Equal(("ready", 0, 1, 1), (after.State, after.Slot, after.Generation, after.Restarts));
            Assert.NotEqual(before.Pid, after.Pid);
            Assert.DoesNotContain(daemon.Log.Messages, message => message.Kind == MessageIds.WorkerBackingOff);
        });

    [Fact]
    public Task Worker_that_exits_at_once_backs_off() => WithScript(
        "exit 7",
        async daemon =>
        {
            // limit = 5 within 10 s: after that it waits for backoff_max.
            await daemon.Log.WaitForAsync(0, MessageIds.WorkerLimited, "w", slot: 0, facts: "restart.limit");
            var service = await daemon.StatusAsync("w");
            Assert.Equal("failed", service.State);
            Assert.Contains("status 7", service.Reason, StringComparison.Ordinal);
            var worker = Assert.Single(service.Workers);
            Assert.Equal(("backoff", null), (worker.State, worker.Pid));
            Assert.InRange(worker.NextTry!.Value - DateTimeOffset.UtcNow, TimeSpan.Zero, TimeSpan.FromMinutes(10));

            // The first restart is immediate, the next ones wait 10 ms, 20 ms, 40 ms, 80 ms.
            Assert.Equal(6, daemon.Log.Messages.Count(message =>
                message.Kind == MessageIds.WorkerDied && message.Text.Contains("status 7", StringComparison.Ordinal)));
        },
        "restart = { backoff = \"10ms\", backoff_max = \"10m\" }");

    [Fact]
    public Task A_process_outside_the_session_exits_with_its_worker() => WithScript(
        "setsid --fork sh -c 'echo stray $$; exec sleep 1000'; systemd-notify --ready; exec sleep 1000",
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            var stray = LastNumber(await daemon.Log.WaitForOutputAsync(0, "stray "));
            Assert.Equal(0, (await daemon.ListenctlAsync("stop", "w", "--wait")).ExitCode);
            await Processes.EndedAsync(stray);
        });

    [Fact]
    public async Task Log_level_does_not_filter_worker_output()
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
        await daemon.Log.WaitForOutputAsync(0, "to-output");
        await daemon.Log.WaitForOutputAsync(0, "to-error");
        Assert.All(daemon.Log.Messages, one => Assert.Equal(MessageIds.WorkerOutput, one.Kind));
        daemon.Signal(Signals.Terminate);
        Assert.Equal(0, await daemon.WaitAsync());
    }

    [Fact]
    public Task Worker_that_ignores_SIGTERM_is_killed_with_its_session() => WithScript(
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
            var children = (await daemon.Log.WaitForOutputAsync(0, 4, "child ")).Select(LastNumber).ToArray();
            Assert.All(children, child => Assert.True(Processes.IsAlive(child)));
            var result = await daemon.ListenctlAsync("restart", "w", "--wait");
            Assert.True(result.ExitCode == 0, result.Error);
            await daemon.Log.WaitForAsync(0, MessageIds.WorkerKilled, "w", pid: worker, facts: "stop_timeout");
            await Processes.EndedAsync([worker, .. children]);
        },
        "stop_timeout = \"200ms\"");

    [Fact]
    public Task Children_of_a_worker_exit_with_the_worker() => WithScript(
        "sleep 1000 & echo child $!; setsid --fork true; systemd-notify --ready; trap 'exit 0' TERM; while :; do wait; done",
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            var child = LastNumber(await daemon.Log.WaitForOutputAsync(0, "child "));
            var result = await daemon.ListenctlAsync("restart", "w", "--wait");
            Assert.True(result.ExitCode == 0, result.Error);
            await Processes.EndedAsync(child);
        });

    [Fact]
    public Task Worker_that_is_not_ready_is_stopped_at_start_timeout() => WithScript(
        "echo up; exec sleep 1000",
        async daemon =>
        {
            var pid = (await daemon.Log.WaitForOutputAsync(0, "up")).Pid!.Value;
            await daemon.Log.WaitForAsync(0, MessageIds.WorkerStartTimedOut, "w", pid: pid, facts: ["start_timeout", "200ms"]);
            await daemon.Log.WaitForOutputAsync(0, 2, "up");
            await Processes.EndedAsync(pid);
            var service = await daemon.StatusAsync("w");
            Assert.Contains("READY=1", Assert.Single(service.Workers).LastExit, StringComparison.Ordinal);
        },
        "start_timeout = \"200ms\"");

    [Fact]
    public Task Output_is_logged_by_line_with_service_and_pid() => WithScript(
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
            Assert.Equal("Information", (await daemon.Log.WaitForOutputAsync(0, "out", "w", pid)).Level);
            await daemon.Log.WaitForOutputAsync(0, "err", "w", pid);
            Assert.Equal("Error", (await daemon.Log.WaitForOutputAsync(0, "bad news", "w", pid)).Level);
            await daemon.Log.WaitForOutputAsync(0, "no newline", "w", pid);

            // A byte 0xNN that is not UTF-8 is U+10FFNN in JSON, so that nothing is lost.
            await daemon.Log.WaitForOutputAsync(0, "café \U0010FFFF", "w", pid);
            var pieces = daemon.Log.Messages.Where(message => message.Output?.StartsWith('x') == true)
                .Select(message => message.Output!.Length);
            Assert.Equal([16384, 16384, 40000 - 32768], pieces);
        });

    [Fact]
    public Task Flood_of_output_blocks_nothing() => WithScript(
        "systemd-notify --ready; head -c 100000000 /dev/zero | tr '\\0' x | fold -w 99; echo; sleep 2; echo flooded; exec sleep 1000",
        async daemon =>
        {
            daemon.Log.Ignore = line => line.Contains("xxxx", StringComparison.Ordinal);
            await daemon.WaitUntilReadyAsync("w");
            var slowest = TimeSpan.Zero;
            var flooded = daemon.Log.WaitForOutputAsync(0, "flooded");
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
    public Task A_notify_message_of_a_foreign_process_is_rejected() => WithScript(
        "echo \"socket $NOTIFY_SOCKET\"; systemd-notify --ready --status=mine; exec sleep 1000",
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            var socket = (await daemon.Log.WaitForOutputAsync(0, "socket ")).Output!["socket ".Length..];
            var worker = Assert.Single(await daemon.ReadyAsync("w"));
            var mark = daemon.Log.Count;
            var foreign = await RunningProgram.RunAsync(
                "systemd-notify",
                ["--no-block", "--status=not mine"],
                new Dictionary<string, string?> { ["NOTIFY_SOCKET"] = socket });
            Assert.Equal(0, foreign.ExitCode);
            await daemon.Log.WaitForAsync(mark, MessageIds.WorkerMessageRejected, "w", pid: worker);
            var told = Assert.Single((await daemon.StatusAsync("w")).Workers);
            Assert.Equal("mine", told.StatusText);
            Assert.NotNull(told.RejectedMessage);
        });

    [Fact]
    public Task Barrier_ends_after_earlier_messages() => WithScript(
        // systemd-notify waits for its barrier: when it returns, the status is known.
        "systemd-notify --ready; for i in 1 2 3 4 5 6 7 8 9 10; do systemd-notify --status=$i; done; echo done; exec sleep 1000",
        async daemon =>
        {
            await daemon.Log.WaitForOutputAsync(0, "done");
            Assert.Equal("10", Assert.Single((await daemon.StatusAsync("w")).Workers).StatusText);
            Assert.DoesNotContain(daemon.Log.Messages, message => message.Kind == MessageIds.WorkerMessageRejected);
        });

    [Fact]
    public Task Worker_that_sends_STOPPING_is_replaced_while_it_drains() => WithScript(
        """
        systemd-notify --ready
        test -e "$0.once" && exec sleep 1000
        : > "$0.once"
        echo leaving
        systemd-notify STOPPING=1
        trap 'echo drained; exit 0' TERM
        while :; do sleep 1000 & wait; done
        """,
        async daemon =>
        {
            await daemon.Log.WaitForAsync(0, MessageIds.WorkerStopping, "w");
            await daemon.WaitUntilReadyAsync("w", 2);
            var workers = (await daemon.StatusAsync("w")).Workers;
            Assert.Contains(workers, worker => worker.State == "ready");
        });

    private static int LastNumber(LogMessage message) => int.Parse(message.Output!.Split(' ')[^1], CultureInfo.InvariantCulture);

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
