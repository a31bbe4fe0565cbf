using System.Diagnostics;
using System.Globalization;

namespace Supervisor.Bench;

/// <summary>Measures the idle daemon: memory and system calls, before and after requests and restarts.</summary>
internal static class RestBenchmark
{
    /// <summary>
    /// The time after the last connection until the daemon is idle again: it stops HTTP after 5 s (OnDemandServer.IdleAfter) and
    /// returns the memory 1 s later (IdleMemoryTrimmer.AfterService). No event reports the second step, and a log of the first
    /// (level debug) would be part of the measurement.
    /// </summary>
    private static readonly TimeSpan UntilIdle = TimeSpan.FromSeconds(7);

    /// <summary>
    /// The time after the start until the daemon is idle: it returns the memory of its start after 2 s (IdleMemoryTrimmer.AfterStart),
    /// which no event reports.
    /// </summary>
    private static readonly TimeSpan UntilAtRest = TimeSpan.FromSeconds(3);

    public static IEnumerable<Figure> Run(Workspace workspace, BenchScale scale)
    {
        const int workers = 4;
        using (var listend = ListendProcess.WithWorkers(workspace, workers, stampSocket: null))
        using (var yardstick = Yardstick.Start(
            workspace.Yardstick("supervise"), "vfork", workspace.Fresh("notify"), workspace.Yardstick("worker")))
        {
            listend.WaitUntilReady();
            Thread.Sleep(UntilAtRest);
            foreach (var figure in AtRest(workspace, scale, listend, yardstick, "4 workers"))
            {
                yield return figure;
            }

            Requests(listend, 100, Stopwatch.StartNew(), scale.Limit);
            Thread.Sleep(UntilIdle);
            foreach (var figure in AtRest(workspace, scale, listend, yardstick, "4 workers, 100 requests later"))
            {
                yield return figure;
            }
        }

        using (var listend = ListendProcess.WithWorkers(workspace, 1, stampSocket: null))
        {
            listend.WaitUntilReady();
            Thread.Sleep(UntilAtRest);
            var before = ProcessMemory.Of(listend.Pid);
            var clock = Stopwatch.StartNew();
            var requests = Requests(listend, scale.Requests, clock, scale.Limit);
            var restarts = Restarts(listend, scale.Restarts, clock, scale.Limit * 2);
            Thread.Sleep(UntilIdle);
            var after = ProcessMemory.Of(listend.Pid);
            var what = string.Create(CultureInfo.InvariantCulture, $"growth by {requests} requests and {restarts} restarts");
            yield return new Figure($"PSS, {what}", "MiB", after.Proportional - before.Proportional);
            yield return new Figure($"RSS, {what}", "MiB", after.Resident - before.Resident);
        }
    }

    private static IEnumerable<Figure> AtRest(
        Workspace workspace,
        BenchScale scale,
        ListendProcess listend,
        Yardstick yardstick,
        string when)
    {
        var (ours, theirs) = (ProcessMemory.Of(listend.Pid), ProcessMemory.Of(yardstick.Pid));
        yield return new Figure($"PSS, {when}", "MiB", ours.Proportional, theirs.Proportional, "waits on a pidfd");
        yield return new Figure($"RSS, {when}", "MiB", ours.Resident, theirs.Resident, "the same");
        var watched = scale.Limit / 6;
        if (SystemCallWatch.Count(listend.Pid, watched, workspace.Fresh("strace")) is { } calls)
        {
            yield return new Figure(
                string.Create(CultureInfo.InvariantCulture, $"system calls in {watched.TotalSeconds:0} s, {when}"),
                "",
                calls,
                SystemCallWatch.Count(yardstick.Pid, watched / 10, workspace.Fresh("strace")),
                "the same");
        }
    }

    private static int Requests(ListendProcess listend, int count, Stopwatch clock, TimeSpan limit)
    {
        using var client = listend.Connect();
        var done = 0;
        for (; done < count && clock.Elapsed < limit; done++)
        {
            client.GetStringAsync(new Uri("/v1/status", UriKind.Relative)).Wait();
        }

        return done;
    }

    private static int Restarts(ListendProcess listend, int count, Stopwatch clock, TimeSpan limit)
    {
        using var client = listend.Connect();
        var done = 0;
        for (; done < count && clock.Elapsed < limit; done++)
        {
            using var answer = client.PostAsync(new Uri("/v1/services/w/restart?wait=true", UriKind.Relative), null).Result;
            answer.EnsureSuccessStatusCode();
            answer.Content.ReadAsStringAsync().Wait();
        }

        return done;
    }
}
