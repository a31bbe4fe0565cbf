using System.Globalization;
using Spectre.Console;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Reports;

/// <summary>One frame of <c>top</c>: the daemon, its listeners with their queues, its services with their workers.</summary>
internal static class TopFrame
{
    private const int BarWidth = 20;

    /// <summary>States that need attention, the most serious first; services in these states come first.</summary>
    private static readonly string[] Grave = ["failed", "degraded", "rolling"];

    private const int MostNamed = 3;

    /// <summary>The daemon and the services that need attention.</summary>
    /// <param name="output">Where to write.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="status">The last status.</param>
    /// <param name="trouble">Why the status is old; null for a current one.</param>
    /// <param name="isSmall">Whether the terminal is small.</param>
    public static void WriteHead(TextOutput output, TimeProvider clock, StatusDocument status, string? trouble, bool isSmall = false)
    {
        var grave = new List<(string Text, Style Style)>();
        foreach (var state in Grave)
        {
            if (status.Services.Where(service => service.State == state).Select(service => service.Name).ToArray() is { Length: > 0 } names)
            {
                grave.Add((
                    isSmall
                        ? $"{Number(names.Length)} {state}"
                        : $"{state}: {string.Join(", ", names.Take(MostNamed))}"
                            + (names.Length > MostNamed ? $" and {Number(names.Length - MostNamed)} more" : ""),
                    Palette.StateStyle(state)));
            }
        }

        if (isSmall)
        {
            var wanted = status.Services.Where(service => service.State is not "stopped").ToArray();
            var line = new StyledText(
                $"{Number(wanted.Count(service => service.Ready >= service.Desired))} of {Number(wanted.Length)} ready", Palette.Name);
            grave.ForEach(part => line.AppendItem(part.Text, part.Style));
            output.WriteLine(line);
        }
        else
        {
            output.WriteLine(StatusReport.DaemonLine(status with { Daemon = status.Daemon with { ConfigFile = null } }, clock, grave));
        }

        if (trouble is not null)
        {
            output.WriteLine(new StyledText(trouble, Palette.Failure));
        }
    }

    /// <summary>What <c>diagnose</c> finds, the most serious first: a line for each, on a small terminal only how many.</summary>
    public static void WriteFindings(TextOutput output, DiagnosisDocument found, bool isSmall = false)
    {
        var findings = DiagnosisText.Findings(found);
        if (findings.Count == 0)
        {
            return;
        }

        if (isSmall)
        {
            output.WriteLine(new StyledText(
                $"{Number(findings.Count)} finding{(findings.Count == 1 ? "" : "s")}", DiagnosisText.Style(findings[0].Severity)));
            return;
        }

        const int mostText = 140;
        foreach (var finding in findings.Take(MostNamed))
        {
            output.WriteLine(new StyledText($"{finding.Code}: {finding.Text}", DiagnosisText.Style(finding.Severity)).Cut(mostText));
        }

        if (findings.Count > MostNamed)
        {
            output.WriteLine(new StyledText(
                $"and {Number(findings.Count - MostNamed)} more: listenctl diagnose", DiagnosisText.Style(findings[MostNamed].Severity)));
        }
    }

    /// <summary>The listeners with their queues; on a large terminal after an empty line.</summary>
    public static void WriteListeners(
        TextOutput output, IReadOnlyList<ListenerDocument> listeners, TopOrder order, bool isSmall = false)
    {
        if (listeners.Count == 0)
        {
            return;
        }

        if (!isSmall)
        {
            output.WriteLine();
        }

        var table = new TextTable(
            output, 0, new("LISTENER"), new("ADDRESS"), new("STATE"), new("QUEUE", IsNumber: true), new("DROPS", IsNumber: true),
            new("SERVICES", Spare: 1));
        var sorted = order switch
        {
            TopOrder.Load or TopOrder.Connections => listeners.OrderByDescending(l => l.Queue?.Length ?? 0),
            TopOrder.Drops => listeners.OrderByDescending(l => l.Drops ?? 0),
            _ => listeners.OrderBy(_ => 0),
        };
        var rows = sorted.Select(l => new StyledText[]
        {
            new(l.Name, Palette.Name),
            l.Effective ?? l.Requested,
            Palette.State(l.State),
            ListenerReport.Queue(l, "/"),
            ListenerReport.Drops(l),
            NameList.Of(l.Services),
        }).ToArray();
        table.Measure(rows);
        table.Print(rows, withHeader: true);
    }

