using System.Globalization;
using Supervisor.EndToEnd.Faults;
using Supervisor.Load;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd;

/// <summary>
/// Four workers leak memory under 2,000 new connections per second, and recycle.max_memory replaces them again and again. No request
/// may fail, and no slot may be replaced while another one is. LISTEND_TEST_RECYCLES is the number of replacements (20).
/// </summary>
[Trait("Category", "Load")]
public sealed class RecycleUnderLoadTests(ITestOutputHelper output)
{
    private const int NewConnectionsPerSecond = 2000;
    private const int Workers = 4;

    private static int Recycles { get; } = int.TryParse(
        Environment.GetEnvironmentVariable("LISTEND_TEST_RECYCLES"), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? count
            : 20;

    [Fact]
    public async Task A_worker_that_leaks_is_recycled_and_no_request_is_lost()
    {
        using var directory = new TemporaryDirectory();
        QuickWorker.Compile(directory);
        await DaemonUnderTest.WithAsync(
            $$"""
            [listener.web]
            address = "tcp://127.0.0.1:0"
            listen = { non_blocking = true }

            [service.web]
            command = ["{{directory["quick"]}}"]
            listeners = ["web"]
            workers = {{Workers}}
            environment = { LEAK = "32768" }
            recycle = { max_memory = "32MiB", jitter = "20%" }
            rollout = { settle = "0s", max_surge = 1 }
            """,
            RunAsync);
    }

    private async Task RunAsync(DaemonUnderTest daemon)
    {
        await daemon.WaitUntilReadyAsync("web", Workers);
        var load = LoadRun.Start(
            new LoadPlan { Target = await daemon.EndPointAsync("web"), NewConnectionsPerSecond = NewConnectionsPerSecond }, "recycle");
        LoadReport report;
        try
        {
            await daemon.Log.WaitForAsync(0, Recycles, message => message.Kind == MessageIds.WorkerRecycled, "replacements");
        }
        finally
        {
            report = await load.StopAsync();
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{Recycles} replacements, {report.Requests} requests, {report.Failed} failed"));
        Assert.True(report.Failed == 0, string.Join('\n', report.Samples.Take(10)));
        Assert.Equal(report.Requests, report.Succeeded);
        AssertOneAtATime(daemon.Log.Messages);
        Assert.Equal(0, (await daemon.StatusAsync("web")).Workers.Sum(worker => worker.Restarts));
    }

    /// <summary>A worker is replaced only when the one before has begun to drain.</summary>
    private static void AssertOneAtATime(IEnumerable<LogMessage> messages)
    {
        int? replaced = null;
        foreach (var message in messages)
        {
            if (message.Kind == MessageIds.WorkerRecycled)
            {
                Assert.True(replaced is null, $"a second worker is replaced while pid {replaced} serves: {message.Text}");
                replaced = message.Pid;
            }
            else if (message.Kind == MessageIds.WorkerDraining && message.Pid == replaced)
            {
                replaced = null;
            }
        }
    }
}
