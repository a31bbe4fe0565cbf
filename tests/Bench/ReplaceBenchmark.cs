using System.Diagnostics;
using Supervisor.Native;

namespace Supervisor.Bench;

/// <summary>Measures the time from a worker's SIGKILL to the first instruction of its replacement's main().</summary>
internal static class ReplaceBenchmark
{
    private const int SigKill = 9;

    /// <summary>Server::Starter, if it is installed (Debian: libserver-starter-perl).</summary>
    private const string ServerStarter = "/usr/bin/start_server";

    /// <summary>
    /// The pause before a kill: the worker is in its main() and still has to send READY=1, and the supervisor has to handle it and
    /// become idle. No event reports that. A kill before it would measure the start of the previous worker too.
    /// </summary>
    private static readonly TimeSpan UntilIdle = TimeSpan.FromMilliseconds(40);

    public static IEnumerable<Figure> Run(Workspace workspace, BenchScale scale)
    {
        using var ourStamps = new StampSocket(workspace.Fresh("stamps"));
        using var theirStamps = new StampSocket(workspace.Fresh("stamps"));
        using var vforkStamps = new StampSocket(workspace.Fresh("stamps"));
        using var listend = ListendProcess.WithWorkers(workspace, 1, ourStamps.Path);
        var (supervise, worker) = (workspace.Yardstick("supervise"), workspace.Yardstick("worker"));
        using var yardstick = Yardstick.Start(supervise, "supervisor", workspace.Fresh("notify"), worker, theirStamps.Path);
        using var vfork = Yardstick.Start(supervise, "vfork", workspace.Fresh("notify"), worker, vforkStamps.Path);
        var ours = new List<long>();
        var theirs = new List<long>();
        var vforks = new List<long>();
        var ourPid = ourStamps.Receive().Pid;
        var theirPid = theirStamps.Receive().Pid;
        var vforkPid = vforkStamps.Receive().Pid;
        const int warmUp = 3;
        for (var i = 0; i < scale.Rounds + warmUp; i++)
        {
            ours.Add(Replace(ref ourPid, ourStamps));
            theirs.Add(Replace(ref theirPid, theirStamps));
            vforks.Add(Replace(ref vforkPid, vforkStamps));
        }

        yield return Figure.Of(
            "SIGKILL to the replacement's main()",
            ours[warmUp..],
            theirs[warmUp..],
            "the same steps: launcher, notify socket, pipes, epoll");
        yield return Figure.Of("the same", ours[warmUp..], vforks[warmUp..], "waits on a pidfd; vfork, execve");
        if (!File.Exists(ServerStarter))
        {
            yield break;
        }

        using var starterStamps = new StampSocket(workspace.Fresh("stamps"));
        using var starter = Yardstick.StartPeer(
            ServerStarter, "--interval=0", $"--path={workspace.Fresh("socket")}", "--", worker, starterStamps.Path);
        var starterPid = starterStamps.Receive().Pid;
        var starters = new List<long>();
        for (var i = 0; i < Math.Max(1, scale.Rounds / 3); i++)
        {
            starters.Add(Replace(ref starterPid, starterStamps));
        }

        yield return Figure.Of("the same", ours[warmUp..], starters, "Server::Starter, --interval=0");
    }

    private static long Replace(ref int pid, StampSocket stamps)
    {
        Thread.Sleep(UntilIdle);
        var begin = Stopwatch.GetTimestamp();
        Processes.Kill(pid, SigKill);
        (pid, var at) = stamps.Receive();
        return at - begin;
    }
}
