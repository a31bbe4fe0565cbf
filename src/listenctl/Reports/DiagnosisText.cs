using System.Globalization;
using Spectre.Console;
using Supervisor.Control;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Reports;

/// <summary>
/// A diagnosis for people: the verdict, the findings with evidence and advice, then the figures. It fits on one screen of a terminal: what
/// does not fit is counted, unless all is wanted.
/// </summary>
internal static class DiagnosisText
{
    /// <summary>The longest text in bytes, unless all is wanted.</summary>
    private const int MostBytes = 4000;

    /// <summary>How many findings and rows of each table are shown: the first of these that fits.</summary>
    private static readonly (int Findings, int Rows)[] Sizes = [(8, 12), (6, 8), (5, 5), (4, 3), (3, 2), (2, 1), (1, 1)];

    /// <summary>Writes a diagnosis.</summary>
    public static void Write(CommandContext context, DiagnosisDocument document, bool all)
    {
        if (all)
        {
            Write(new TextOutput(context), document, int.MaxValue, int.MaxValue, isShort: false);
            return;
        }

        byte[] drawn = [];
        foreach (var (findings, rows) in Sizes)
        {
            var memory = new MemoryStream();
            Write(new TextOutput(context.WithOutput(memory)), document, findings, rows, isShort: true);
            drawn = memory.ToArray();
            if (drawn.Length <= MostBytes)
            {
                break;
            }
        }

        context.Output.Write(drawn);
        context.Output.Flush();
    }

    /// <summary>The findings of all listeners and of the host, the most serious first.</summary>
    public static IReadOnlyList<FindingDocument> Findings(DiagnosisDocument document) =>
    [
        .. document.Listeners.SelectMany(listener => listener.Findings).Concat(document.Host.Findings)
            .OrderBy(finding => Rank(finding.Severity)),
    ];

    /// <summary>The style of a severity.</summary>
    public static Style Style(string severity) => severity switch
    {
        "critical" => Palette.Failure,
        "warning" => Palette.Warning,
        _ => Palette.Muted,
    };

    private static int Rank(string severity) => severity switch
    {
        "critical" => 0,
        "warning" => 1,
        _ => 2,
    };

    private static void Write(TextOutput output, DiagnosisDocument document, int mostFindings, int mostRows, bool isShort)
    {
        const int mostVerdict = 300;
        var findings = Findings(document);
        var worst = findings.Count == 0 ? Palette.Success : Style(findings[0].Severity);
        var verdict = new StyledText(document.Verdict, worst);
        output.WriteLine(isShort ? verdict.Cut(mostVerdict) : verdict);
        foreach (var finding in findings.Take(mostFindings))
        {
            WriteFinding(output, finding, isShort);
        }

        Rest(output, findings.Count - mostFindings, "finding");
        var listeners = document.Listeners
            .OrderBy(listener => listener.Findings.Count == 0 ? int.MaxValue : listener.Findings.Min(finding => Rank(finding.Severity)))
            .ToArray();
        output.WriteLine();
        WriteTable(output, ListenerColumns, listeners.Select(ListenerRow), mostRows, listeners.Length, "listener");
        var workers = listeners.SelectMany(listener => listener.Workers.Select(worker => (Listener: listener, Worker: worker))).ToArray();
        if (workers.Length > 0)
        {
            output.WriteLine();
            var rows = workers.Select(pair => WorkerRow(pair.Listener, pair.Worker));
            WriteTable(output, WorkerColumns, rows, mostRows, workers.Length, "worker");
        }

        output.WriteLine();
        output.WriteLine(HostLine(document));
    }

    private static void WriteFinding(TextOutput output, FindingDocument finding, bool isShort)
    {
        const int mostText = 260;
        const int mostEvidence = 2;
        output.WriteLine();
        var line = new StyledText(finding.Text);
        output.WriteLine(new StyledText($"{finding.Severity} {finding.Code}", Style(finding.Severity)));
        output.WriteLine(isShort ? line.Cut(mostText) : line, 2);
        foreach (var fact in finding.Evidence.Take(isShort ? mostEvidence : int.MaxValue))
        {
            var evidence = new StyledText(fact, Palette.Muted);
            output.WriteLine(isShort ? evidence.Cut(mostText) : evidence, 4);
        }

        var advice = new StyledText("do: " + finding.Advice);
        output.WriteLine(isShort ? advice.Cut(mostText) : advice, 2);
    }

    private static Column[] ListenerColumns =>
    [
        new("LISTENER"), new("ADDRESS", Spare: 3), new("SYN", IsNumber: true, Spare: 1), new("QUEUE", IsNumber: true),
        new("DROPS", IsNumber: true), new("DROPS/S", IsNumber: true), new("CONN", IsNumber: true), new("UNREAD", IsNumber: true, Spare: 2),
        new("UNSENT", IsNumber: true, Spare: 2), new("RETR", IsNumber: true, Spare: 2), new("ZEROWIN", IsNumber: true, Spare: 2),
    ];

