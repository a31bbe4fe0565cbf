using System.Diagnostics;

namespace Supervisor.Bench;

/// <summary>Measures the time from the supervisor's start until 200 workers are ready.</summary>
internal static class StartBenchmark
{
    private const int Workers = 200;

    public static IEnumerable<Figure> Run(Workspace workspace, BenchScale scale)
    {
        var ours = new List<long>();
        var theirs = new List<long>();
        var vforks = new List<long>();
        for (var i = 0; i <= Math.Max(1, scale.Rounds / 4); i++)
        {
            using (var listend = ListendProcess.WithWorkers(workspace, Workers, stampSocket: null))
            {
                ours.Add(listend.WaitUntilReady() - listend.StartedAt);
            }

            theirs.Add(Yard("supervisor"));
            vforks.Add(Yard("vfork"));
        }

        yield return Figure.Of(
            $"start to {Workers} workers ready",
            ours[1..],
            theirs[1..],
            "the same steps: launcher, notify socket, pipes, epoll");
        yield return Figure.Of("the same", ours[1..], vforks[1..], "vfork, execve, one notify socket for all");

        long Yard(string how)
        {
            var begin = Stopwatch.GetTimestamp();
            using var yardstick = Yardstick.Start(
                workspace.Yardstick("start"),
                how,
                $"{Workers}",
                workspace.Fresh("notify"),
                workspace.Yardstick("worker"));
            return yardstick.Next() - begin;
        }
    }
}
