using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Supervisor.Control;
using Supervisor.Load;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>Reloads of the configuration.</summary>
public sealed class ReloadTests
{
    private const string Sleeper = "command = [\"/bin/sh\", \"-c\", \"systemd-notify --ready; exec sleep 1000\"]";

    private const string Two = $"""
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [listener.admin]
        address = "unix://@dir@/admin.sock"

        [service.w]
        {Sleeper}
        listeners = ["web"]
        workers = 2

        [service.a]
        {Sleeper}
        listeners = ["admin"]
        """;

    [Fact]
    public Task Reload_rolls_out_only_what_changed() => DaemonUnderTest.WithAsync(Two, async daemon =>
    {
        await daemon.WaitUntilReadyAsync("w", 2);
        await daemon.WaitUntilReadyAsync("a");
        var (pids, inodes) = (await daemon.ReadyAsync("a"), await Inodes(daemon));
        var before = await daemon.ReadyAsync("w");

        await AssertUnchangedAsync(daemon);
        Assert.Equal(before, await daemon.ReadyAsync("w"));

        Write(
            daemon,
            Two.Replace("workers = 2", "workers = 2\nenvironment = { MODE = \"b\" }\nstop_timeout = \"5s\"", StringComparison.Ordinal));
        var plan = await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload", "--dry-run");
        Assert.True(plan is { DryRun: true, Applied: false });
        Assert.Equal(before, await daemon.ReadyAsync("w"));

        var mark = daemon.Log.Count;
        var done = await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
        Assert.True(done.Applied);
        Assert.Equal(plan.Actions.Select(Short), done.Actions.Select(Short));
        Assert.Equal(
            [
                "listener web unchanged ", "listener admin unchanged ",
                "service w in-place stop_timeout", "service w rolled-out environment", "service a unchanged ",
            ],
            done.Actions.Select(Short));
        await daemon.Log.WaitForAsync(mark, MessageIds.RolloutDone, "w", generation: 2);
        Assert.Empty(before.Intersect(await daemon.ReadyAsync("w")));
        Assert.Equal(pids, await daemon.ReadyAsync("a"));
        Assert.Equal(inodes, await Inodes(daemon));
    });

    [Fact]
    public Task Dry_run_names_each_change_and_what_is_lost()
    {
        const string config =
            """
            [listener.a]
            address = "tcp://127.0.0.1:0"
            listen = { backlog = 64 }
            [listener.b]
            address = "tcp://127.0.0.1:0"
            [listener.c]
            address = "unix://@dir@/c.sock"
            [listener.d]
            address = "udp://127.0.0.1:0"
            """;
        return DaemonUnderTest.WithAsync(config, async daemon =>
        {
            Write(
                daemon,
                config.Replace("= 64", "= 65", StringComparison.Ordinal)
                    .Replace("[listener.c]", "accepted = { no_delay = true }\n[listener.c]", StringComparison.Ordinal)
                    .Replace("[listener.d]", "unix = { mode = \"0600\" }\n[listener.d]", StringComparison.Ordinal)
                    .Replace("udp://127.0.0.1:0", "udp://127.0.0.2:0", StringComparison.Ordinal));
            var plan = await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload", "--dry-run");
            Assert.Equal(
                [
                    "listener a in-place listen.backlog", "listener b in-place accepted.no_delay",
                    "listener c in-place unix.mode", "listener d new-socket address",
                ],
                plan.Actions.Select(Short));
            Assert.All(plan.Actions.Take(3), action => Assert.True(action is { Reason.Length: > 0, Loses: null }, Short(action)));
            Assert.NotEmpty(plan.Actions[3].Loses!);
        });
    }

