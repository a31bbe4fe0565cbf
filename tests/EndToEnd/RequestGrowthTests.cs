using System.Diagnostics;
using System.Globalization;
using System.Text;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>
/// A request costs one service or listener the same, however many there are: counted in system calls of the daemon and in bytes
/// of the answer, not in time.
/// </summary>
[Trait("Category", "Load")]
public sealed class RequestGrowthTests
{
    private const int Interrupt = 2;
    private const int Few = 100;
    private const int Many = 1000;
    private const double MostGrowth = 1.5;

    /// <summary>Collections, timers and threads of the runtime, which may or may not fall into a request.</summary>
    private const int CallsOfTheRuntime = 200;

    /// <summary>What is asked, and whether the answer is about all services.</summary>
    private static readonly (HttpMethod Method, string Target, bool IsOfAll)[] Requests =
    [
        (HttpMethod.Get, "/v1/status", true),
        (HttpMethod.Get, "/v1/listeners", true),
        (HttpMethod.Get, "/metrics", true),
        (HttpMethod.Post, "/v1/reload", true),
        (HttpMethod.Get, "/v1/services/s7", false),
        (HttpMethod.Get, "/v1/listeners/l7", false),
        (HttpMethod.Get, "/v1/status?service=s7", false),
        (HttpMethod.Get, "/v1/status?services=false", false),
    ];

    [Fact]
    public async Task A_request_costs_each_service_the_same_with_a_hundred_and_with_a_thousand()
    {
        var few = await CostsAsync(Few);
        var many = await CostsAsync(Many);
        foreach (var (request, i) in Requests.Select((request, i) => (request, i)))
        {
            var factor = request.IsOfAll ? (double)Many / Few : 1;
            Assert.True(
                many[i].Calls <= (few[i].Calls * factor * MostGrowth) + CallsOfTheRuntime,
                $"{request.Target}: {few[i].Calls} system calls with {Few} services, {many[i].Calls} with {Many}");
            Assert.True(
                many[i].Bytes <= few[i].Bytes * factor * MostGrowth,
                $"{request.Target}: {few[i].Bytes} bytes with {Few} services, {many[i].Bytes} with {Many}");
        }
    }

    private static async Task<(int Calls, int Bytes)[]> CostsAsync(int services)
    {
        var config = new StringBuilder();
        for (var i = 0; i < services; i++)
        {
            config.AppendLine(
                CultureInfo.InvariantCulture,
                $$"""
                [listener.l{{i}}]
                address = "tcp://127.0.0.1:0"
                [service.s{{i}}]
                command = ["/bin/sleep", "infinity"]
                listeners = ["l{{i}}"]
                ready = "started"
                log = "inherit"
                """);
        }

        var costs = new (int Calls, int Bytes)[Requests.Length];
        await DaemonUnderTest.WithAsync(config.ToString(), async daemon =>
        {
            await daemon.WaitUntilReadyAsync($"s{services - 1}");
            using var client = daemon.Http();
            for (var i = 0; i < Requests.Length; i++)
            {
                await SendAsync(client, Requests[i].Method, Requests[i].Target);
                var bytes = 0;
                var calls = await CountAsync(
                    daemon, async () => bytes = await SendAsync(client, Requests[i].Method, Requests[i].Target));
                costs[i] = (calls, bytes);
            }
        });
        return costs;
    }

    private static async Task<int> SendAsync(HttpClient client, HttpMethod method, string target)
    {
        using var request = new HttpRequestMessage(method, target);
        using var answer = await client.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, $"{target}: {answer.StatusCode}");
        return (await answer.Content.ReadAsByteArrayAsync()).Length;
    }

    /// <summary>The system calls of all threads of the daemon in the meantime; futex(2) is how its threads wake each other.</summary>
    private static async Task<int> CountAsync(DaemonUnderTest daemon, Func<Task> act)
    {
        var summary = Path.Combine(daemon.Directory.Path, "calls");
        using var strace = Process.Start(new ProcessStartInfo(
            Needs.Program("strace", "strace"),
            ["-c", "-f", "-e", "trace=!futex", "-o", summary, "-p", daemon.Pid.ToString(CultureInfo.InvariantCulture)])
        { RedirectStandardError = true })!;
        Assert.Contains("attached", await strace.StandardError.ReadLineAsync(), StringComparison.Ordinal);
        await act();
        RunningProgram.Kill(strace.Id, Interrupt);
        await strace.WaitForExitAsync();
        var total = (await File.ReadAllLinesAsync(summary)).Single(line => line.EndsWith(" total", StringComparison.Ordinal));
        return int.Parse(total.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3], CultureInfo.InvariantCulture);
    }
}
