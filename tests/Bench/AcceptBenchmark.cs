using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Supervisor.Bench;

/// <summary>
/// Measures services that start a process for each connection beside systemd with <c>Accept=yes</c>, in the container of tests/Systemd. It
/// needs root and the container's root file system, which the first run of tests/Systemd makes.
/// </summary>
internal static class AcceptBenchmark
{
    private const string Mark = "# series ";

    public static IEnumerable<Figure> Run(Workspace workspace, BenchScale scale)
    {
        if (!Directory.Exists(Path.Combine(Workspace.Root, "artifacts/systemd"))
            || Directory.GetDirectories(Path.Combine(Workspace.Root, "artifacts/systemd"), "rootfs-*").Length == 0)
        {
            Console.Error.WriteLine("per-connection-systemd: artifacts/systemd has no container: run tests/Systemd/run as root");
            return [];
        }

        var start = new ProcessStartInfo(Path.Combine(Workspace.Root, "tests/Systemd/run"), ["install", "start", "connections"])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["LISTEND_BIN"] = Path.GetDirectoryName(Workspace.Listend);
        start.Environment["LISTEND_ROUNDS"] = Math.Max(1, scale.Rounds / 6).ToString(CultureInfo.InvariantCulture);
        using var container = Process.Start(start)!;
        var lines = container.StandardOutput.ReadToEnd().Split('\n');
        container.WaitForExit();
        var found = lines.FirstOrDefault(line => line.StartsWith(Mark, StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"tests/Systemd/run has no figures:\n{string.Join('\n', lines)}");
        using var series = JsonDocument.Parse(found[Mark.Length..]);
        var all = series.RootElement.EnumerateObject().ToDictionary(
            one => one.Name, one => one.Value.EnumerateArray().Select(value => value.GetInt64()).ToArray(), StringComparer.Ordinal);
        return [.. all.Where(one => one.Key != "listend").Select(other => Figure.Of(
            "200 connections in a container, a process for each, 100 at once", all["listend"], other.Value, other.Key))];
    }
}
