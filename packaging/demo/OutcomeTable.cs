using System.Globalization;
using Spectre.Console;
using Supervisor.Load;

namespace Supervisor.Demo;

/// <summary>The table of results.</summary>
internal static class OutcomeTable
{
    /// <summary>Shows the counts, the measurements and the verdict.</summary>
    public static void Show(Stage stage, Outcome outcome)
    {
        if (outcome.Load is { } load)
        {
            stage.Table(Of([.. load.Phases, .. outcome.Leaving?.Phases ?? []]));
            stage.Line(
                "p50, p99 and max are those of new connections, in milliseconds from when each was due to its last byte");
            if (load.Phase(Phases.Rest)?.New.Latency is { } rest && load.Phase(Phases.Restarts)?.New.Latency is { } restarts)
            {
                stage.Line($"p50 at rest {Milliseconds(rest.P50Ms)} ms, during restarts {Milliseconds(restarts.P50Ms)} ms; p99 at rest "
                    + $"{Milliseconds(rest.P99Ms)} ms, during restarts {Milliseconds(restarts.P99Ms)} ms");
            }

            var failures = load.Failures.Concat(outcome.Leaving?.Failures ?? new Dictionary<FailureKind, long>())
                .GroupBy(failure => failure.Key, failure => failure.Value)
                .Select(kind => $"{kind.Sum()} {Words.Of(kind.Key)}");
            stage.Line($"failures by kind: {(string.Join(", ", failures) is { Length: > 0 } kinds ? kinds : "none")}");
        }

        if (outcome.Restarts.Count > 0)
        {
            var restarts = string.Join(", ", outcome.Restarts.Select(time => $"{Milliseconds(time.TotalSeconds)} s"));
            stage.Line($"restarts of 4 workers took {restarts}, including the drain of the old ones");
        }

        if (outcome.DiedWithWorker > 0)
        {
            stage.Line($"{outcome.DiedWithWorker} {(outcome.DiedWithWorker == 1 ? "connection was" : "connections were")} accepted "
                + "by the killed worker and died with it; its siblings served the connections in the queue");
        }

        foreach (var problem in outcome.Problems)
        {
            stage.Bad(problem);
        }

        if (outcome.Problems.Count == 0)
        {
            stage.Good(outcome.DiedWithWorker == 0 ? "nothing was lost" : "nothing else was lost");
            stage.Line("idle keep-alive connections end with their worker: see docs/explanation/restarts.md#keep-alive-connections");
        }
    }

    private static Table Of(IEnumerable<PhaseReport> phases)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn("phase");
        foreach (var column in (string[])["seconds", "requests", "failed", "retried", "p50", "p99", "max"])
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        foreach (var phase in phases)
        {
            var latency = phase.New.Succeeded > 0 ? phase.New.Latency : null;
            table.AddRow(
                phase.Name,
                phase.Seconds.ToString("0.0", CultureInfo.InvariantCulture),
                phase.Total.Requests.ToString(CultureInfo.InvariantCulture),
                phase.Total.Failed.ToString(CultureInfo.InvariantCulture),
                phase.Total.Retried.ToString(CultureInfo.InvariantCulture),
                Milliseconds(latency?.P50Ms),
                Milliseconds(latency?.P99Ms),
                Milliseconds(latency?.MaxMs));
        }

        return table;
    }

    private static string Milliseconds(double? value) => value?.ToString("0.00", CultureInfo.InvariantCulture) ?? "-";
}
