using System.Globalization;
using Spectre.Console;
using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary>What <c>top</c> shows at one moment: the daemon, its listeners with their queues, its services with their workers.</summary>
internal static class TopFrame
{
    private const int BarWidth = 20;

    /// <summary>States that somebody has to know of, the gravest first; what is in one of them stands before the others.</summary>
    private static readonly string[] Grave = ["failed", "degraded", "rolling"];

    private const int MostNamed = 3;

    /// <summary>The daemon, and which services are not as they should be. <paramref name="trouble"/>: why it is not of this moment; null where it is.</summary>
    public static void WriteHead(Screen screen, TimeProvider clock, StatusDocument status, string? trouble, bool isSmall = false)
    {
        var grave = new List<(string Text, Style Style)>();
        foreach (var state in Grave)
        {
            if (status.Services.Where(service => service.State == state).Select(service => service.Name).ToArray() is { Length: > 0 } names)
            {
                grave.Add((
                    isSmall
                        ? $"{Number(names.Length)} {state}"
                        : $"{state}: {string.Join(", ", names.Take(MostNamed))}{(names.Length > MostNamed ? $" and {Number(names.Length - MostNamed)} more" : "")}",
                    Palette.StateStyle(state)));
            }
        }

        if (isSmall)
        {
            var wanted = status.Services.Where(service => service.State is not "stopped").ToArray();
            var line = new Cell($"{Number(wanted.Count(service => service.Ready >= service.Desired))} of {Number(wanted.Length)} ready", Palette.Name);
            grave.ForEach(part => line.Then(part.Text, part.Style));
            screen.Line(line);
        }
        else
        {
            screen.Line(StatusCommand.DaemonLine(status with { Daemon = status.Daemon with { ConfigFile = null } }, clock, grave));
        }

        if (trouble is not null)
        {
            screen.Line(new Cell(trouble, Palette.Bad));
        }
    }

    /// <summary>The listeners with their queues, after an empty line where there is room for one.</summary>
    public static void WriteListeners(Screen screen, IReadOnlyList<ListenerDocument> listeners, bool isSmall = false)
    {
        if (listeners.Count == 0)
        {
            return;
        }

        if (!isSmall)
        {
            screen.Line();
        }

        var sheet = new TextTable(
            screen, 0, new("LISTENER"), new("ADDRESS"), new("STATE"), new("QUEUE", IsNumber: true), new("SERVICES", Spare: 1));
        var rows = listeners.Select(l => new Cell[]
        {
            new(l.Name, Palette.Name), l.Effective ?? l.Requested, Palette.State(l.State), ListenersCommand.Queue(l, "/"), string.Join(", ", l.Services),
        }).ToArray();
        sheet.Fit(rows);
        sheet.Print(rows, withHeader: true);
    }

    /// <summary>The services with their workers, those first that are not as they should be.</summary>
    public static void WriteServices(Screen screen, TimeProvider clock, StatusDocument status, WorkerUsage usage, bool isSmall = false)
    {
        usage.Begin();
        var services = isSmall ? new TextTable(screen, 0, new(""), new(""), new("")) : new TextTable(screen, 0, new(""), new(""), new(""), new(""), new("", Spare: 1));
        var workers = new TextTable(
            screen,
            2,
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
            .Select(s => (Service: s, Row: Row(s, isSmall), Workers: s.Workers.Select(w => WorkerRow(w, usage, now)).ToArray())).ToArray();
        services.Fit(shown.Select(s => s.Row));
        workers.Fit(shown.SelectMany(s => s.Workers));
        if (isSmall)
        {
            // All services in as many lines; whoever scrolls on finds their workers.
            services.Print(shown.Select(s => s.Row));
        }

        foreach (var (service, row, its) in shown)
        {
            screen.Line();
            services.Print([row]);
            foreach (var remark in Remarks(service, screen))
            {
                screen.Line(remark, 2);
            }

            if (its.Length > 0)
            {
                workers.Print(its, withHeader: true);
            }
        }
    }

    private static Cell[] Row(ServiceDocument service, bool isSmall)
    {
        var row = StatusCommand.ServiceRow(service);
        return isSmall ? [row[0], row[1], row[3]] : row;
    }

    /// <summary>A roll-out that is under way with a bar, and whatever else <c>status</c> would say.</summary>
    private static IEnumerable<Cell> Remarks(ServiceDocument service, Screen screen)
    {
        var remarks = StatusCommand.Remarks(service, screen.Arrow);
        if (service.Rollout is { State: "replacing" or "draining" or "rolling-back", Total: > 0 } rollout)
        {
            var full = Math.Clamp(rollout.Replaced * BarWidth / rollout.Total, 0, BarWidth);
            var (done, left) = screen.HasColor ? ('━', '━') : ('#', '-');
            yield return new Cell(new string(done, full), Palette.Good).And(new string(left, BarWidth - full), Palette.Quiet)
                .And("  ").And(RolloutText.Of(rollout, screen.Arrow), Palette.StateStyle(rollout.State));
            remarks.RemoveAt(0);
        }

        foreach (var remark in remarks)
        {
            yield return remark;
        }
    }

    private static Cell[] WorkerRow(WorkerDocument worker, WorkerUsage usage, DateTimeOffset now)
    {
        var (processor, memory) = worker.Pid is { } pid ? usage.Of(pid) : (null, null);
        return
        [
            Number(worker.Slot),
            Number(worker.Pid),
            Number(worker.Generation),
            Palette.State(worker.State),
            StatusCommand.Since(worker) is { } start ? HumanTime.Span(now - start) : "-",
            Number(worker.Connections),
            new(Number(worker.Restarts), worker.Restarts > 0 ? Palette.Attention : Palette.Plain),
            processor is { } percent ? percent.ToString("0.0", CultureInfo.InvariantCulture) : "",
            memory is { } bytes ? Size(bytes) : "",
            StatusCommand.StatusText(worker, now),
        ];
    }

    private static string Number(int? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "-";

    private static string Size(long bytes) => bytes switch
    {
        < 10L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0}M"),
        < 10L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes >> 20}M"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:0.0}G"),
    };
}
