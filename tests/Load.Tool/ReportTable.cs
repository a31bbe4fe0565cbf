using System.Globalization;

namespace Supervisor.Load.Tool;

/// <summary>Prints a report as text.</summary>
internal static class ReportTable
{
    /// <summary>Writes a line for each kind of traffic, then the failures.</summary>
    public static void Write(TextWriter output, LoadReport report)
    {
        output.WriteLine(Line("traffic", "requests", "succeeded", "retried", "failed", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms"));
        foreach (var phase in report.Phases)
        {
            Write(output, "new", phase.New);
            Write(output, "keep-alive", phase.KeepAlive);
            Write(output, "slow", phase.Slow);
        }

        foreach (var (kind, count) in report.Failures)
        {
            output.WriteLine($"failed: {count} {kind}");
        }

        foreach (var sample in report.Samples.Take(10))
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"  at {sample.AtMs:0} ms, {sample.Traffic}, {sample.Kind}: {sample.Detail}"));
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Requests} requests in {report.Seconds:0.0} s: "
            + $"{(report.Failed == 0 ? "nothing was lost" : $"{report.Failed} failed")}"));
    }

    private static void Write(TextWriter output, string name, TrafficReport traffic)
    {
        if (traffic.Requests > 0)
        {
            var latency = traffic.Latency;
            output.WriteLine(Line(
                name, traffic.Requests, traffic.Succeeded, traffic.Retried, traffic.Failed,
                latency.P50Ms, latency.P90Ms, latency.P99Ms, latency.P999Ms, latency.MaxMs));
        }
    }

    private static string Line(params object[] cells) => string.Create(
        CultureInfo.InvariantCulture,
        $"{cells[0],-10}{cells[1],10}{cells[2],11}{cells[3],9}{cells[4],8}{cells[5],10:0.000}"
        + $"{cells[6],10:0.000}{cells[7],10:0.000}{cells[8],10:0.000}{cells[9],10:0.000}");
}
