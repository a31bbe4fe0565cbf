using System.Net.Sockets;
using System.Text;
using Supervisor.Control;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd;

/// <summary>
/// Clients of the daemon during a succession: every request is answered, without a refusal or a new connection.
/// </summary>
public sealed class SuccessionClientTests(ITestOutputHelper output) : SuccessionScenario(output)
{
    [Fact]
    public async Task The_daemon_answers_clients_during_its_replacement()
    {
        using var directory = new TemporaryDirectory();
        var daemon = DaemonUnderTest.Start(directory, Config, new DaemonOptions());
        try
        {
            await daemon.WaitUntilUpAsync();
            await daemon.WaitUntilReadyAsync("web", 2);
            using var lasting = await BrokerAsync(daemon);
            using var over = new CancellationTokenSource();
            Task<int>[] asking =
            [
                AskOnAsync(
                    async () => Assert.StartsWith("HTTP/1.1 200", await daemon.AskAsync("GET /v1/status"), StringComparison.Ordinal),
                    over.Token),
                AskOnAsync(async () =>
                {
                    using var broker = await BrokerAsync(daemon);
                    await ListAsync(broker);
                }, over.Token),
                AskOnAsync(() => ListAsync(lasting), over.Token),
            ];
            for (var i = 0; i < 10; i++)
            {
                var upgraded = await daemon.ListenctlAsync("upgrade");
                Assert.True(upgraded.ExitCode == 0, upgraded.Error);
            }

            var next = await SucceedAsync(daemon);
            await over.CancelAsync();
            foreach (var answers in asking)
            {
                Assert.True(await answers > 0);
            }

            daemon = next;
            await ListAsync(lasting);
            await daemon.LeaveAsync();
        }
        finally
        {
            await daemon.DisposeAsync();
        }
    }

    [Fact]
    public async Task Commands_to_a_killed_daemon_fail_and_are_not_queued()
    {
        using var directory = new TemporaryDirectory();
        var daemon = DaemonUnderTest.Start(directory, Config, new DaemonOptions());
        try
        {
            await daemon.WaitUntilUpAsync();
            await daemon.WaitUntilReadyAsync("web", 2);

            daemon.Signal(Signals.Kill);
            await daemon.WaitAsync();
            string[] commands =
                ["status", "stop web", "restart web --wait", "restart web --timeout 1h", "events --follow", "take web -- true"];
            foreach (var command in commands)
            {
                var result = await daemon.ListenctlAsync(command.Split(' '));
                Assert.True(
                    result.ExitCode == ExitCode.Unreachable && result.Error.Contains($"pid {daemon.Pid}", StringComparison.Ordinal),
                    $"{command}: exit code {result.ExitCode}\n{result.Error}");
            }

            daemon = daemon.Again();
            await daemon.WaitUntilUpAsync();
            var service = await daemon.StatusAsync("web");
            Assert.Equal(("running", 1, null), (service.State, service.Generation, service.Rollout));
            await daemon.LeaveAsync();
        }
        finally
        {
            await daemon.DisposeAsync();
        }
    }

    /// <summary>Sends requests repeatedly; returns the number of answers.</summary>
    private static async Task<int> AskOnAsync(Func<Task> ask, CancellationToken over)
    {
        var answers = 0;
        while (!over.IsCancellationRequested)
        {
            await ask();
            answers++;
        }

        return answers;
    }

    private static async Task ListAsync(Socket broker)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        await broker.SendAsync("{\"method\":\"list\"}"u8.ToArray(), limit.Token);
        var data = new byte[64 * 1024];
        var length = await broker.ReceiveAsync(data, limit.Token);
        Assert.StartsWith("{\"handles\":[", Encoding.UTF8.GetString(data, 0, length), StringComparison.Ordinal);
    }
}