    [Fact]
    public Task Reload_reports_all_errors_and_changes_nothing() => DaemonUnderTest.WithAsync(Two, async daemon =>
    {
        await daemon.WaitUntilReadyAsync("w", 2);
        var (pids, inodes) = (await daemon.ReadyAsync("w"), await Inodes(daemon));
        Write(daemon, Two.Replace("workers = 2", "workers = 0\ncolour = \"red\"\nenvironment = { A = \"1\" }", StringComparison.Ordinal));
        var refused = await daemon.ListenctlAsync("reload");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("service.w.workers", refused.Error, StringComparison.Ordinal);
        Assert.Contains("colour", refused.Error, StringComparison.Ordinal);

        // Errors that only the kernel and the user database can find.
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var three = Two.Replace("workers = 2", "workers = 3", StringComparison.Ordinal);
        var more = $"[listener.more]\naddress = \"tcp://{taken.LocalEndPoint}\"";
        const string Free = "[listener.free]\naddress = \"tcp://127.0.0.1:0\"";
        Write(daemon, $"{three}\nuser = \"nobody-has-this-name\"\n{more}\n{Free}");
        foreach (var arguments in new string[][] { ["reload", "--dry-run"], ["reload"] })
        {
            var result = await daemon.ListenctlAsync([.. arguments, "--json"]);
            Assert.Equal(1, result.ExitCode);
            var document = JsonSerializer.Deserialize(result.Output, ControlJson.Default.ReloadDocument)!;
            Assert.False(document.Applied);
            Assert.Contains(
                document.Errors,
                error => error.Setting == "service.a.user" && error.Message.Contains("nobody-has-this-name", StringComparison.Ordinal));
        }

        Write(daemon, $"{three}\n{Free}\n{more}");
        var bind = await daemon.ListenctlAsync("reload");
        Assert.Equal(1, bind.ExitCode);
        Assert.Contains("EADDRINUSE", bind.Error, StringComparison.Ordinal);
        Assert.Contains("same-address", bind.Error, StringComparison.Ordinal);
        Assert.Equal(pids, await daemon.ReadyAsync("w"));
        Assert.Equal(inodes, await Inodes(daemon));
        Assert.Equal(2, (await daemon.StatusAsync("w")).Desired);
    });

    [Theory]
    [InlineData("command = [\"/nonexistent\"]", "ENOENT")]
    [InlineData("working_directory = \"@dir@/nodir\"", "ENOENT")]
    [InlineData("environment_files = [\"@dir@/nofile\"]", "nofile")]
    public Task Reload_rolls_back_when_the_workers_cannot_start(string bad, string reason) => DaemonUnderTest.WithAsync(Two, async daemon =>
    {
        await daemon.WaitUntilReadyAsync("w", 2);
        await daemon.WaitUntilReadyAsync("a");
        var (before, listeners) = (await daemon.ReadyAsync("w"), await Inodes(daemon));
        var command = bad.StartsWith("command", StringComparison.Ordinal) ? "" : Sleeper + "\n";
        var service = $"{command}{bad}\nlisteners = [\"web\"]\nworkers = 2";

        // The same with another socket: it is rolled back with the roll-out, and the listeners keep their order.
        Write(daemon, Two.Replace($"{Sleeper}\nlisteners = [\"web\"]\nworkers = 2", service, StringComparison.Ordinal)
            .Replace("127.0.0.1:0\"", "127.0.0.1:0\"\nlisten = { non_blocking = true }", StringComparison.Ordinal));
        for (var time = 1; time <= 2; time++)
        {
            var mark = daemon.Log.Count;
            var done = await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
            Assert.Contains(done.Actions, action => action is { Subject: "service", Name: "w", Action: "rolled-out" });
            await daemon.Log.WaitForAsync(mark, MessageIds.ListenerReverted, "w", "web");
            var status = await daemon.StatusAsync("w");
            var rollout = status.Rollout!;
            Assert.Equal(("running", "rolled-back"), (status.State, rollout.State));
            Assert.Equal((1, 1 + time, 0, 2), (rollout.From, rollout.To, rollout.Replaced, rollout.Total));
            Assert.Contains(reason, rollout.Reason, StringComparison.Ordinal);
            Assert.Equal(before, status.Workers.Select(worker => worker.Pid!.Value).Order());
            Assert.Equal(listeners, await Inodes(daemon));
        }

        Write(daemon, Two);
        await AssertUnchangedAsync(daemon);
    });

