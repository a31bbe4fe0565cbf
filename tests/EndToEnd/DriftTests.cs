using Supervisor.Control;
using Supervisor.Load;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd;

/// <summary>Changes of a shared listener by a worker: the daemon reports them with the process, and repairs them under load.</summary>
public sealed class DriftTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("kestrel", 512)]
    [InlineData("node", 511)]
    [InlineData("gunicorn", 2048)]
    public async Task Backlog_of_a_server_is_reported_and_repaired(string server, long itsOwn) => await DaemonUnderTest.WithAsync(
        $$"""
        [listener.web]
        address = "tcp://127.0.0.1:0"
        listen = { backlog = 4096{{(server == "kestrel" ? ", defer_accept = \"5s\"" : "")}} }

        [service.web]
        command = {{Command(server)}}
        listeners = ["web"]
        ready = "{{(server == "kestrel" ? "accepting" : "notify")}}"
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web");
            var pid = (await daemon.ReadyAsync("web")).Single();
            AssertDriftedAndRepaired(
                await daemon.HistoryAsync("web"),
                itsOwn,
                entry => entry.Actor is { Name: "web/0" } actor && actor.Pid == pid
                    && entry.Note!.Contains("generation 1", StringComparison.Ordinal),
                from: 0);

            var load = LoadRun.Start(new LoadPlan
            {
                Target = await daemon.EndPointAsync("web"),
                NewConnectionsPerSecond = 200,
                SlowInFlight = 2,
                SlowFor = TimeSpan.FromMilliseconds(200),
            });
            LoadReport report;
            try
            {
                for (var generation = 2; generation <= 3; generation++)
                {
                    var before = (await daemon.HistoryAsync("web"))[^1].Seq;
                    var restart = await daemon.ListenctlAsync("restart", "web", "--wait");
                    Assert.True(restart.ExitCode == 0, restart.Error);

                    // The old worker held the socket too.
                    var text = $"generation {generation}";
                    AssertDriftedAndRepaired(
                        await daemon.HistoryAsync("web"),
                        itsOwn,
                        entry => entry.Actor is null && entry.Note!.Contains(text, StringComparison.Ordinal),
                        before);
                    Assert.Equal(4096, (await daemon.ListenerAsync("web")).Backlog?.Effective);
                }
            }
            finally
            {
                report = await load.StopAsync();
            }

            output.WriteLine($"{server}: {report.Requests} requests, {report.Failed} failed in {report.Seconds} s");
            Assert.True(report.Failed == 0, $"{report.Failed} of {report.Requests} failed\n{string.Join('\n', report.Samples.Take(10))}");
            Assert.True(report.Requests > 50);
        });

    [Fact]
    public Task Drift_by_a_broker_client_is_found_when_it_disconnects() => DaemonUnderTest.WithAsync(
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"
        listen = { backlog = 100 }
        """,
        async daemon =>
        {
            const string taker = """
                import array, json, socket, sys
                broker = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                broker.connect(sys.argv[1])
                broker.send(json.dumps({'method': 'take', 'listeners': ['web']}).encode())
                _, fds, _, _ = socket.recv_fds(broker, 65536, 4)
                socket.socket(fileno=fds[0]).listen(7)
                broker.close()
                sys.stdin.read()
                """;
            await using var program = RunningProgram.Start(
                Needs.Program("python3", "python3"),
                ["-c", taker, Path.Combine(daemon.Runtime, "broker.sock")]);
            var message = await daemon.Log.WaitForAsync(0, MessageIds.ListenerDrifted, listener: "web");
            Assert.Equal(("backlog", "7"), (message["LISTEND_OPTION"], message["LISTEND_EFFECTIVE"]));
            var history = await daemon.HistoryAsync("web");
            var drift = history.Single(entry => entry.Phase == "drift");
            Assert.Equal(("listen", "backlog", program.Pid), (drift.Call, drift.Option, drift.Actor?.Pid));
            Assert.Contains(history, entry => entry is { Phase: "repair", Option: "backlog" } && entry.Seq > drift.Seq);
            Assert.Equal(100, (await daemon.ListenerAsync("web")).Backlog!.Effective);
        });

    [Fact]
    public async Task Without_enforce_drift_is_reported_and_kept() => await DaemonUnderTest.WithAsync(
        $$"""
        [listener.web]
        address = "tcp://127.0.0.1:0"
        enforce = false
        accepted = { keep_alive = true }

        [service.web]
        command = ["{{Needs.Program("python3", "python3")}}", "{{Worker("meddler.py")}}", "backlog=7,keep_alive=0,non_blocking"]
        listeners = ["web"]
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web");
            var listener = await daemon.ListenerAsync("web");
            Assert.True(listener.Drift);
            Assert.Equal(7, listener.Backlog?.Effective);
            Assert.Equal(
                ["SO_KEEPALIVE", "backlog"],
                listener.Options.Where(option => option.Verdict == "drifted").Select(option => option.Name).Order(StringComparer.Ordinal));
            var later = (await daemon.HistoryAsync("web")).Where(entry => entry.Phase is "drift" or "repair").ToArray();
            Assert.Equal(["drift", "drift"], later.Select(entry => entry.Phase));
            Assert.All(later, entry => Assert.Equal("web/0", entry.Actor?.Name));
            Assert.Equal(
                "Warning",
                (await daemon.Log.WaitForAsync(0, MessageIds.ListenerDrifted, listener: "web", facts: "backlog")).Level);
        });

    [Fact]
    public async Task Listener_survives_a_shutdown_by_a_worker() => await DaemonUnderTest.WithAsync(
        $$"""
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.web]
        command = ["{{Needs.Program("python3", "python3")}}", "{{Worker("meddler.py")}}", "shutdown", "later"]
        listeners = ["web"]
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web");
            var before = await daemon.ListenerAsync("web");
            var pid = (await daemon.ReadyAsync("web")).Single();
            RunningProgram.Kill(pid, Signals.User1);
            var end = await daemon.EndPointAsync("web");
            for (var now = before; now.Inode == before.Inode; now = await daemon.ListenerAsync("web"))
            {
                // A request makes the daemon check the listener, which has not changed before the worker's signal.
            }

            await daemon.WaitUntilReadyAsync("web", 2);
            var after = await daemon.ListenerAsync("web");
            Assert.Equal((before.Effective, "listening", false), (after.Effective, after.State, after.Drift));
            Assert.Equal(end, await daemon.EndPointAsync("web"));
            using var client = new HttpClient { Timeout = Patience.Limit };
            var served = await client.GetStringAsync(new Uri($"http://{end}/"));
            Assert.NotEqual($"{pid}\n", served);
            var history = await daemon.HistoryAsync("web");
            Assert.Equal("web/0", history.Single(entry => entry is { Phase: "drift", Call: "shutdown" }).Actor?.Name);
            Assert.Contains(history, entry => entry is { Phase: "repair", Option: "shutdown" });
        });

    private static void AssertDriftedAndRepaired(
        IReadOnlyList<HistoryEntryDocument> history,
        long itsOwn,
        Func<HistoryEntryDocument, bool> names,
        long from)
    {
        var drift = Assert.Single(history, entry => entry is { Phase: "drift", Option: "backlog" } && entry.Seq > from);
        Assert.Equal(("listen", 4096L, itsOwn, "drifted"), (drift.Call, drift.Requested?.Number, drift.Effective?.Number, drift.Verdict));
        Assert.True(names(drift), $"{drift.Actor} {drift.Note}");
        var repair = Assert.Single(history, entry => entry is { Phase: "repair", Option: "backlog" } && entry.Seq > from);
        Assert.Equal(("listen", 4096L, "exact"), (repair.Call, repair.Effective?.Number, repair.Verdict));
        Assert.InRange(repair.At - drift.At, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    private static string Command(string server) => server switch
    {
        "kestrel" => $"[\"{Published.Example("kestrel")}\"]",
        "node" => $"[\"{Needs.Program("node", "nodejs")}\", \"{Worker("server.js")}\"]",
        _ => $"[\"{Needs.Program("gunicorn", "gunicorn")}\", \"--chdir\", \"{Worker("")}\", \"--workers\", \"4\", \"app:application\"]",
    };

    private static string Worker(string file) => Path.Combine(AppContext.BaseDirectory, "workers", file);
}