    /// <summary>The services with their workers; services that need attention come first.</summary>
    public static void WriteServices(
        TextOutput output, TimeProvider clock, StatusDocument status, WorkerUsage usage, TopOrder order, bool isSmall = false)
    {
        usage.BeginSample();
        var services = isSmall
            ? new TextTable(output, 0, new(""), new(""), new(""))
            : new TextTable(output, 0, new(""), new(""), new(""), new(""), new("", Spare: 1));
        var workers = new TextTable(
            output, 2,
            new("SLOT", IsNumber: true),
            new("PID", IsNumber: true),
            new("GEN", IsNumber: true),
            new("STATE"),
            new("FOR", IsNumber: true),
            new("CONN", IsNumber: true),
            new("RESTARTS", IsNumber: true, Spare: 1),
            new("CPU%", IsNumber: true, Spare: 3),
            new("MEM", IsNumber: true, Spare: 2),
            new("STATUS", Spare: 4));
        var now = clock.GetUtcNow();
        var shown = status.Services.OrderBy(service => Array.IndexOf(Grave, service.State) is >= 0 and var rank ? rank : Grave.Length)
            .Select(s => (Service: s, Row: Row(s, isSmall), Workers: WorkerRows(s, usage, order, now))).ToArray();
        services.Measure(shown.Select(s => s.Row));
        workers.Measure(shown.SelectMany(s => s.Workers));
        if (isSmall)
        {
            // One line for each service first; the workers follow below.
            services.Print(shown.Select(s => s.Row));
        }

        foreach (var (service, row, its) in shown)
        {
            output.WriteLine();
            services.Print([row]);
            foreach (var remark in Remarks(service, output, clock))
            {
                output.WriteLine(remark, 2);
            }

            if (its.Length > 0)
            {
                workers.Print(its, withHeader: true);
            }
        }
    }

    private static StyledText[] Row(ServiceDocument service, bool isSmall)
    {
        var row = StatusReport.ServiceRow(service);
        return isSmall ? [row[0], row[1], row[3]] : row;
    }

    /// <summary>A bar for a running roll-out, and the remarks of <c>status</c>.</summary>
    private static IEnumerable<StyledText> Remarks(ServiceDocument service, TextOutput output, TimeProvider clock)
    {
        var remarks = StatusReport.Remarks(service, clock);
        if (service.Rollout is { Total: > 0 } rollout && ChangeText.IsRunning(rollout))
        {
            var full = Math.Clamp(rollout.Replaced * BarWidth / rollout.Total, 0, BarWidth);
            var (done, left) = output.HasColor ? ('━', '━') : ('#', '-');
            yield return new StyledText(new string(done, full), Palette.Success).Append(new string(left, BarWidth - full), Palette.Muted)
                .Append("  ").Append(ChangeText.Of(rollout), Palette.StateStyle(rollout.State));
            remarks.RemoveAt(0);
        }

        foreach (var remark in remarks)
        {
            yield return remark;
        }
    }

    private static StyledText[][] WorkerRows(ServiceDocument service, WorkerUsage usage, TopOrder order, DateTimeOffset now)
    {
        var workers = service.Workers.Select(worker =>
        {
            var (processor, memory) = worker.Pid is { } pid ? usage.Of(pid) : (null, null);
            return (Worker: worker, Processor: processor, Memory: memory);
        });
        var sorted = order switch
        {
            TopOrder.Load => workers.OrderByDescending(one => one.Processor ?? 0),
            TopOrder.Memory => workers.OrderByDescending(one => one.Memory ?? 0),
            TopOrder.Connections => workers.OrderByDescending(one => one.Worker.Connections ?? 0),
            TopOrder.Drops => workers.OrderByDescending(one => one.Worker.Restarts),
            _ => workers.OrderBy(_ => 0),
        };
        return [.. sorted.Select(one => WorkerRow(one.Worker, one.Processor, one.Memory, now))];
    }

    private static StyledText[] WorkerRow(WorkerDocument worker, double? processor, long? memory, DateTimeOffset now) =>
    [
        Number(worker.Slot),
        Number(worker.Pid),
        Number(worker.Generation),
        Palette.State(worker.State),
        StatusReport.Since(worker) is { } start ? HumanTime.Span(now - start) : "-",
        Number(worker.Connections),
        new(Number(worker.Restarts), worker.Restarts > 0 ? Palette.Warning : Palette.Plain),
        processor is { } percent ? percent.ToString("0.0", CultureInfo.InvariantCulture) : "",
        memory is { } bytes ? Size(bytes) : "",
        StatusReport.StatusText(worker, now),
    ];

    private static string Number(int? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "-";

    private static string Size(long bytes) => bytes switch
    {
        < 10L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0}M"),
        < 10L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes >> 20}M"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:0.0}G"),
    };
}
