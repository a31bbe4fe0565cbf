using System.Diagnostics;

namespace Supervisor.Bench;

/// <summary>
/// Measures how the start, requests, the recovery, the upgrade and the stop grow with the number of services, each with a listener and a
/// worker.
/// </summary>
internal static class GrowthBenchmark
{
    private static readonly int[] Counts = [10, 100, 1000];

    private static readonly (string Name, HttpMethod Method, string Target)[] Requests =
    [
        ("GET /v1/status", HttpMethod.Get, "/v1/status"),
        ("GET /v1/listeners", HttpMethod.Get, "/v1/listeners"),
        ("reload without a change", HttpMethod.Post, "/v1/reload"),
    ];

    public static IEnumerable<Figure> Run(Workspace workspace, BenchScale scale)
    {
        foreach (var count in Counts)
        {
            var steps = new Dictionary<string, List<long>>(StringComparer.Ordinal);
            for (var i = 0; i <= Math.Max(1, scale.Rounds / 10); i++)
            {
                Life(workspace, count, (step, took) =>
                {
                    if (!steps.TryGetValue(step, out var series))
                    {
                        steps.Add(step, series = []);
                    }

                    series.Add(took);
                });
            }

            const string against = "the same steps: launcher, notify socket, pipes, epoll; no listeners";
            yield return Figure.Of($"start of {count} services", steps["start"], steps["C start"], against);
            foreach (var (name, _, _) in Requests)
            {
                yield return new Figure($"{name} with {count} services", "ms", Figure.Median(steps[name]) / 1e6);
            }

            yield return new Figure($"recovery of {count} services", "ms", Figure.Median(steps["recovery"]) / 1e6);
            yield return new Figure($"upgrade with {count} services", "ms", Figure.Median(steps["upgrade"]) / 1e6);
            yield return Figure.Of($"stop of {count} services", steps["stop"], steps["C stop"], "SIGKILL and waitpid for each");
        }
    }

    /// <summary>One life of listend and one of the yardstick; reports the nanoseconds of each step.</summary>
    private static void Life(Workspace workspace, int count, Action<string, long> report)
    {
        using (var listend = ListendProcess.WithServices(workspace, count))
        {
            report("start", listend.WaitUntilReady() - listend.StartedAt);
            using var http = listend.Connect();
            foreach (var (name, method, target) in Requests)
            {
                // The first one after a pause starts the server.
                Send(http, method, target);
                report(name, Time(() => Send(http, method, target)));
            }

            using var next = listend.KillAndStartAgain();
            report("recovery", next.WaitUntilReady() - next.StartedAt);
            report("upgrade", Time(next.Upgrade));
            report("stop", Time(next.Stop));
        }

        var begin = Stopwatch.GetTimestamp();
        var yardstick = Yardstick.Start(
            workspace.Yardstick("start"), "supervisor", $"{count}", workspace.Fresh("notify"), workspace.Yardstick("worker"));
        report("C start", yardstick.Next() - begin);
        report("C stop", Time(yardstick.Dispose));
    }

    private static void Send(HttpClient http, HttpMethod method, string target)
    {
        using var request = new HttpRequestMessage(method, target);
        using var answer = http.Send(request);
        answer.EnsureSuccessStatusCode();
        answer.Content.ReadAsStream().CopyTo(Stream.Null);
    }

    private static long Time(Action step)
    {
        var begin = Stopwatch.GetTimestamp();
        step();
        return Stopwatch.GetTimestamp() - begin;
    }
}
