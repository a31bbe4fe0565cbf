using Supervisor.Load;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd;

/// <summary>Workers of other projects, each restarted under a light load without a lost request.</summary>
public sealed class ForeignWorkerTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("rolling")]
    [InlineData("overlap")]
    public Task Kestrel(string strategy) => RunAsync(strategy, "[\"@hello@\"]", "");

    [Theory]
    [InlineData("rolling")]
    [InlineData("overlap")]
    public Task Node(string strategy) => RunAsync(strategy, $"[\"{Needs.Program("node", "nodejs")}\", \"{Worker("server.js")}\"]", "");

    [Theory]
    [InlineData("rolling")]
    [InlineData("overlap")]
    public Task Gunicorn(string strategy) => RunAsync(
        strategy,
        $"[\"{Needs.Program("gunicorn", "gunicorn")}\", \"--chdir\", \"{Worker("")}\", \"--workers\", \"4\", \"app:application\"]",
        "");

    [Theory]
    [InlineData("rolling")]
    [InlineData("overlap")]
    public Task Python(string strategy) =>
        RunAsync(strategy, $"[\"{Needs.Program("python3", "python3")}\", \"{Worker("server.py")}\"]", "");

    private async Task RunAsync(string strategy, string command, string settings) => await DaemonUnderTest.WithAsync(
        $$"""
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.web]
        command = {{command}}
        listeners = ["web"]
        workers = 2
        rollout = { strategy = "{{strategy}}" }
        {{settings}}
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web", 2);
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
                for (var i = 0; i < 3; i++)
                {
                    var restart = await daemon.ListenctlAsync("restart", "web", "--wait");
                    Assert.True(restart.ExitCode == 0, restart.Error);
                }
            }
            finally
            {
                report = await load.StopAsync();
            }

            output.WriteLine($"{strategy}: {report.Requests} requests, {report.Failed} failed in {report.Seconds} s");
            Assert.True(report.Failed == 0, $"{report.Failed} of {report.Requests} failed\n{string.Join('\n', report.Samples.Take(10))}");
            Assert.True(report.Requests > 50);
            Assert.Equal((4, 2), ((await daemon.StatusAsync("web")).Generation, (await daemon.StatusAsync("web")).Ready));
        });

    private static string Worker(string file) => Path.Combine(AppContext.BaseDirectory, "workers", file);
}
