using System.Globalization;

namespace Supervisor.Bench;

/// <summary>Measures the time from the call to the child's main().</summary>
internal static class SpawnBenchmark
{
    public static IEnumerable<Figure> Run(Workspace workspace, BenchScale scale)
    {
        var ours = new List<long>();
        var launcher = new List<long>();
        var vfork = new List<long>();
        var posix = new List<long>();
        const string each = "20";
        var (spawn, worker) = (workspace.Yardstick("spawn"), workspace.Yardstick("worker"));
        for (var i = 0; i <= Math.Max(1, scale.Rounds / 3); i++)
        {
            ours.AddRange(Yardstick.Numbers(Workspace.Probe, "spawn", each, worker, workspace.Fresh("stamps")));
            launcher.AddRange(Yardstick.Numbers(spawn, "launcher", each, worker, workspace.Fresh("stamps")));
            vfork.AddRange(Yardstick.Numbers(spawn, "vfork", each, worker, workspace.Fresh("stamps")));
            posix.AddRange(Yardstick.Numbers(spawn, "posix_spawn", each, worker, workspace.Fresh("stamps")));
        }

        yield return Figure.Of("ChildProcess.Start to the child's main()", ours, launcher, "vfork, launcher, execve");
        yield return Figure.Of(
            "the same",
            ours,
            vfork,
            string.Create(CultureInfo.InvariantCulture, $"vfork, execve ({vfork.Count} times)"));
        yield return Figure.Of("the same", ours, posix, "posix_spawn");
    }
}
