using Supervisor.Control;
using Supervisor.Load;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd;

/// <summary>Shards: the daemon's N sockets on one address, one for each worker slot, without a lost connection.</summary>
public sealed class ShardTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Each_slot_serves_its_shards_as_the_history_shows() => await WithAsync(
        4,
        2,
        Pausing,
        async daemon =>
        {
            var listener = await daemon.ListenerAsync("web");
            Assert.Equal(4, listener.Shards);
            Assert.Equal(["web/0", "web/1", "web/0", "web/1"], listener.Sockets!.Select(socket => Assert.Single(socket.Workers)));
            Assert.Equal(4, listener.Sockets!.Select(socket => socket.Inode).Distinct().Count());
            Assert.Equal((4 * 4096, 4096L), (listener.Queue!.Limit, listener.Backlog!.Effective));

            var history = await daemon.HistoryAsync("web");
            for (var shard = 0; shard < 4; shard++)
            {
                var own = history
                    .Where(entry => entry.Phase != "drift" && entry.Call != "fcntl"
                        && entry.Note?.StartsWith($"shard {shard}", StringComparison.Ordinal) == true)
                    .ToArray();
                Assert.Equal(
                    ["socket", "setsockopt", "setsockopt", "bind", "getsockname", "listen", "execve"],
                    own.Select(entry => entry.Call));
                Assert.Equal(listener.Effective, own.Single(entry => entry.Call == "getsockname").Effective?.Text);
            }

            // All shards are bound before the first one listens.
            Assert.True(history.Last(entry => entry.Call == "bind").Seq < history.First(entry => entry.Call == "listen").Seq);

            using var client = new HttpClient { Timeout = Patience.Limit };
            Assert.EndsWith(
                " web:web\n",
                await client.GetStringAsync(new Uri($"http://{await daemon.EndPointAsync("web")}/")),
                StringComparison.Ordinal);
        });

    [Fact]
    public async Task Rolling_restarts_of_a_sharded_service_lose_nothing() => await WithAsync(
        4,
        4,
        "[\"@hello@\"]",
        daemon => UnderLoadAsync(daemon, 2000, async () =>
        {
            for (var i = 0; i < 3; i++)
            {
                var restart = await daemon.ListenctlAsync("restart", "web", "--wait");
                Assert.True(restart.ExitCode == 0, restart.Error);
            }
        }));

    [Fact]
    public async Task The_next_worker_serves_the_queue_of_a_killed_workers_shard() => await WithAsync(
        4,
        4,
        Pausing,
        daemon => UnderLoadAsync(daemon, 500, async () =>
        {
            var victim = (await daemon.StatusAsync("web")).Workers.Single(worker => worker.Slot == 2).Pid!.Value;
            RunningProgram.Kill(victim, Signals.User1);
            long waiting;
            do
            {
                waiting = (await daemon.ListenerAsync("web")).Sockets![2].Queue!.Length!.Value;
            }
            while (waiting < 100);

            var from = daemon.Log.Count;
            RunningProgram.Kill(victim, Signals.Kill);
            await daemon.WaitUntilReadyAsync("web", 1, from);
            output.WriteLine($"{waiting} waited");
        }));

    [Fact]
    public async Task Scaling_leaves_no_shard_without_a_worker() => await WithAsync(
        4,
        4,
        Pausing,
        daemon => UnderLoadAsync(daemon, 300, async () =>
        {
            foreach (var workers in new[] { 2, 4, 1, 6, 3 })
            {
                var scale = await daemon.ListenctlAsync("scale", "web", $"{workers}");
                Assert.True(scale.ExitCode == 0, scale.Error);
                ListenerDocument listener;
                ServiceDocument service;
                do
                {
                    service = await daemon.StatusAsync("web");
                    listener = await daemon.ListenerAsync("web");
                }
                while (service.Ready != workers || service.Workers.Count != workers
                    || service.Rollout is { State: "replacing" or "draining" });
                Assert.All(listener.Sockets!, socket => Assert.NotEmpty(socket.Workers));
            }
        }));

    private static string Pausing =>
        $"[\"{Needs.Program("python3", "python3")}\", \"{Path.Combine(AppContext.BaseDirectory, "workers", "pausing.py")}\"]";

    private static async Task WithAsync(
        int shards, int workers, string command, Func<DaemonUnderTest, Task> test) => await DaemonUnderTest.WithAsync(
        $$"""
        [listener.web]
        address = "tcp://127.0.0.1:0"
        shards = {{shards}}

        [service.web]
        command = {{command}}
        listeners = ["web"]
        workers = {{workers}}
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web", workers);
            await test(daemon);
        });

    private async Task UnderLoadAsync(DaemonUnderTest daemon, int rate, Func<Task> act)
    {
        var load = LoadRun.Start(new LoadPlan { Target = await daemon.EndPointAsync("web"), NewConnectionsPerSecond = rate });
        LoadReport report;
        try
        {
            await act();
        }
        finally
        {
            report = await load.StopAsync();
        }

        output.WriteLine($"{report.Requests} requests, {report.Failed} failed in {report.Seconds} s");
        Assert.True(report.Failed == 0, $"{report.Failed} of {report.Requests} failed\n{string.Join('\n', report.Samples.Take(10))}");
        Assert.True(report.Requests > 50);
    }
}
