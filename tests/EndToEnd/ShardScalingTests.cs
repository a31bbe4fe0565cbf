using System.Globalization;
using System.Text.RegularExpressions;
using Supervisor.Control;
using Supervisor.Load;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd;

/// <summary>
/// Reloads that change the number of shards, and rolling restarts, under 2,000 new connections per second. No request may
/// fail. With LISTEND_TEST_SECONDS there are 20 restarts, otherwise fewer; each number of shards gets a share of the time.
/// </summary>
[Trait("Category", "Load")]
public sealed class ShardScalingTests(ITestOutputHelper output)
{
    private const int Rate = 2000;

    private static int? Seconds { get; } =
        int.TryParse(
            Environment.GetEnvironmentVariable("LISTEND_TEST_SECONDS"),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var seconds) ? seconds : null;

    /// <summary>The answered requests at each number of shards.</summary>
    private static long Share { get; } = (Seconds ?? 5) * Rate / 10;

    private static int Restarts { get; } = Seconds is null ? 4 : 20;

    /// <summary>One worker for each shard; the same workers for another number of shards; fewer of them.</summary>
    [Theory]
    [InlineData(4, 8, 2)]
    [InlineData(4, 4, 4)]
    public Task Growing_and_shrinking_shards_loses_no_request(
        int workers, int workersThen, int workersLast) => WithAsync("[\"@hello@\"]", 4, workers, async daemon =>
    {
        await UnderLoadAsync(daemon, async load =>
        {
            await load.AnswersAsync(Share);
            var four = Inodes(await daemon.ListenerAsync("web"));
            var pids = await daemon.ReadyAsync("web");

            await ReloadAsync(daemon, 8, workersThen, 4);
            var eight = await ReshapedAsync(daemon, 8, workersThen);
            Assert.Equal(four, Inodes(eight)[..4]);
            Assert.All(eight.Sockets!, socket => Assert.Equal("serving", socket.State));
            if (workersThen == 8)
            {
                // A worker with its own shard is not replaced.
                Assert.Empty(pids.Except(await daemon.ReadyAsync("web")));
            }

            await load.AnswersAsync(Share);
            var mark = daemon.Log.Count;
            await ReloadAsync(daemon, 2, workersLast, 8);
            await ShardsClosedAsync(daemon, mark, 6);
            var two = await ReshapedAsync(daemon, 2, workersLast);
            Assert.Equal(four[..2], Inodes(two));
            if (workersLast == 2)
            {
                Assert.Empty((await daemon.ReadyAsync("web")).Except(pids));
            }

            await load.AnswersAsync(Share);
        });

        var history = await daemon.HistoryAsync("web");
        Assert.Contains(history, entry => entry is { Phase: "steer", Call: "bpf", Errno: null } && Numbers(entry) == "0 1 2 3");
        Assert.Contains(history, entry => entry is { Phase: "steer", Call: "bpf", Errno: null } && Numbers(entry) == "0 1");
        Assert.Contains(
            history,
            entry => entry is { Phase: "create", Call: "socket" } && entry.Note!.Contains("shard 7", StringComparison.Ordinal));
        Assert.Contains(
            history,
            entry => entry is { Phase: "close", Call: "shutdown" } && entry.Note!.Contains("shard 7", StringComparison.Ordinal));
        Assert.Equal(2, history.Count(entry => entry.Option == "SO_DETACH_REUSEPORT_BPF"));
        Assert.DoesNotContain(history, entry => entry.Errno is not null);
    });

    [Fact]
    public Task One_socket_becomes_two_shards_and_one_again() => WithAsync("[\"@hello@\"]", 1, 2, async daemon =>
    {
        await UnderLoadAsync(daemon, async load =>
        {
            var one = Inodes(await daemon.ListenerAsync("web"));
            await ReloadAsync(daemon, 2, 2, 1);
            var two = await ReshapedAsync(daemon, 2, 2);
            Assert.Equal(one, Inodes(two)[..1]);
            await load.AnswersAsync(Share);
            var mark = daemon.Log.Count;
            await ReloadAsync(daemon, 1, 2, 2);
            await daemon.Log.WaitForAsync(mark, MessageIds.ListenerShardClosed, listener: "web");
            Assert.Equal(one, Inodes(await ReshapedAsync(daemon, 1, 2)));
            await load.AnswersAsync(Share);
        });
    });

    [Fact]
    public Task Rolling_restarts_of_shards_lose_no_request() => WithAsync("[\"@hello@\"]", 4, 4, daemon => UnderLoadAsync(
        daemon,
        async load =>
        {
            for (var i = 0; i < Restarts; i++)
            {
                await RestartAsync(daemon);
            }

            await load.AnswersAsync(Share);
        }));

