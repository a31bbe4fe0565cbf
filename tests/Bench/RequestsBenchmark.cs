using System.Diagnostics;

namespace Supervisor.Bench;

/// <summary>
/// Measures requests to a daemon with 10, 100 and 1,000 listeners, each with a service of one worker: what is constant for each
/// service grows a hundredfold.
/// </summary>
internal static class RequestsBenchmark
{
    private static readonly int[] Counts = [10, 100, 1000];

    private static readonly (HttpMethod Method, string Target)[] Requests =
    [
        (HttpMethod.Get, "/v1/status"),
        (HttpMethod.Get, "/v1/listeners"),
        (HttpMethod.Get, "/metrics"),
        (HttpMethod.Post, "/v1/reload"),
        (HttpMethod.Get, "/v1/services/s7"),
    ];

    public static IEnumerable<Figure> Run(Workspace workspace, BenchScale scale)
    {
        foreach (var count in Counts)
        {
            using var listend = ListendProcess.WithServices(workspace, count);
            listend.WaitUntilReady();
            using var client = listend.Connect();
            foreach (var (method, target) in Requests)
            {
                var (ours, ss) = (new List<long>(), new List<long>());
                for (var i = 0; i <= Math.Max(1, scale.Rounds / 3); i++)
                {
                    ours.Add(Time(() => Send(client, method, target)));
                    if (target == "/v1/listeners")
                    {
                        ss.Add(Time(ListWithSs));
                    }
                }

                var what = $"{method} {target} with {count} services";
                yield return ss.Count == 0
                    ? new Figure(what, "ms", Figure.Median(ours[1..]) / 1e6)
                    : Figure.Of(what, ours[1..], ss[1..], "ss: starts and lists all listening sockets with their queues");
            }
        }
    }

    /// <summary>Nanoseconds.</summary>
    private static long Time(Action act)
    {
        var begin = Stopwatch.GetTimestamp();
        act();
        return Stopwatch.GetTimestamp() - begin;
    }

    private static void Send(HttpClient client, HttpMethod method, string target)
    {
        using var request = new HttpRequestMessage(method, target);
        using var answer = client.Send(request);
        answer.EnsureSuccessStatusCode();
        answer.Content.ReadAsStream().CopyTo(Stream.Null);
    }

    private static void ListWithSs()
    {
        using var ss = Process.Start(new ProcessStartInfo("ss", ["-Hltumx"]) { RedirectStandardOutput = true })!;
        ss.StandardOutput.BaseStream.CopyTo(Stream.Null);
        ss.WaitForExit();
    }
}
