using System.Diagnostics;
using Supervisor.Native;

namespace Supervisor.Bench;

/// <summary>Measures the time from a worker's SIGKILL to the first instruction of its replacement's main().</summary>
internal static class ReplaceBenchmark
{
    private const int SigKill = 9;

    /// <summary>Server::Starter, if it is installed (Debian: libserver-starter-perl).</summary>
    private const string ServerStarter = "/usr/bin/start_server";

    /// <summary>The pause between two kills, in which the supervisor receives READY=1 and becomes idle.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(40);

    public static IEnumerable<Figure> Run(Workspace workspace, BenchScale scale)
    {
        using var ourStamps = new StampSocket(workspace.Fresh("stamps"));
        using var theirStamps = new StampSocket(workspace.Fresh("stamps"));
        using var vforkStamps = new StampSocket(workspace.Fresh("stamps"));
        using var listend = ListendProcess.WithWorkers(workspace, 1, ourStamps.Path);
        using var yardstick = Yardstick.Start(
            workspace.Yardstick("supervise"),
            "supervisor",
            workspace.Fresh("notify"),
            workspace.Yardstick("worker"),
            theirStamps.Path);
        using var vfork = Yardstick.Start(
            workspace.Yardstick("supervise"),
            "vfork",
            workspace.Fresh("notify"),
            workspace.Yardstick("worker"),
            vforkStamps.Path);
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
            ServerStarter,
            "--interval=0",
            $"--path={workspace.Fresh("socket")}",
            "--",
            workspace.Yardstick("worker"),
            starterStamps.Path);
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
        Thread.Sleep(Pause);
        var begin = Stopwatch.GetTimestamp();
        Processes.Kill(pid, SigKill);
        (pid, var at) = stamps.Receive();
        return at - begin;
    }
}