    [Fact]
    public Task Connections_that_wait_survive_a_killed_worker() => WithAsync(Pausing, 4, 4, daemon => UnderLoadAsync(daemon, async load =>
    {
        for (var i = 0; i < Restarts; i++)
        {
            if (i == Restarts / 2)
            {
                var victim = (await daemon.StatusAsync("web")).Workers.Single(worker => worker.Slot == 2).Pid!.Value;
                RunningProgram.Kill(victim, Signals.User1);
                long waiting;
                do
                {
                    waiting = (await daemon.ListenerAsync("web")).Sockets![2].Queue!.Length!.Value;
                }
                while (waiting < 100);

                RunningProgram.Kill(victim, Signals.Kill);
                output.WriteLine($"killed with {waiting} waiting");
            }

            await RestartAsync(daemon);
        }
    }));

    [Fact]
    public Task Dry_run_plans_shards_and_changes_nothing() => WithAsync(Pausing, 4, 4, async daemon =>
    {
        var before = Inodes(await daemon.ListenerAsync("web"));
        Write(daemon, 8, 4);
        var grow = await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload", "--dry-run");
        Assert.Equal(["listener web in-place shards", "service web rolled-out "], grow.Actions.Select(Short));
        Assert.Contains("4 sockets", grow.Actions[0].Reason, StringComparison.Ordinal);

        Write(daemon, 2, 2);
        var shrink = await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload", "--dry-run");
        Assert.Equal(["listener web in-place shards", "service web scaled workers"], shrink.Actions.Select(Short));
        Assert.Contains("2 of 4 sockets", shrink.Actions[0].Reason, StringComparison.Ordinal);
        Assert.Null(shrink.Actions[0].Loses);
        Assert.Equal(before, Inodes(await daemon.ListenerAsync("web")));
    });

    [Fact]
    public Task Start_serves_connections_that_wait_in_removed_shards() => WithAsync(Pausing, 4, 4, async daemon =>
    {
        Assert.Equal(0, (await daemon.ListenctlAsync("stop", "web", "--wait")).ExitCode);
        using var client = new HttpClient { Timeout = Patience.Limit };
        var uri = new Uri($"http://{await daemon.EndPointAsync("web")}/");
        var answers = Enumerable.Range(0, 40).Select(_ => client.GetStringAsync(uri)).ToArray();
        ListenerDocument listener;
        do
        {
            listener = await daemon.ListenerAsync("web");
        }
        while (listener.Queue!.Length < answers.Length);
        Assert.Contains(listener.Sockets!, socket => socket.Shard > 0 && socket.Queue!.Length > 0);

        Write(daemon, 1, 1);
        var reload = await daemon.ListenctlAsync("reload");
        Assert.True(reload.ExitCode == 0, reload.Error);
        Assert.Equal(40, (await daemon.ListenerAsync("web")).Queue!.Length);
        Assert.Equal(0, (await daemon.ListenctlAsync("start", "web", "--wait")).ExitCode);
        Assert.All(await Task.WhenAll(answers), answer => Assert.Contains("web", answer, StringComparison.Ordinal));
    });

    [Fact]
    public async Task Recovery_keeps_shards_and_their_workers()
    {
        _command = "[\"@hello@\"]";
        using var directory = new TemporaryDirectory();
        await using var first = DaemonUnderTest.Start(directory, Config(4, 4), new DaemonOptions());
        await first.WaitUntilUpAsync();
        await first.WaitUntilReadyAsync("web", 4);
        var before = Inodes(await first.ListenerAsync("web"));
        var pids = await first.ReadyAsync("web");
        await ReloadAsync(first, 6, 6, 4);
        var six = Inodes(await ReshapedAsync(first, 6, 6));
        first.Signal(Signals.Kill);
        await first.WaitAsync();

        await using var daemon = first.Again();
        await daemon.WaitUntilUpAsync();
        Assert.Equal(six, Inodes(await daemon.ListenerAsync("web")));
        await UnderLoadAsync(daemon, async load =>
        {
            var mark = daemon.Log.Count;
            await ReloadAsync(daemon, 3, 3, 6);
            await ShardsClosedAsync(daemon, mark, 3);
            Assert.Equal(before[..3], Inodes(await ReshapedAsync(daemon, 3, 3)));
            await ReloadAsync(daemon, 4, 4, 3);
            Assert.Equal(before[..3], Inodes(await ReshapedAsync(daemon, 4, 4))[..3]);
        });

        // The successor knows the share of each worker, and does not replace workers that keep theirs.
        Assert.Equal(pids.Count - 1, pids.Intersect(await daemon.ReadyAsync("web")).Count());
        Assert.Contains(
            await daemon.HistoryAsync("web"),
            entry => entry is { Phase: "steer", Call: "bpf", Errno: null } && Numbers(entry) == "0 1 2");
        await daemon.LeaveAsync();
    }

