using System.Globalization;
using System.Text;
using Supervisor.Native;

namespace Supervisor.Bench;

/// <summary>
/// Sends 10,000 descriptors to one client in C, from the broker and from a plain sender; the third of three times on one connection.
/// </summary>
internal static class BrokerBenchmark
{
    private const int Descriptors = 10_000;

    /// <summary>About as many bytes as the broker sends for each descriptor.</summary>
    private const int BytesEach = 180;

    public static IEnumerable<Figure> Run(Workspace workspace, BenchScale scale)
    {
        var listeners = new StringBuilder();
        for (var i = 0; i < Descriptors; i++)
        {
            listeners.Append(
                CultureInfo.InvariantCulture,
                $"[listener.{Name(i)}]\naddress = \"unix-dgram://@listend-bench-{Processes.CurrentPid}-{i}\"\n");
        }

        using var listend = ListendProcess.WithListeners(workspace, listeners.ToString());
        listend.WaitUntilReady();
        var program = workspace.Yardstick("broker");
        var count = Descriptors.ToString(CultureInfo.InvariantCulture);
        var ours = new List<long>();
        var plain = new List<long>();
        var bare = new List<long>();
        for (var i = 0; i < scale.Rounds; i++)
        {
            ours.Add(Yardstick.Numbers(program, "take", listend.BrokerSocket, count)[^1]);
            plain.Add(Yardstick.Numbers(program, "pair", count, BytesEach.ToString(CultureInfo.InvariantCulture))[^1]);
            bare.Add(Yardstick.Numbers(program, "pair", count, "1")[^1]);
        }

        yield return Figure.Of("10,000 descriptors from the broker", ours, plain, "sends them with as many bytes");
        yield return Figure.Of("the same", ours, bare, "sends them with a byte each");
    }

    private static string Name(int i) =>
        string.Create(CultureInfo.InvariantCulture, $"{(char)('a' + (i / 676))}{(char)('a' + (i / 26 % 26))}{(char)('a' + (i % 26))}");
}
