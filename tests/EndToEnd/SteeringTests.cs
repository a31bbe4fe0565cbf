using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd;

/// <summary>Steered listeners with real workers: which worker gets what, and that nothing is lost.</summary>
public sealed class SteeringTests(ITestOutputHelper output)
{
    private static bool IsLong { get; } = Environment.GetEnvironmentVariable("LISTEND_TEST_SECONDS") is { Length: > 0 };

    /// <summary>The old workers never stop accepting: they answer only what waited at them.</summary>
    [Fact]
    public Task A_draining_worker_gets_no_new_connection() => WithTcpAsync("tcp", "workers = 2", async daemon =>
    {
        var end = await daemon.EndPointAsync("web");
        for (var generation = 2; generation <= 4; generation++)
        {
            var restart = await daemon.ListenctlAsync("restart", "w", "--wait");
            Assert.True(restart.ExitCode == 0, restart.Error);
            var answers = await AnswersAsync(end, 100);
            Assert.All(answers, answer => Assert.StartsWith($"{generation} ", answer, StringComparison.Ordinal));
            Assert.All(answers, answer => Assert.EndsWith("serving", answer, StringComparison.Ordinal));
        }

        var steering = (await daemon.ListenerAsync("web")).Steering!;
        Assert.Equal(("generation", 4), (steering.Mode, steering.ActiveGeneration));
        Assert.Equal((100.0, 100), (steering.Shares[^1].Percent, steering.Shares[^1].Selected));
        Assert.Contains(await daemon.HistoryAsync("web"), entry => entry is { Phase: "steer", Call: "bpf" });
    });

    /// <summary>The old worker does not accept: what waits at it moves to the new one when it exits, and none is reset.</summary>
    [Fact]
    public Task Waiting_connections_move_when_their_worker_exits() => WithTcpAsync("deaf", "", async daemon =>
    {
        var end = await daemon.EndPointAsync("web");
        var clients = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => ConnectAsync(end)));
        await SwitchWorkerAsync(daemon, "deaf", "tcp");
        foreach (var client in clients)
        {
            Assert.StartsWith("2 ", await AnswerAsync(client), StringComparison.Ordinal);
        }