    private static string Pausing =>
        $"[\"{Needs.Program("python3", "python3")}\", \"{Path.Combine(AppContext.BaseDirectory, "workers", "pausing.py")}\"]";

    private string _command = "";

    private Task WithAsync(string command, int shards, int workers, Func<DaemonUnderTest, Task> test)
    {
        _command = command;
        return DaemonUnderTest.WithAsync(Config(shards, workers), async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web", workers);
            await test(daemon);
        });
    }

    private string Config(int shards, int workers) => $"""
        [listener.web]
        address = "tcp://127.0.0.1:0"
        shards = {shards}

        [service.web]
        command = {_command}
        listeners = ["web"]
        workers = {workers}
        """;

    private void Write(DaemonUnderTest daemon, int shards, int workers) => daemon.Directory.Write("run.toml",
        $"[daemon]\nruntime_directory = \"{daemon.Runtime}\"\n\n"
        + Quick.Rollouts(Config(shards, workers)).Replace(
            "@hello@", _command.Contains("@hello@", StringComparison.Ordinal) ? Published.Hello : "", StringComparison.Ordinal));

    private async Task ReloadAsync(DaemonUnderTest daemon, int shards, int workers, int before)
    {
        Write(daemon, shards, workers);
        var reload = await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
        Assert.True(reload.Applied);
        Assert.Equal("listener web in-place shards", Short(reload.Actions[0]));
        output.WriteLine(
            $"{before} -> {shards}: {string.Join("; ", reload.Actions.Select(action => $"{action.Action}: {action.Reason}"))}");
    }

    /// <summary>Waits until each shard is served, other shards are closed, and the number of workers is as configured.</summary>
    private static async Task<ListenerDocument> ReshapedAsync(DaemonUnderTest daemon, int shards, int workers)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        while (true)
        {
            var listener = await daemon.ListenerAsync("web");
            var service = await daemon.StatusAsync("web");
            if (listener.Shards == shards && listener.Sockets!.All(socket => socket is { State: "serving", Workers.Count: > 0 })
                && service.Ready == workers && service.Workers.Count == workers
                && service.Rollout is not { State: "replacing" or "draining" })
            {
                return listener;
            }

            limit.Token.ThrowIfCancellationRequested();
        }
    }

    private static async Task RestartAsync(DaemonUnderTest daemon)
    {
        var restart = await daemon.ListenctlAsync("restart", "web", "--wait");
        Assert.True(restart.ExitCode == 0, restart.Error);
    }

    private static async Task ShardsClosedAsync(DaemonUnderTest daemon, int from, int count) => await daemon.Log.WaitForAsync(
        from, count, message => message.Kind == MessageIds.ListenerShardClosed, nameof(MessageIds.ListenerShardClosed));

    private static ulong[] Inodes(ListenerDocument listener) => [.. listener.Sockets!.Select(socket => socket.Inode)];

    /// <summary>The shards of an entry.</summary>
    private static string Numbers(HistoryEntryDocument entry) =>
        string.Join(' ', Regex.Matches(entry.Note ?? "", "[0-9]+").Select(match => match.Value));

    private static string Short(ReloadActionDocument action) =>
        $"{action.Subject} {action.Name} {action.Action} {string.Join(' ', action.Settings)}";

    private async Task UnderLoadAsync(DaemonUnderTest daemon, Func<LoadRun, Task> act)
    {
        var load = LoadRun.Start(new LoadPlan { Target = await daemon.EndPointAsync("web"), NewConnectionsPerSecond = Rate });
        LoadReport report;
        try
        {
            await act(load);
        }
        finally
        {
            report = await load.StopAsync();
        }

        var history = string.Join('\n', (await daemon.HistoryAsync("web")).Select(
            entry => $"{entry.At:HH:mm:ss.fff} {entry.Call} {entry.Option} {entry.Errno} {entry.Note}"));
        output.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{report.Requests} requests, {report.Failed} failed in {report.Seconds:0.0} s"));
        Assert.True(
            report.Failed == 0,
            $"{report.Failed} of {report.Requests} failed\n{string.Join('\n', report.Samples.Take(10))}\n{history}");
        Assert.Equal(report.Requests, report.Succeeded);
        Assert.True(report.Requests > 500);
    }
}
