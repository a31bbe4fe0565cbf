using System.Diagnostics;
using System.Globalization;

namespace Supervisor.Bench;

/// <summary>Explains a port in use on a host with 10,000 listening sockets in 500 processes; whole commands, next to ss.</summary>
internal static class ExplainBenchmark
{
    private const int Crowd = 500;
    private const int SocketsEach = 20;

    public static IEnumerable<Figure> Run(Workspace workspace, BenchScale scale)
    {
        using var crowd = Yardstick.Start(workspace.Yardstick("crowd"), Text(Crowd), Text(SocketsEach));
        var address = $"tcp://127.0.0.1:{Text(crowd.Next())}";
        var explain = new List<long>();
        var ss = new List<long>();
        for (var i = 0; i <= scale.Rounds; i++)
        {
            explain.Add(Took(Workspace.Listenctl, "explain", address, "--json"));
            ss.Add(Took("ss", "-ltnp"));
        }

        yield return Figure.Of("explain, 10,000 listening sockets, 500 processes", explain[1..], ss[1..], "ss -ltnp");
    }

    private static long Took(string program, params string[] arguments)
    {
        var begin = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return Stopwatch.GetTimestamp() - begin;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