        Assert.Contains(await daemon.HistoryAsync("web"), entry => entry is { Phase: "steer", Call: "shutdown" }
            && entry.Note!.Contains("100 waiting", StringComparison.Ordinal));
    });

    [Fact]
    public Task The_successor_of_a_killed_worker_gets_its_socket() => WithTcpAsync("deaf", "", async daemon =>
    {
        var before = await daemon.ListenerAsync("web");
        using var client = await ConnectAsync(await daemon.EndPointAsync("web"));
        var mark = daemon.Log.Count;
        RunningProgram.Kill((await daemon.ReadyAsync("w"))[0], Signals.Kill);
        await daemon.WaitUntilReadyAsync("w", 1, mark);
        var after = await daemon.ListenerAsync("web");
        Assert.Equal((before.Inode, 1L), (after.Inode, after.Queue!.Length));
    });

    [Theory]
    [InlineData("0.5%", 5)]
    [InlineData("5%", 50)]
    [InlineData("25%", 250)]
    public Task A_canary_gets_its_share_and_promotion_and_abort_turn_the_table(string share, int thousandths) => WithTcpAsync(
        "tcp", $"workers = 2\nrollout = {{ canary = 1, canary_share = \"{share}\" }}", async daemon =>
    {
        var connections = IsLong ? 20_000 : 4000;
        var end = await daemon.EndPointAsync("web");
        Assert.Equal(0, (await daemon.ListenctlAsync("restart", "w")).ExitCode);
        await daemon.Log.WaitForAsync(0, MessageIds.RolloutCanary, "w", generation: 2);
        var canary = (await AnswersAsync(end, connections)).Count(answer => answer.StartsWith("2 ", StringComparison.Ordinal));
        var expected = connections * thousandths / 1000.0;
        var deviation = Math.Sqrt(expected * (1 - (thousandths / 1000.0)));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{share}: {canary} of {connections}, {(canary - expected) / deviation:0.00} standard deviations from {expected}"));
        Assert.InRange(canary, expected - (4.5 * deviation), expected + (4.5 * deviation));
        var shares = (await daemon.ListenerAsync("web")).Steering!.Shares;
        Assert.Equal([100 - (thousandths / 10.0), thousandths / 10.0], shares.Select(one => one.Percent));
        Assert.Equal(canary, shares[^1].Selected);

        var abort = await daemon.ListenctlAsync("abort", "w", "--wait");
        Assert.True(abort.ExitCode == 0, abort.Error);
        Assert.All(await AnswersAsync(end, 50), answer => Assert.StartsWith("1 ", answer, StringComparison.Ordinal));
        Assert.Equal(0, (await daemon.ListenctlAsync("restart", "w")).ExitCode);
        await daemon.Log.WaitForAsync(0, MessageIds.RolloutCanary, "w", generation: 3);
        var promote = await daemon.ListenctlAsync("promote", "w", "--wait");
        Assert.True(promote.ExitCode == 0, promote.Error);
        Assert.All(await AnswersAsync(end, 50), answer => Assert.StartsWith("3 ", answer, StringComparison.Ordinal));
    });

    /// <summary>Without CAP_BPF the service runs as without steering, and says what is missing.</summary>
    [Fact]
    public Task Without_the_capability_workers_share_the_socket() => WithTcpAsync("tcp", "workers = 2", async daemon =>
    {
        var listener = await daemon.ListenerAsync("web");
        Assert.Equal("none", listener.Steering!.Mode);
        Assert.Contains("CAP_BPF", listener.Steering.Reason, StringComparison.Ordinal);
        Assert.Single(listener.Sockets!);
        var restart = await daemon.ListenctlAsync("restart", "w", "--wait");
        Assert.True(restart.ExitCode == 0, restart.Error);
        Assert.Equal(50, (await AnswersAsync(await daemon.EndPointAsync("web"), 50)).Length);
    }, new DaemonOptions { Wrapper = ["setpriv", "--bounding-set", "-bpf,-sys_admin", "--inh-caps", "-all", "--"] });

    /// <summary>Steering begins and ends by a reload, on the living socket, and no connection fails.</summary>
    [Fact]
    public Task A_reload_turns_steering_on_and_off() => DaemonUnderTest.WithAsync(
        Config("tcp", "workers = 2", steering: "none"), async daemon =>
    {
        await daemon.WaitUntilReadyAsync("w", 2);
        var end = await daemon.EndPointAsync("web");
        await ReloadAsync(daemon, "steering = \"none\"", "steering = \"generation\"");
        Assert.Equal(50, (await AnswersAsync(end, 50)).Length);
        var shared = (await daemon.ListenerAsync("web")).Steering!;
        Assert.Equal(("generation", 1), (shared.Mode, shared.ActiveGeneration));
        Assert.Equal((1, 100.0), (shared.Shares.Single().Generation, shared.Shares.Single().Percent));
        Assert.Equal(0, (await daemon.ListenctlAsync("restart", "w", "--wait")).ExitCode);
        await daemon.UntilAsync(async () => (await daemon.ListenerAsync("web")).Sockets!.All(socket => socket.State == "serving"));
        Assert.All(await AnswersAsync(end, 50), answer => Assert.StartsWith("2 ", answer, StringComparison.Ordinal));

        await ReloadAsync(daemon, "steering = \"generation\"", "steering = \"none\"");
        await daemon.UntilAsync(async () => (await daemon.ListenerAsync("web")) is { Steering: null, Sockets.Count: 1 });
        Assert.Equal(50, (await AnswersAsync(end, 50)).Length);
    });

    private static async Task ReloadAsync(DaemonUnderTest daemon, string from, string to)
    {
        var file = daemon.Directory["run.toml"];
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file)).Replace(from, to, StringComparison.Ordinal));
        var reload = await daemon.ListenctlAsync("reload", "--wait");
        Assert.True(reload.ExitCode == 0, reload.Error);
    }

    private static Task SwitchWorkerAsync(DaemonUnderTest daemon, string from, string to) =>
        ReloadAsync(daemon, $"\"{from}\"]", $"\"{to}\"]");

    private static Task WithTcpAsync(
        string mode, string settings, Func<DaemonUnderTest, Task> test, DaemonOptions? options = null) => DaemonUnderTest.WithAsync(
            Config(mode, settings), async daemon =>
            {
                await daemon.WaitUntilReadyAsync("w", settings.Contains("workers = 2", StringComparison.Ordinal) ? 2 : 1);
                await test(daemon);
            }, options);

    private static string Config(string mode, string settings, string steering = "generation") =>
        $$"""
        [listener.web]
        address = "tcp://127.0.0.1:0"
        steering = "{{steering}}"

        [service.w]
        command = {{SteeredWorker.Command(mode)}}
        listeners = ["web"]
        {{settings}}
        """;

    private static async Task<string[]> AnswersAsync(IPEndPoint end, int count)
    {
        var answers = new string[count];
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            using var client = await ConnectAsync(end);
            answers[i] = await AnswerAsync(client);
        });
        return answers;
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint end)
    {
        var client = new Socket(end.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(end);
        return client;
    }

    private static async Task<string> AnswerAsync(Socket client)
    {
        var buffer = new byte[256];
        var length = 0;
        using var limit = new CancellationTokenSource(Patience.Limit);
        while (await client.ReceiveAsync(buffer.AsMemory(length), limit.Token) is var read and > 0)
        {
            length += read;
        }

        return Encoding.ASCII.GetString(buffer, 0, length).TrimEnd();
    }
}
