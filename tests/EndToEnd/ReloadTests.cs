using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Supervisor.Control;
using Supervisor.Load;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>The configuration read again while the daemon runs.</summary>
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
    public Task What_is_untouched_stays_untouched_and_a_changed_variable_rolls_out() => DaemonUnderTest.WithAsync(Two, async daemon =>
    {
        await daemon.WaitUntilReadyAsync("w", 2);
        await daemon.WaitUntilReadyAsync("a");
        var (pids, inodes) = (await daemon.ReadyAsync("a"), await Inodes(daemon));
        var before = await daemon.ReadyAsync("w");

        Assert.Contains("nothing has changed", (await daemon.ListenctlAsync("reload")).Output, StringComparison.Ordinal);
        Assert.Equal(before, await daemon.ReadyAsync("w"));

        Write(daemon, Two.Replace("workers = 2", "workers = 2\nenvironment = { MODE = \"b\" }\nstop_timeout = \"5s\"", StringComparison.Ordinal));
        var plan = await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload", "--dry-run");
        Assert.True(plan is { DryRun: true, Applied: false });
        Assert.Equal(before, await daemon.ReadyAsync("w"));

        var mark = daemon.Log.Count;
        var done = await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
        Assert.True(done.Applied);
        Assert.Equal(plan.Actions.Select(Short), done.Actions.Select(Short));
        Assert.Equal(
            ["listener web unchanged ", "listener admin unchanged ", "service w in-place stop_timeout", "service w rolled-out environment", "service a unchanged "],
            done.Actions.Select(Short));
        await daemon.Log.WaitAsync(mark, "service w: generation 2 serves");
        Assert.Empty(before.Intersect(await daemon.ReadyAsync("w")));
        Assert.Equal(pids, await daemon.ReadyAsync("a"));
        Assert.Equal(inodes, await Inodes(daemon));
    });

    [Fact]
    public Task A_plan_says_of_each_setting_whom_it_concerns_and_what_is_lost()
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
            await daemon.Log.WaitAsync(0, ": 4 listeners, 0 services; control socket ");
            Write(
                daemon,
                config.Replace("= 64", "= 65", StringComparison.Ordinal).Replace("[listener.c]", "accepted = { no_delay = true }\n[listener.c]", StringComparison.Ordinal)
                    .Replace("[listener.d]", "unix = { mode = \"0600\" }\n[listener.d]", StringComparison.Ordinal)
                    .Replace("udp://127.0.0.1:0", "udp://127.0.0.2:0", StringComparison.Ordinal));
            var plan = await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload", "--dry-run");
            Assert.Equal(
                [
                    "set on the living socket: its queue holds so many at once",
                    "set on the living socket: connections that are accepted from now on have it",
                    "set on the living socket: it decides who may connect from now on",
                ],
                plan.Actions.Take(3).Select(action => action.Reason));
            Assert.Equal("datagrams that wait in the queue of the former address when it is closed", plan.Actions[3].Loses);
        });
    }

    [Fact]
    public Task An_error_changes_nothing_and_all_errors_are_said() => DaemonUnderTest.WithAsync(Two, async daemon =>
    {
        await daemon.WaitUntilReadyAsync("w", 2);
        var (pids, inodes) = (await daemon.ReadyAsync("w"), await Inodes(daemon));
        Write(daemon, Two.Replace("workers = 2", "workers = 0\ncolour = \"red\"\nenvironment = { A = \"1\" }", StringComparison.Ordinal));
        var refused = await daemon.ListenctlAsync("reload");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("service.w.workers", refused.Error, StringComparison.Ordinal);
        Assert.Contains("colour", refused.Error, StringComparison.Ordinal);

        // What cannot be known before the kernel and the user database are asked.
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        Write(daemon, $"{Two.Replace("workers = 2", "workers = 3", StringComparison.Ordinal)}\nuser = \"nobody-has-this-name\"\n[listener.more]\naddress = \"tcp://{taken.LocalEndPoint}\"\n[listener.free]\naddress = \"tcp://127.0.0.1:0\"");
        foreach (var arguments in new string[][] { ["reload", "--dry-run"], ["reload"] })
        {
            var result = await daemon.ListenctlAsync([.. arguments, "--json"]);
            Assert.Equal(1, result.ExitCode);
            var document = JsonSerializer.Deserialize(result.Output, ControlJson.Default.ReloadDocument)!;
            Assert.False(document.Applied);
            Assert.Contains(document.Errors, error => error.Setting == "service.a.user" && error.Message.Contains("nobody-has-this-name", StringComparison.Ordinal));
        }

        Write(daemon, $"{Two.Replace("workers = 2", "workers = 3", StringComparison.Ordinal)}\n[listener.free]\naddress = \"tcp://127.0.0.1:0\"\n[listener.more]\naddress = \"tcp://{taken.LocalEndPoint}\"");
        var bind = await daemon.ListenctlAsync("reload");
        Assert.Equal(1, bind.ExitCode);
        Assert.Contains("EADDRINUSE (same-address)", bind.Error, StringComparison.Ordinal);
        Assert.Equal(pids, await daemon.ReadyAsync("w"));
        Assert.Equal(inodes, await Inodes(daemon));
        Assert.Equal(2, (await daemon.StatusAsync("w")).Desired);
    });

    [Theory]
    [InlineData("command = [\"/nonexistent\"]", "ENOENT")]
    [InlineData("working_directory = \"@dir@/nodir\"", "ENOENT")]
    [InlineData("environment_files = [\"@dir@/nofile\"]", "nofile")]
    public Task What_cannot_be_executed_is_rolled_back_once_and_said(string bad, string reason) => DaemonUnderTest.WithAsync(Two, async daemon =>
    {
        await daemon.WaitUntilReadyAsync("w", 2);
        await daemon.WaitUntilReadyAsync("a");
        var (before, listeners) = (await daemon.ReadyAsync("w"), await Inodes(daemon));
        var service = $"{(bad.StartsWith("command", StringComparison.Ordinal) ? "" : Sleeper + "\n")}{bad}\nlisteners = [\"web\"]\nworkers = 2";

        // With another socket, too: it is taken back with the roll-out, and the listeners stay in their order.
        Write(daemon, Two.Replace($"{Sleeper}\nlisteners = [\"web\"]\nworkers = 2", service, StringComparison.Ordinal).Replace("127.0.0.1:0\"", "127.0.0.1:0\"\nlisten = { non_blocking = true }", StringComparison.Ordinal));
        for (var time = 1; time <= 2; time++)
        {
            var mark = daemon.Log.Count;
            var done = await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
            Assert.Contains(done.Actions, action => action is { Subject: "service", Name: "w", Action: "rolled-out" });
            await daemon.Log.WaitAsync(mark, "keeps its former socket");
            var status = await daemon.StatusAsync("w");
            Assert.Equal(("running", "rolled-back", 1, 1 + time, 0, 2), (status.State, status.Rollout!.State, status.Rollout.From, status.Rollout.To, status.Rollout.Replaced, status.Rollout.Total));
            Assert.Contains(reason, status.Rollout.Reason, StringComparison.Ordinal);
            Assert.Equal(before, status.Workers.Select(worker => worker.Pid!.Value).Order());
            Assert.Equal(listeners, await Inodes(daemon));
        }

        Write(daemon, Two);
        Assert.Contains("nothing has changed", (await daemon.ListenctlAsync("reload")).Output, StringComparison.Ordinal);
    });

    [Theory]
    [InlineData("tcp://127.0.0.1:0")]
    [InlineData("unix://@dir@/web.sock")]
    public Task However_many_sockets_reloads_have_made_the_one_that_is_gone_back_to_is_reached(string address)
    {
        var first = $"[listener.web]\naddress = \"{address}\"\n\n[service.w]\n{Sleeper}\nlisteners = [\"web\"]\nworkers = 2\nrollout = {{ canary = 1 }}";
        return DaemonUnderTest.WithAsync(first, async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w", 2);
            var before = await daemon.ListenerAsync("web");
            var second = first.Replace($"{address}\"", $"{address}\"\nlisten = {{ non_blocking = true }}", StringComparison.Ordinal);

            // Refused for the sake of another listener: what had been made is taken away again.
            using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            taken.Listen();
            Write(daemon, $"{second}\n\n[listener.more]\naddress = \"tcp://{taken.LocalEndPoint}\"");
            Assert.Equal(1, (await daemon.ListenctlAsync("reload")).ExitCode);
            await ReachAsync();

            var mark = daemon.Log.Count;
            Write(daemon, second);
            await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
            await daemon.Log.WaitAsync(mark, "the canary of 1 serves");
            Assert.NotEqual(before.Inode, (await daemon.ListenerAsync("web")).Inode);

            // A third one, which gets no worker.
            mark = daemon.Log.Count;
            Write(daemon, first.Replace(Sleeper, "command = [\"/nonexistent\"]", StringComparison.Ordinal));
            await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
            await daemon.Log.WaitAsync(mark, "keeps its former socket");
            await ReachAsync();
            var status = await daemon.StatusAsync("w");
            Assert.Equal(("rolled-back", 1, 3), (status.Rollout!.State, status.Rollout.From, status.Rollout.To));
            Assert.All(status.Workers, worker => Assert.Equal(1, worker.Generation));

            async Task ReachAsync()
            {
                Assert.Equal(before.Inode, (await daemon.ListenerAsync("web")).Inode);
                Assert.DoesNotContain(Directory.EnumerateFiles(daemon.Directory.Path), file => file.Contains("web.sock.", StringComparison.Ordinal));
                using var client = address.StartsWith("tcp", StringComparison.Ordinal)
                    ? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
                    : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await client.ConnectAsync(client.AddressFamily == AddressFamily.Unix ? new UnixDomainSocketEndPoint(daemon.Directory["web.sock"]) : await daemon.EndPointAsync("web"));
            }
        });
    }

    [Fact]
    public Task A_reload_mends_what_ended_between_two_generations() => DaemonUnderTest.WithAsync(
        Two.Replace("workers = 2", "workers = 2\nrollout = { on_failure = \"stop\" }", StringComparison.Ordinal),
        async daemon =>
        {
            // The first worker gets ready, the second does not.
            var bad = Two.Replace("workers = 2", "workers = 2\nrollout = { on_failure = \"stop\" }\nenvironment = { MODE = \"b\" }", StringComparison.Ordinal)
                .Replace("systemd-notify --ready", "test -e '@dir@/mended' || mkdir '@dir@/once' || exit 7; systemd-notify --ready", StringComparison.Ordinal);
            await daemon.WaitUntilReadyAsync("w", 2);
            var mark = daemon.Log.Count;
            Write(daemon, bad);
            await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
            await daemon.Log.WaitAsync(mark, "service w: ", "roll-out of generation", " failed after ");
            daemon.Directory.Write("mended", "");
            var again = await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
            Assert.Contains(again.Actions, action => action is { Name: "w", Action: "rolled-out" } && action.Reason!.Contains("between two generations", StringComparison.Ordinal));
            await daemon.Log.WaitAsync(mark, "service w: generation 3 serves");
            Assert.Contains("nothing has changed", (await daemon.ListenctlAsync("reload")).Output, StringComparison.Ordinal);
        });

    [Fact]
    public Task Added_removed_renamed_scaled_and_sighup() => DaemonUnderTest.WithAsync(Two, async daemon =>
    {
        await daemon.WaitUntilReadyAsync("w", 2);
        var web = await daemon.ListenerAsync("web");
        var pids = await daemon.ReadyAsync("w");
        var mark = daemon.Log.Count;

        // The service "a" and its listener go, "b" comes; "w" gets a third worker; the path is the same listener by another name.
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
        await daemon.Log.WaitAsync(mark, "reload: ", "listener control: renamed");
        await daemon.WaitUntilReadyAsync("b", 1, mark);
        await daemon.WaitUntilReadyAsync("w", 1, mark);
        var after = await daemon.ListenerAsync("web");
        Assert.Equal((web.Inode, 99), (after.Inode, after.Backlog!.Effective));
        Assert.Equal(3, (await daemon.ReadyAsync("w")).Count);
        Assert.Empty(pids.Except(await daemon.ReadyAsync("w")));
        var control = await daemon.ListenerAsync("control");
        Assert.Equal(admin.Inode, control.Inode);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(daemon.Directory["admin.sock"]));
        Assert.Contains(await daemon.HistoryAsync("web"), entry => entry is { Call: "listen", Note: "reload", Phase: "listen" });
        Assert.Contains(await daemon.HistoryAsync("control"), entry => entry.Note?.Contains("was \"admin\"", StringComparison.Ordinal) == true);
        Assert.DoesNotContain(await daemon.ListenersAsync(), listener => listener.Name == "admin");
        await daemon.Log.WaitAsync(mark, "service a: stopped");
    });

    [Fact]
    public Task A_changed_variable_rolls_out_under_load_and_nothing_is_lost() => UnderLoadAsync(
        web => web.Replace("workers = 2", "workers = 2\nenvironment = { MODE = \"b\" }", StringComparison.Ordinal), sameInode: true);

    [Fact]
    public Task A_new_socket_on_the_same_address_takes_over_under_load_and_nothing_is_lost() => UnderLoadAsync(
        web => web.Replace("127.0.0.1:0\"", "127.0.0.1:0\"\nlisten = { non_blocking = true }", StringComparison.Ordinal), sameInode: false);

    [Fact]
    public Task A_roll_out_onto_a_new_socket_that_fails_goes_back_to_the_old_one_and_nothing_is_lost() => UnderLoadAsync(
        web => web.Replace("127.0.0.1:0\"", "127.0.0.1:0\"\nlisten = { non_blocking = true }", StringComparison.Ordinal)
            .Replace("workers = 2", "workers = 2\nenvironment = { HELLO_START_DELAY_MS = \"60000\" }\nstart_timeout = \"300ms\"", StringComparison.Ordinal),
        sameInode: true, "rolled-back");

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
            var load = LoadRun.Start(new LoadPlan { Target = await daemon.EndPointAsync("web"), NewConnectionsPerSecond = 500, SlowInFlight = 8 }, "reload");
            LoadReport report;
            try
            {
                await Task.Delay(TimeSpan.FromSeconds(0.5));
                var mark = daemon.Log.Count;
                Write(daemon, change(web));
                var done = await daemon.ListenctlAsync("reload");
                Assert.True(done.ExitCode == 0, done.Error);
                await daemon.Log.WaitAsync(mark, outcome == "done" ? "generation 2 serves" : "generation 2 rolled back to generation 1");
                if (!sameInode || outcome != "done")
                {
                    await daemon.Log.WaitAsync(mark, outcome == "done" ? "its former socket" : "keeps its former socket");
                }

                await Task.Delay(TimeSpan.FromSeconds(0.5));
            }
            finally
            {
                report = await load.StopAsync();
            }

            var history = string.Join('\n', (await daemon.HistoryAsync("web")).Select(entry => $"{entry.Call} {entry.Option} {entry.Note}"));
            Assert.True(report.Failed == 0, $"{report.Failed} of {report.Requests}\n{string.Join('\n', report.Samples.Take(10))}\n{history}");
            Assert.Equal(report.Requests, report.Succeeded);
            var after = await daemon.ListenerAsync("web");
            Assert.Equal(before.Effective, after.Effective);
            Assert.Equal(sameInode, before.Inode == after.Inode);
        });
    }

    private static async Task<IReadOnlyList<(string, ulong?)>> Inodes(DaemonUnderTest daemon) => [.. (await daemon.ListenersAsync()).Select(listener => (listener.Name, listener.Inode))];

    private static string Short(ReloadActionDocument action) => $"{action.Subject} {action.Name} {action.Action} {string.Join(' ', action.Settings)}";

    private static void Write(DaemonUnderTest daemon, string config) => daemon.Directory.Write("run.toml",
        $"[daemon]\nruntime_directory = \"{daemon.Runtime}\"\n\n{config.Replace("@dir@", daemon.Directory.Path, StringComparison.Ordinal).Replace("@hello@", config.Contains("@hello@", StringComparison.Ordinal) ? Published.Hello : "", StringComparison.Ordinal)}");
}
