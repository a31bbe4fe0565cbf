using System.Globalization;
using Supervisor.Control;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Reports;

/// <summary>
/// What <c>status</c> and <c>listeners</c> show of a thousand rows: how many are in which state, and those that need attention.
/// </summary>
internal static class Summary
{
    /// <summary>The longest table that is shown as a whole unless <c>--all</c> is given.</summary>
    public const int MostRows = 50;

    /// <summary>Rows that need attention; more of them are counted.</summary>
    private const int MostShown = 15;

    /// <summary>The longest remark about a row.</summary>
    private const int MostText = 100;

    /// <summary>The services: how many in each state, then those that need attention, the most serious first.</summary>
    public static void Write(TextOutput output, TimeProvider clock, IReadOnlyList<ServiceDocument> services)
    {
        output.WriteLine(Counts("service", services.Select(service => service.State)));
        var rows = services.Where(NeedsAttention).OrderBy(service => Rank(service.State))
            .Select(service => (Row: StatusReport.ServiceRow(service), Remarks: StatusReport.Remarks(service, clock))).ToArray();
        var table = new TextTable(output, 0, new(""), new(""), new(""), new(""), new(""));
        Write(output, table, rows);
    }

    /// <summary>The listeners: how many in each state, then those without a socket, with drift or with drops.</summary>
    public static void Write(TextOutput output, IReadOnlyList<ListenerDocument> listeners)
    {
        output.WriteLine(Counts("listener", listeners.Select(listener => listener.State)));
        var rows = listeners.Where(listener => listener.Failure is not null || listener.Drift || listener.Drops > 0)
            .OrderBy(listener => Rank(listener.State)).Select(listener => (Row: Row(listener), Remarks: Remarks(listener))).ToArray();
        Write(output, new TextTable(output, 0, new(""), new(""), new(""), new("")), rows);
    }

    /// <summary>How many workers of a service are in each state.</summary>
    public static string Workers(ServiceDocument service) =>
        Counts(service.Connections is null ? "worker" : "connection", service.Workers.Select(worker => worker.State))
        + "; --all shows each";

    /// <summary>The workers of many that need attention, up to a limit.</summary>
    public static IEnumerable<WorkerDocument> Noteworthy(IEnumerable<WorkerDocument> workers) =>
        workers.Where(worker => worker.State is not "ready" || worker.RejectedMessage is not null).Take(MostShown);

    private static void Write(TextOutput output, TextTable table, (StyledText[] Row, List<StyledText> Remarks)[] rows)
    {
        var shown = rows.Take(MostShown).ToArray();
        table.Measure(shown.Select(row => row.Row));
        foreach (var (row, remarks) in shown)
        {
            table.Print([row]);
            foreach (var remark in remarks.Take(1))
            {
                output.WriteLine(remark.Cut(MostText), 2);
            }
        }

        if (rows.Length > shown.Length)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"and {rows.Length - shown.Length} more that need attention"));
        }

        output.WriteLine(new StyledText("--all shows each row, and a name shows only that one", Palette.Muted));
    }

    private static StyledText[] Row(ListenerDocument listener) =>
    [
        new(listener.Name, Palette.Name),
        Palette.State(listener.State),
        listener.Effective ?? listener.Requested,
        listener.Drops > 0 ? new StyledText($"{listener.Drops} drops", Palette.Warning) : "",
    ];

    private static List<StyledText> Remarks(ListenerDocument listener) =>
        listener.Failure is { } failure ? [new StyledText($"{failure.Errno}: {failure.Advice}", Palette.Failure)]
        : listener.Drift ? [new StyledText("a holder has changed it", Palette.Warning)]
        : [];

    private static bool NeedsAttention(ServiceDocument service) =>
        service.State is not ("running" or "stopped") || service.Manual is not null || service.Drops is { Count: > 0 }
        || (service.State is "running" && service.Ready < service.Desired);

    private static int Rank(string state) => state switch
    {
        "failed" => 0,
        "degraded" => 1,
        "rolling" or "starting" or "stopping" => 2,
        _ => 3,
    };

    private static string Counts(string what, IEnumerable<string> states)
    {
        var groups = states.GroupBy(state => state).OrderBy(group => Rank(group.Key)).ToArray();
        var total = groups.Sum(group => group.Count());
        return string.Create(CultureInfo.InvariantCulture, $"{total} {what}s: ")
            + string.Join(", ", groups.Select(group => string.Create(CultureInfo.InvariantCulture, $"{group.Count()} {group.Key}")));
    }
}