    private static Column[] WorkerColumns =>
    [
        new("WORKER"), new("PID", IsNumber: true), new("GEN", IsNumber: true), new("STATE"), new("LISTENER", Spare: 2),
        new("CONN", IsNumber: true), new("ACC/S", IsNumber: true), new("CPU%", IsNumber: true), new("FDS", IsNumber: true),
        new("DOES", Spare: 1),
    ];

    private static StyledText[] ListenerRow(ListenerDiagnosisDocument listener)
    {
        var (length, limit) = listener.AcceptQueue is { } accept ? (accept.Length, accept.Limit)
            : (listener.ReceiveQueue?.Bytes, listener.ReceiveQueue?.Limit);
        var total = listener.AcceptQueue?.DropsTotal ?? listener.ReceiveQueue?.DropsTotal;
        var rate = listener.AcceptQueue?.DropsPerS ?? listener.ReceiveQueue?.DropsPerS;
        var sum = listener.Connections;
        return
        [
            new(listener.Name, Palette.Name),
            listener.Address,
            listener.SynQueue is { } syn ? $"{Number(syn.Length)}/{Number(syn.Limit)}" : "",
            new($"{Number(length)}/{Number(limit)}", length > 0 && length >= limit ? Palette.Failure : Palette.Plain),
            new(Number(total), total > 0 ? Palette.Warning : Palette.Plain),
            new(Number(rate), rate > 0 ? Palette.Failure : Palette.Plain),
            Number(sum?.Count), Number(sum?.ReceiveQueuedBytes), Number(sum?.SendQueuedBytes), Number(sum?.Retransmitting),
            Number(sum?.ZeroWindow),
        ];
    }

    private static StyledText[] WorkerRow(ListenerDiagnosisDocument listener, WorkerDiagnosisDocument worker) =>
    [
        worker.Slot is null ? worker.Service : string.Create(CultureInfo.InvariantCulture, $"{worker.Service}/{worker.Slot}"),
        Number(worker.Pid),
        Number(worker.Generation),
        worker.State is null ? "" : Palette.State(worker.State),
        listener.Name,
        Number(worker.Connections),
        Number(worker.AcceptedPerS),
        worker.CpuPercent is { } percent ? percent.ToString("0", CultureInfo.InvariantCulture) : "",
        worker.Descriptors is { } descriptors ? $"{Number(descriptors.Used)}/{Number(descriptors.Limit)}" : "",
        worker.Doing ?? "not visible",
    ];

    private static StyledText HostLine(DiagnosisDocument document)
    {
        var (host, bounds) = (document.Host, document.Host.Bounds);
        List<string> limits =
        [
            $"somaxconn {Known(bounds.Somaxconn)}", $"tcp_max_syn_backlog {Known(bounds.TcpMaxSynBacklog)}",
            $"TCP memory {Bound(bounds.TcpMemoryPages, " pages")}", $"files {Bound(bounds.Files)}",
        ];
        if (bounds.TrackedConnections is { } tracked)
        {
            limits.Add($"conntrack {Bound(tracked)}");
        }

        return new StyledText(
            $"host: {Known(host.SynCookiesPerS)} SYN cookies/s, {Known(host.ListenOverflowsPerS)} overflows/s, "
            + $"{Known(host.TimeWait)} in TIME_WAIT, {Known(host.Orphans)} orphans; {string.Join(", ", limits)}", Palette.Muted);
    }

    /// <summary>The use with its limit. A network namespace of its own does not show every limit.</summary>
    private static string Bound(BoundDocument? bound, string unit = "") => bound switch
    {
        null => Known(null as long?),
        { Limit: { } limit } => $"{Number(bound.Used)}/{Number(limit)}{unit}",
        _ => $"{Number(bound.Used)}{unit}, limit not visible",
    };

    private static string Known(long? number) => number is null ? "not visible" : Number(number);

    private static string Known(double? number) => number is null ? "not visible" : Number(number);

    private static void WriteTable(TextOutput output, Column[] columns, IEnumerable<StyledText[]> rows, int most, int count, string what)
    {
        var table = new TextTable(output, 0, columns);
        var shown = rows.Take(most).ToArray();
        table.Measure(shown);
        table.Print(shown, withHeader: true);
        Rest(output, count - most, what);
    }

    private static void Rest(TextOutput output, int count, string what)
    {
        if (count > 0)
        {
            output.WriteLine(new StyledText(
                string.Create(CultureInfo.InvariantCulture, $"and {count} more {what}{(count == 1 ? "" : "s")}: --all shows them"),
                Palette.Muted));
        }
    }

    private static string Number(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "";

    private static string Number(double? number) => number?.ToString("0.#", CultureInfo.InvariantCulture) ?? "";
}
