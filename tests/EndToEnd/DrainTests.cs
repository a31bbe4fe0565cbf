using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Supervisor.Control;
using Supervisor.EndToEnd.Faults;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>Draining workers: their remaining connections, connections that are cut, and workers that keep accepting.</summary>
public sealed class DrainTests
{
    [Fact]
    public Task Draining_worker_shows_its_open_connections() => DaemonUnderTest.WithAsync(
        $$"""
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [listener.path]
        address = "unix://@dir@/path.sock"

        [service.w]
        command = {{Leaving("drains")}}
        listeners = ["web", "path"]
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            var web = await daemon.EndPointAsync("web");
            using var one = await ConnectAsync(web);
            using var two = await ConnectAsync(web);
            using var path = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await path.ConnectAsync(new UnixDomainSocketEndPoint(daemon.Directory["path.sock"]));
            await UntilConnectionsAsync(daemon, 3);

            await using var events = await EventFollower.OfAsync(daemon);
            var restart = daemon.ListenctlAsync("restart", "w", "--wait");
            await ConnectionsAsync(events, 3);
            var service = await daemon.StatusAsync("w");
            var worker = service.Workers.Single(worker => worker.State == "draining");
            var drain = worker.Drain!;
            Assert.Equal((3, 3, 3), (worker.Connections, drain.Connections, service.Rollout!.DrainingConnections));
            Assert.Equal([("path", 1), ("web", 2)], drain.Listeners.Select(listener => (listener.Name, listener.Connections)));
            Assert.InRange(drain.OldestMs!.Value, 1, 60_000);
            Assert.InRange(drain.KilledAt!.Value - DateTimeOffset.UtcNow, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30));
            Assert.Null(drain.KeepsAccepting);
            Assert.Null(service.Workers.Single(worker => worker.State == "ready").Drain);

            one.Dispose();
            Assert.Equal(
                [("path", 1), ("web", 1)],
                (await ConnectionsAsync(events, 2)).Listeners.Select(listener => (listener.Name, listener.Connections)));
            path.Dispose();

            // By now the daemon has sampled the worker twice, long after its signal.
            Assert.Equal(
                [("web", 1)],
                (await ConnectionsAsync(events, 1)).Listeners.Select(listener => (listener.Name, listener.Connections)));
            two.Dispose();
            Assert.Equal(0, (await restart).ExitCode);
            var all = await EventsAsync(daemon);
            Assert.Equal(
                [3, 2, 1],
                all.Where(happened => happened.Kind == "worker-connections").Select(happened => happened.Drain!.Connections!.Value));
            Assert.DoesNotContain(all, happened => happened.Kind is "worker-keeps-accepting" or "worker-cut");
        });

    [Fact]
    public Task A_drain_does_not_cut_or_report_a_slow_request() => DaemonUnderTest.WithAsync(
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.w]
        command = ["@hello@"]
        listeners = ["web"]
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            using var client = new HttpClient { Timeout = Patience.Limit };
            var answer = client.GetAsync(new Uri($"http://{await daemon.EndPointAsync("web")}/slow?ms=3600"));
            await UntilConnectionsAsync(daemon, 1);
            var restart = await daemon.ListenctlAsync("restart", "w", "--wait");
            Assert.True(restart.ExitCode == 0, restart.Error);
            Assert.True((await answer).IsSuccessStatusCode);
            var events = await EventsAsync(daemon);
            Assert.Contains(events, happened => happened is { Kind: "worker-connections", Drain.Connections: 1 });
            Assert.DoesNotContain(events, happened => happened.Kind is "worker-keeps-accepting" or "worker-cut");
        });

    [Theory]
    [InlineData("waits", "waiting")]
    [InlineData("edges", "accepted")]
    public Task Draining_worker_that_accepts_is_reported_once_and_killed(string kind, string evidence) => DaemonUnderTest.WithAsync(
        $$"""
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.w]
        command = {{Leaving(kind)}}
        listeners = ["web"]
        stop_timeout = "8s"
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            var web = await daemon.EndPointAsync("web");
            List<Socket> clients = [await ConnectAsync(web), await ConnectAsync(web)];
            await UntilConnectionsAsync(daemon, 2);
            var restart = daemon.ListenctlAsync("restart", "w", "--wait");
            var named = daemon.Log.WaitForAsync(0, MessageIds.WorkerKeepsAccepting, "w", "web", generation: 1, facts: "SIGTERM");
            using (var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20)))
            {
                // The old worker or the new one accepts each connection.
                while (kind == "edges" && !named.IsCompleted)
                {
                    clients.Add(await ConnectAsync(web));
                    await timer.WaitForNextTickAsync();
                }
            }

            await named;
            var worker = (await daemon.StatusAsync("w")).Workers.Single(worker => worker.State == "draining");
            var kept = worker.Drain!.KeepsAccepting!;
            Assert.Equal(("web", evidence, evidence == "accepted"), (kept.Listener, kept.Evidence, kept.Peer is not null));
            Assert.InRange(kept.AfterMs, 1000, 8000);

            await daemon.Log.WaitForAsync(0, MessageIds.WorkerCut, "w", "web", pid: worker.Pid, facts: "127.0.0.1:");
            Assert.Equal(0, (await restart).ExitCode);
            var events = await EventsAsync(daemon);
            var cut = Assert.Single(events, happened => happened.Kind == "worker-cut");
            Assert.Equal(worker.Pid, cut.Worker!.Pid);
            Assert.InRange(cut.Drain!.Connections!.Value, 2, clients.Count);
            Assert.All(cut.Drain.Peers, peer => Assert.Contains(clients, client => client.LocalEndPoint!.ToString() == peer));
            Assert.Equal(Math.Min(5, cut.Drain.Connections.Value), cut.Drain.Peers.Count);
            Assert.Single(events, happened => happened.Kind == "worker-keeps-accepting");
            Assert.Equal(
                ["worker-killed", "worker-cut", "worker-left"],
                events.SkipWhile(happened => happened.Kind != "worker-killed").Take(3).Select(happened => happened.Kind));
            clients.ForEach(client => client.Dispose());
        });

    [Fact]
    public Task Rollout_waits_for_max_generations() => DaemonUnderTest.WithAsync(
        $$"""
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.w]
        command = {{Leaving("drains")}}
        listeners = ["web"]
        rollout = { max_generations = 2 }
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            var web = await daemon.EndPointAsync("web");
            using var client = await ConnectAsync(web);
            await UntilConnectionsAsync(daemon, 1);
            Assert.Equal(0, (await daemon.ListenctlAsync("restart", "w")).ExitCode);
            await daemon.Log.WaitForAsync(0, MessageIds.WorkerDraining, "w", generation: 1);

            var further = daemon.ListenctlAsync("restart", "w", "--wait");
            await daemon.Log.WaitForAsync(
                0, MessageIds.RolloutWaiting, "w", generation: 3, facts: ["generation 1 ", "rollout.max_generations is 2"]);
            var service = await daemon.StatusAsync("w");
            Assert.Equal(("replacing", 3, 0), (service.Rollout!.State, service.Rollout.To, service.Rollout.Replaced));
            Assert.Contains("generation 1 ", service.Rollout.Waits, StringComparison.Ordinal);
            Assert.Contains("rollout.max_generations is 2", service.Rollout.Waits, StringComparison.Ordinal);
            Assert.Equal([(1, "draining"), (2, "ready")], service.Workers.Select(worker => (worker.Generation, worker.State)));

            // The last connection of the old generation ends, so the waiting roll-out continues.
            client.Dispose();
            Assert.Equal(0, (await further).ExitCode);
            Assert.Equal([(3, "ready")], (await daemon.StatusAsync("w")).Workers.Select(worker => (worker.Generation, worker.State)));
            var kinds = (await EventsAsync(daemon)).Select(happened => $"{happened.Kind} {happened.Worker?.Generation}".TrimEnd()).ToList();
            Assert.InRange(kinds.IndexOf("rollout-waiting"), 1, kinds.IndexOf("worker-left 1"));
            Assert.InRange(kinds.IndexOf("worker-left 1"), 1, kinds.IndexOf("worker-spawned 3"));
        });

    [Fact]
    public Task Status_names_the_configuration_by_its_full_path() => DaemonUnderTest.WithAsync(
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"
        """,
        async daemon => Assert.Equal(
            daemon.Directory["run.toml"],
            (await daemon.AskAsync(ControlJson.Default.StatusDocument, "status")).Daemon.ConfigFile),
        new DaemonOptions { Wrapper = ["/usr/bin/env", "-C", "@dir@"], Arguments = ["--config", "run.toml"] });

    private static string Leaving(string kind) =>
        $"[\"{Needs.Program("python3", "python3")}\", \"{Path.Combine(AppContext.BaseDirectory, "workers", "leaving.py")}\", \"{kind}\"]";

    private static async Task<Socket> ConnectAsync(IPEndPoint web)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(web);
        return socket;
    }

    /// <summary>Waits until the worker has accepted so many connections; connect() of a client returns earlier.</summary>
    private static async Task UntilConnectionsAsync(DaemonUnderTest daemon, int count)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        while ((await daemon.StatusAsync("w")).Workers.Single().Connections != count)
        {
            limit.Token.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Waits until the draining worker has so many connections.</summary>
    private static async Task<DrainDocument> ConnectionsAsync(EventFollower events, int count) =>
        (await events.WaitAsync(0, one => one.Kind == "worker-connections" && one.Drain!.Connections == count, $"{count} connections left"))
            .Drain!;

    private static async Task<IReadOnlyList<EventDocument>> EventsAsync(DaemonUnderTest daemon) =>
        [.. (await daemon.ListenctlAsync("events", "--json")).Output.Split('\n')
            .Select(line => JsonSerializer.Deserialize(line, ControlJson.Default.EventDocument)!)];
}
