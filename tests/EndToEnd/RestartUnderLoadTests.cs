using System.Globalization;
using Supervisor.Load;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd;

/// <summary>
/// Consecutive restarts of four workers under 2,000 new connections per second and 16 half-second requests in flight. No
/// request may fail or take longer. LISTEND_TEST_SECONDS is the duration (10).
/// </summary>
/// <remarks>
/// The test compares the 99th percentile of latencies, which other programs of the machine affect more than a restart does.
/// So it also measures the processor time of other programs. Above <see cref="Undisturbed"/> it only reports latencies.
/// </remarks>
[Trait("Category", "Load")]
public sealed class RestartUnderLoadTests(ITestOutputHelper output)
{
    private const int NewConnectionsPerSecond = 2000;

    private static readonly TimeSpan Noise = TimeSpan.FromMilliseconds(5);

    /// <summary>The maximum share of the processors for other programs at which latencies are compared.</summary>
    private const double Undisturbed = 0.05;

    /// <summary>The minimum duration for a comparison: in a short run, one slow start of a worker determines p99.</summary>
    private static readonly TimeSpan FullLength = TimeSpan.FromSeconds(60);

    private static TimeSpan Length { get; } = TimeSpan.FromSeconds(
        int.TryParse(
            Environment.GetEnvironmentVariable("LISTEND_TEST_SECONDS"),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var seconds) ? seconds : 10);

    [Theory]
    [InlineData("rolling", 1)]
    [InlineData("rolling", 2)]
    [InlineData("overlap", 1)]
    public Task Restarts_without_pause_lose_no_request(string strategy, int surge) =>
        RunAsync(strategy, surge, 300, load => RestartUntilAsync(load, Length));

    [Theory]
    [InlineData("rolling", 2)]
    [InlineData("overlap", 1)]
    public Task Restarts_of_slow_workers_lose_no_request(string strategy, int surge) =>
        RunAsync(strategy, surge, 3000, load => RestartUntilAsync(load, Length / 3));

    [Theory]
    [InlineData(300, 3)]
    public Task Overlap_starts_all_workers_at_the_same_time(int startMilliseconds, int restarts) => DaemonUnderTest.WithAsync(
        $$"""
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.web]
        command = ["@hello@"]
        listeners = ["web"]
        workers = 4
        environment = { HELLO_START_DELAY_MS = "{{startMilliseconds}}" }
        rollout = { strategy = "overlap" }
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web", 4);
            for (var i = 0; i < restarts; i++)
            {
                var mark = daemon.Log.Count;
                await daemon.AskAsync("POST /v1/services/web/restart");
                await daemon.Log.WaitForAsync(mark, MessageIds.RolloutDone, "web", generation: i + 2);
                var workers = (await daemon.StatusAsync("web")).Workers;
                Assert.All(workers, worker => Assert.Equal(i + 2, worker.Generation));

                // The workers start in parallel: the restart takes as long as the slowest one.
                var begun = daemon.Log.Messages
                    .Where(message => message.Generation == i + 2 && message.Kind is MessageIds.WorkerStarted or MessageIds.WorkerReady);
                Assert.Equal(4, begun.TakeWhile(message => message.Kind == MessageIds.WorkerStarted).Count());
            }
        },
        new DaemonOptions { LogLevel = "debug" });

    private async Task RunAsync(
        string strategy, int surge, int startMilliseconds, Func<Func<Task>, Task<int>> restarts) => await DaemonUnderTest.WithAsync(
        $$"""
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.web]
        command = ["@hello@"]
        listeners = ["web"]
        workers = 4
        environment = { HELLO_START_DELAY_MS = "{{startMilliseconds}}" }
        rollout = { strategy = "{{strategy}}", max_surge = {{surge}} }
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web", 4);
            var plan = new LoadPlan
            {
                Target = await daemon.EndPointAsync("web"),
                NewConnectionsPerSecond = NewConnectionsPerSecond,
                SlowInFlight = 16,
            };
            var load = LoadRun.Start(plan, "warm-up");
            LoadReport report;
            int count;
            double others;
            try
            {
                await load.AnswersAsync(2 * NewConnectionsPerSecond);
                var before = ProcessorTime.Read(daemon);
                load.BeginPhase("rest");
                await load.AnswersAsync((long)(Length.TotalSeconds / 4 * NewConnectionsPerSecond));
                load.BeginPhase("restarts");
                count = await restarts(async () =>
                {
                    var restart = await daemon.ListenctlAsync("restart", "web", "--wait");
                    Assert.True(restart.ExitCode == 0, restart.Error);
                });
                load.BeginPhase("rest");
                await load.AnswersAsync((long)(Length.TotalSeconds / 4 * NewConnectionsPerSecond));
                others = ProcessorTime.Read(daemon).OthersSince(before);
            }
            finally
            {
                report = await load.StopAsync();
            }

            var rest = report.Phase("rest")!.New.Latency;
            var restarting = report.Phase("restarts")!.New.Latency;
            var figures = string.Create(
                CultureInfo.InvariantCulture,
                $"{strategy}, max_surge {surge}, {startMilliseconds} ms to start: {report.Requests} requests, {report.Failed} failed, "
                + $"{count} restarts in {report.Phase("restarts")!.Seconds:0.0} s; "
                + $"p50 {rest.P50Ms:0.00} -> {restarting.P50Ms:0.00} ms, p99 {rest.P99Ms:0.00} -> {restarting.P99Ms:0.00} ms, "
                + $"longest {rest.MaxMs:0.0} -> {restarting.MaxMs:0.0} ms; "
                + $"slow p99 {report.Phase("rest")!.Slow.Latency.P99Ms:0.0} -> {report.Phase("restarts")!.Slow.Latency.P99Ms:0.0} ms; "
                + $"other programs had {others:0.0 %} of the processors");
            output.WriteLine(figures);
            Assert.True(report.Failed == 0, $"{figures}\n{string.Join('\n', report.Samples.Take(10))}");
            Assert.Equal(report.Requests, report.Succeeded);
            Assert.True(count > 0);
            if (Length >= FullLength && others <= Undisturbed)
            {
                Assert.True(restarting.P99Ms <= Math.Max(rest.P99Ms * 1.5, rest.P99Ms + Noise.TotalMilliseconds), figures);
            }
            else
            {
                output.WriteLine("The latencies are not judged: the run was short, or the machine busy with something else.");
            }

            Assert.Equal("running", (await daemon.StatusAsync("web")).State);
        });

    private static async Task<int> RestartUntilAsync(Func<Task> restart, TimeSpan length)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var count = 0;
        do
        {
            await restart();
            count++;
        }
        while (clock.Elapsed < length);
        return count;
    }
}
