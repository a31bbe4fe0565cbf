using System.Globalization;

namespace Supervisor.Bench;

/// <summary>Creates, reads back and records 10,000 TCP listeners, each on its own address.</summary>
internal static class ListenersBenchmark
{
    private const int Listeners = 10_000;

    public static IEnumerable<Figure> Run(Workspace workspace, BenchScale scale)
    {
        var ours = new List<long>();
        var bare = new List<long>();
        var readBack = new List<long>();
        var program = workspace.Yardstick("listeners");
        var count = Listeners.ToString(CultureInfo.InvariantCulture);
        for (var i = 0; i <= Math.Max(1, scale.Rounds / 3); i++)
        {
            ours.AddRange(Yardstick.Numbers(Workspace.Probe, "listeners", count));
            bare.AddRange(Yardstick.Numbers(program, count));
            readBack.AddRange(Yardstick.Numbers(program, count, "read-back"));
        }

        yield return Figure.Of("10,000 listeners made, read back and recorded", ours, bare, "makes them");
        yield return Figure.Of("the same", ours, readBack, "makes them and reads them back");
    }
}