    [Theory]
    [InlineData("tcp://127.0.0.1:0")]
    [InlineData("unix://@dir@/web.sock")]
    public Task Rollback_returns_to_the_first_of_many_sockets(string address)
    {
        var first =
            $$"""
            [listener.web]
            address = "{{address}}"

            [service.w]
            {{Sleeper}}
            listeners = ["web"]
            workers = 2
            rollout = { canary = 1 }
            """;
        return DaemonUnderTest.WithAsync(first, async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w", 2);
            var before = await daemon.ListenerAsync("web");
            var second = first.Replace($"{address}\"", $"{address}\"\nlisten = {{ non_blocking = true }}", StringComparison.Ordinal);

            // Another listener causes the refusal: the new sockets are closed again.
            using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            taken.Listen();
            Write(daemon, $"{second}\n\n[listener.more]\naddress = \"tcp://{taken.LocalEndPoint}\"");
            Assert.Equal(1, (await daemon.ListenctlAsync("reload")).ExitCode);
            await ReachAsync();

            var mark = daemon.Log.Count;
            Write(daemon, second);
            await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
            await daemon.Log.WaitForAsync(mark, MessageIds.RolloutCanary, "w", generation: 2);
            Assert.NotEqual(before.Inode, (await daemon.ListenerAsync("web")).Inode);

            // A third socket, which gets no worker.
            mark = daemon.Log.Count;
            Write(daemon, first.Replace(Sleeper, "command = [\"/nonexistent\"]", StringComparison.Ordinal));
            await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
            await daemon.Log.WaitForAsync(mark, MessageIds.ListenerReverted, "w", "web");
            await ReachAsync();
            var status = await daemon.StatusAsync("w");
            Assert.Equal(("rolled-back", 1, 3), (status.Rollout!.State, status.Rollout.From, status.Rollout.To));
            Assert.All(status.Workers, worker => Assert.Equal(1, worker.Generation));

            async Task ReachAsync()
            {
                Assert.Equal(before.Inode, (await daemon.ListenerAsync("web")).Inode);
                Assert.DoesNotContain(
                    Directory.EnumerateFiles(daemon.Directory.Path),
                    file => file.Contains("web.sock.", StringComparison.Ordinal));
                using var client = address.StartsWith("tcp", StringComparison.Ordinal)
                    ? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
                    : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await client.ConnectAsync(client.AddressFamily == AddressFamily.Unix
                    ? new UnixDomainSocketEndPoint(daemon.Directory["web.sock"])
                    : await daemon.EndPointAsync("web"));
            }
        });
    }

    [Fact]
    public Task Reload_completes_a_failed_rollout() => DaemonUnderTest.WithAsync(
        Two.Replace("workers = 2", "workers = 2\nrollout = { on_failure = \"stop\" }", StringComparison.Ordinal),
        async daemon =>
        {
            // The first worker becomes ready, the second does not.
            const string Settings = "workers = 2\nrollout = { on_failure = \"stop\" }\nenvironment = { MODE = \"b\" }";
            const string Once = "test -e '@dir@/mended' || mkdir '@dir@/once' || exit 7; systemd-notify --ready";
            var bad = Two.Replace("workers = 2", Settings, StringComparison.Ordinal)
                .Replace("systemd-notify --ready", Once, StringComparison.Ordinal);
            await daemon.WaitUntilReadyAsync("w", 2);
            var mark = daemon.Log.Count;
            Write(daemon, bad);
            await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
            await daemon.Log.WaitForAsync(mark, MessageIds.RolloutFailed, "w");
            daemon.Directory.Write("mended", "");
            var again = await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
            Assert.Contains(
                again.Actions,
                action => action is { Name: "w", Action: "rolled-out", Reason: { } reason }
                    && reason.Contains("between two generations", StringComparison.Ordinal));
            await daemon.Log.WaitForAsync(mark, MessageIds.RolloutDone, "w", generation: 3);
            await AssertUnchangedAsync(daemon);
        });

    [Fact]
    public Task Reload_by_SIGHUP_adds_removes_renames_and_scales() => DaemonUnderTest.WithAsync(Two, async daemon =>
    {
        await daemon.WaitUntilReadyAsync("w", 2);
        var web = await daemon.ListenerAsync("web");
        var pids = await daemon.ReadyAsync("w");
        var mark = daemon.Log.Count;

        // Remove the service "a" and its listener, add "b", give "w" a third worker, and rename the listener of the path.
        Write(daemon, $"""
            [listener.web]
            address = "tcp://127.0.0.1:0"
            listen = {"{"} backlog = 99 {"}"}
            [listener.control]
            address = "unix://@dir@/admin.sock"
            unix = {"{"} mode = "0600" {"}"}
            [listener.extra]
            address = "tcp://127.0.0.1:0"
            [service.w]
            {Sleeper}
            listeners = ["web"]
            workers = 3
            [service.b]
            {Sleeper}
            listeners = ["extra", "control"]
            """);
        var admin = await daemon.ListenerAsync("admin");
        daemon.Signal(Signals.HangUp);
        await daemon.Log.WaitForAsync(mark, MessageIds.ChangeRequested, facts: ["reload", $"pid {Environment.ProcessId} "]);
        await daemon.Log.WaitForAsync(mark, MessageIds.ReloadApplied, facts: ["listener control", "renamed"]);
        await daemon.WaitUntilReadyAsync("b", 1, mark);
        await daemon.WaitUntilReadyAsync("w", 1, mark);
        var after = await daemon.ListenerAsync("web");
        Assert.Equal((web.Inode, 99), (after.Inode, after.Backlog!.Effective));
        Assert.Equal(3, (await daemon.ReadyAsync("w")).Count);
        Assert.Empty(pids.Except(await daemon.ReadyAsync("w")));
        var control = await daemon.ListenerAsync("control");
        Assert.Equal(admin.Inode, control.Inode);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(daemon.Directory["admin.sock"]));
        Assert.Contains(await daemon.HistoryAsync("web"), entry => entry is { Call: "listen", Phase: "listen", Effective.Number: 99 });
        Assert.Contains(await daemon.HistoryAsync("control"), entry => entry.Note?.Contains("\"admin\"", StringComparison.Ordinal) == true);
        Assert.DoesNotContain(await daemon.ListenersAsync(), listener => listener.Name == "admin");
        await daemon.Log.WaitForAsync(mark, MessageIds.ServiceStopped, "a");
    });

    [Fact]
    public Task Rollout_of_a_variable_loses_no_request() => UnderLoadAsync(
        web => web.Replace("workers = 2", "workers = 2\nenvironment = { MODE = \"b\" }", StringComparison.Ordinal), sameInode: true);

    [Fact]
    public Task Rollout_to_a_new_socket_loses_no_request() => UnderLoadAsync(
        web => web.Replace("127.0.0.1:0\"", "127.0.0.1:0\"\nlisten = { non_blocking = true }", StringComparison.Ordinal), sameInode: false);

    [Fact]
    public Task Rollback_to_the_old_socket_loses_no_request() => UnderLoadAsync(
        web => web.Replace("127.0.0.1:0\"", "127.0.0.1:0\"\nlisten = { non_blocking = true }", StringComparison.Ordinal)
            .Replace(
                "workers = 2",
                "workers = 2\nenvironment = { HELLO_START_DELAY_MS = \"60000\" }\nstart_timeout = \"300ms\"",
                StringComparison.Ordinal),
        sameInode: true, "rolled-back");

    [Fact]
    public Task Rollback_closes_the_new_socket_also_when_only_the_listener_has_changed()
    {
        var config = Two.Replace("systemd-notify", "test ! -e '@dir@/bad' && systemd-notify", StringComparison.Ordinal)
            .Replace("workers = 2", "start_timeout = \"3s\"", StringComparison.Ordinal);
        return DaemonUnderTest.WithAsync(config, async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            var before = await daemon.ListenerAsync("web");
            var mark = daemon.Log.Count;
            daemon.Directory.Write("bad", "");
            Write(daemon, config.Replace("127.0.0.1:0", "127.0.0.2:0", StringComparison.Ordinal));
            await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
            var moved = await daemon.EndPointAsync("web");
            await daemon.Log.WaitForAsync(mark, MessageIds.RolloutRolledBack, "w", generation: 2);
            await daemon.Log.WaitForAsync(mark, MessageIds.ListenerReverted, listener: "web");
            Assert.Equal(before.Inode, (await daemon.ListenerAsync("web")).Inode);

            // Also for a daemon that recovers from now on.
            Write(daemon, config);
            await AssertClosedAsync(moved);
            daemon.Signal(Signals.Kill);
            await daemon.WaitAsync();
            await using var next = daemon.Again();
            await next.WaitUntilUpAsync();
            Assert.Equal(before.Inode, (await next.ListenerAsync("web")).Inode);
            await next.LeaveAsync();
        },
        new DaemonOptions { ExitCode = 128 + Signals.Kill });
    }

    /// <summary>The keeper may hold the socket for a moment longer than the daemon; then the kernel resets the connection.</summary>
    internal static async Task AssertClosedAsync(IPEndPoint address)
    {
        using var client = new TcpClient();
        var refused = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await client.ConnectAsync(address);
            await client.GetStream().ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(Patience.Limit);
        });
        var error = Assert.IsType<SocketException>(refused is IOException reset ? reset.InnerException : refused);
        Assert.Contains(error.SocketErrorCode, new[] { SocketError.ConnectionRefused, SocketError.ConnectionReset });
    }

    private static Task UnderLoadAsync(Func<string, string> change, bool sameInode, string outcome = "done")
    {
        const string web = """
            [listener.web]
            address = "tcp://127.0.0.1:0"

            [service.web]
            command = ["@hello@"]
            listeners = ["web"]
            workers = 2
            """;
        return DaemonUnderTest.WithAsync(web, async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web", 2);
            var before = await daemon.ListenerAsync("web");
            var load = LoadRun.Start(
                new LoadPlan { Target = await daemon.EndPointAsync("web"), NewConnectionsPerSecond = 500, SlowInFlight = 8 },
                "reload");
            LoadReport report;
            try
            {
                await load.AnswersAsync(250);
                var mark = daemon.Log.Count;
                Write(daemon, change(web));
                var done = await daemon.ListenctlAsync("reload");
                Assert.True(done.ExitCode == 0, done.Error);
                var (rollout, listener) = outcome == "done"
                    ? (MessageIds.RolloutDone, MessageIds.ListenerRetired)
                    : (MessageIds.RolloutRolledBack, MessageIds.ListenerReverted);
                await daemon.Log.WaitForAsync(mark, rollout, "web", generation: 2);
                if (!sameInode || outcome != "done")
                {
                    await daemon.Log.WaitForAsync(mark, listener, listener: "web");
                }

                await load.AnswersAsync(250);
            }
            finally
            {
                report = await load.StopAsync();
            }

            var history = string.Join(
                '\n',
                (await daemon.HistoryAsync("web")).Select(entry => $"{entry.Call} {entry.Option} {entry.Note}"));
            Assert.True(
                report.Failed == 0,
                $"{report.Failed} of {report.Requests}\n{string.Join('\n', report.Samples.Take(10))}\n{history}");
            Assert.Equal(report.Requests, report.Succeeded);
            var after = await daemon.ListenerAsync("web");
            Assert.Equal(before.Effective, after.Effective);
            Assert.Equal(sameInode, before.Inode == after.Inode);
        });
    }

    private static async Task AssertUnchangedAsync(DaemonUnderTest daemon) =>
        Assert.All(
            (await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload")).Actions,
            action => Assert.Equal("unchanged", action.Action));

    private static async Task<IReadOnlyList<(string, ulong?)>> Inodes(DaemonUnderTest daemon) =>
        [.. (await daemon.ListenersAsync()).Select(listener => (listener.Name, listener.Inode))];

    private static string Short(ReloadActionDocument action) =>
        $"{action.Subject} {action.Name} {action.Action} {string.Join(' ', action.Settings)}";

    private static void Write(DaemonUnderTest daemon, string config) => daemon.Directory.Write("run.toml",
        $"[daemon]\nruntime_directory = \"{daemon.Runtime}\"\n\n"
        + Quick.Rollouts(config).Replace("@dir@", daemon.Directory.Path, StringComparison.Ordinal).Replace(
            "@hello@", config.Contains("@hello@", StringComparison.Ordinal) ? Published.Hello : "", StringComparison.Ordinal));
}
