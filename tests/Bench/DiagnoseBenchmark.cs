using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Supervisor.Bench;

/// <summary>
/// Examines 10,000 connections in 16 workers: <c>diagnose</c> without its interval, and <c>connections -n 20</c>; whole commands, next to
/// ss.
/// </summary>
internal static class DiagnoseBenchmark
{
    private const int Workers = 16;
    private const int Connections = 10_000;
    private const int IntervalMs = 200;

    public static IEnumerable<Figure> Run(Workspace workspace, BenchScale scale)
    {
        using var listend = ListendProcess.WithHolders(workspace, Workers);
        listend.WaitUntilReady();
        using var clients = Yardstick.Start(workspace.Yardstick("connect"), Port(listend), Text(Connections));
        if (clients.Next() != Connections)
        {
            throw new InvalidOperationException("not all connections are established");
        }

        var (diagnose, connections, ss) = (new List<long>(), new List<long>(), new List<long>());
        var interval = (long)TimeSpan.FromMilliseconds(IntervalMs).TotalNanoseconds;
        for (var i = 0; i <= scale.Rounds; i++)
        {
            string[] client = ["--socket", listend.ControlSocket];
            diagnose.Add(Took(Workspace.Listenctl, [.. client, "diagnose", "--interval", $"{IntervalMs}ms"]) - interval);
            connections.Add(Took(Workspace.Listenctl, [.. client, "connections", "-n", "20"]));
            ss.Add(Took("ss", "-tinp"));
        }

        const string what = "10,000 connections in 16 workers";
        yield return Figure.Of($"diagnose without its interval, {what}", diagnose[1..], ss[1..], "ss -tinp");
        yield return Figure.Of($"connections -n 20, {what}", connections[1..], ss[1..], "ss -tinp");
    }

    private static string Port(ListendProcess listend)
    {
        using var client = listend.Connect();
        using var listeners = JsonDocument.Parse(client.GetStringAsync(new Uri("/v1/listeners", UriKind.Relative)).Result);
        var address = listeners.RootElement[0].GetProperty("effective").GetString()!;
        return address[(address.LastIndexOf(':') + 1)..];
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
