using System.Diagnostics;
using System.Globalization;
using System.Text;
using Supervisor.Native;

namespace Supervisor.Bench;

/// <summary>10,000 descriptors to one client in C, from the broker and from a plain sender: the third time of three on one connection.</summary>
internal static class BrokerBenchmark
{
    private const int Descriptors = 10_000;
    private const int Terminate = 15;

    /// <summary>About as many bytes as the broker says of each.</summary>
    private const int BytesEach = 180;

    public static IEnumerable<Figure> Run(Workspace workspace, BenchScale scale)
    {
        var folder = workspace.Fresh("run");
        var config = workspace.Fresh("listend.toml");
        var text = new StringBuilder($"[daemon]\nruntime_directory = \"{folder}\"\n");
        for (var i = 0; i < Descriptors; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"[listener.{Name(i)}]\naddress = \"unix-dgram://@listend-bench-{Processes.CurrentPid}-{i}\"\n");
        }

        File.WriteAllText(config, text.ToString());
        using var daemon = Process.Start(new ProcessStartInfo(Workspace.Listend, ["run", "--config", config, "--log-format", "text"]) { RedirectStandardError = true })!;
        try
        {
            while (daemon.StandardError.ReadLine() is { } line && !line.Contains("control socket", StringComparison.Ordinal))
            {
            }

            daemon.ErrorDataReceived += static (_, _) => { };
            daemon.BeginErrorReadLine();
            var program = workspace.Yardstick("broker");
            var count = Descriptors.ToString(CultureInfo.InvariantCulture);
            var ours = new List<long>();
            var plain = new List<long>();
            var bare = new List<long>();
            for (var i = 0; i < scale.Rounds; i++)
            {
                ours.Add(Yardstick.Numbers(program, "take", Path.Combine(folder, "broker.sock"), count)[^1]);
                plain.Add(Yardstick.Numbers(program, "pair", count, BytesEach.ToString(CultureInfo.InvariantCulture))[^1]);
                bare.Add(Yardstick.Numbers(program, "pair", count, "1")[^1]);
            }

            yield return Figure.Of("10,000 descriptors from the broker", ours, plain, "sends them with as many bytes");
            yield return Figure.Of("the same", ours, bare, "sends them with a byte each");
        }
        finally
        {
            Processes.Kill(daemon.Id, Terminate);
            daemon.WaitForExit();
        }
    }

    private static string Name(int i) => string.Create(CultureInfo.InvariantCulture, $"{(char)('a' + (i / 676))}{(char)('a' + (i / 26 % 26))}{(char)('a' + (i % 26))}");
}
