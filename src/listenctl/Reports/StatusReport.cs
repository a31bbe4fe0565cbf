using System.Globalization;
using Spectre.Console;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Reports;

/// <summary>The daemon and its services for people.</summary>
internal static class StatusReport
{
    /// <summary>The daemon in a line, then the services with their workers.</summary>
    /// <param name="output">Where to write.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="status">The status.</param>
    /// <param name="shown">The services.</param>
    /// <param name="showsAll">Whether to show each of many services.</param>
    /// <param name="isOne">Whether a single service was asked for: the status may have no others then.</param>
    public static void Write(
        TextOutput output, TimeProvider clock, StatusDocument status, IReadOnlyList<ServiceDocument> shown, bool isOne,
        bool showsAll)
    {
        output.WriteLine(DaemonLine(status, clock, countsServices: !isOne));
        if (StopRemark(status.Daemon.Stopping, clock) is { } stops)
        {
            output.WriteLine(stops);
        }

        foreach (var remark in ConfigRemarks(status.Daemon.Config, clock))
        {
            output.WriteLine(remark);
        }

        if (!showsAll && shown.Count > Summary.MostRows)
        {
            Summary.Write(output, clock, shown);
            return;
        }

        var services = new TextTable(output, 0, new(""), new(""), new(""), new(""), new(""));
        var workers = new TextTable(
            output, 2,
            new("SLOT", IsNumber: true),
            new("PID", IsNumber: true),
            new("GEN", IsNumber: true),
            new("STATE"),
            new("FOR", IsNumber: true),
            new("RESTARTS", IsNumber: true),
            new("CONNECTIONS", IsNumber: true),
            new("MEMORY", IsNumber: true),
            new("CPU", IsNumber: true),
            new("STATUS"));
        var now = clock.GetUtcNow();
        var rows = shown
            .Select(s => (
                Service: (Document: s, Row: ServiceRow(s)), Remarks: Remarks(s, clock),
                Workers: Workers(s, showsAll).Select(worker => WorkerRow(worker, now)).ToArray()))
            .ToArray();
        services.Measure(rows.Select(r => r.Service.Row));
        workers.Measure(rows.SelectMany(r => r.Workers));
        foreach (var ((service, row), remarks, its) in rows)
        {
            output.WriteLine();
            services.Print([row]);
            foreach (var remark in remarks)
            {
                output.WriteLine(remark, 2);
            }

            if (IsSummed(service, showsAll))
            {
                output.WriteLine(Summary.Workers(service), 2);
            }

            if (its.Length > 0)
            {
                workers.Print(its, withHeader: true);
            }
        }
    }

    /// <summary>The daemon in a line; <paramref name="first"/> follows its name.</summary>
    public static StyledText DaemonLine(
        StatusDocument status, TimeProvider clock, IReadOnlyList<(string Text, Style Style)>? first = null, bool countsServices = true)
    {
        var daemon = status.Daemon;
        var wanted = status.Services.Count(s => s.State is not "stopped");
        var ready = status.Services.Count(s => s.State is not "stopped" && s.Ready >= s.Desired);
        var stopped = status.Services.Count - wanted;
        var line = new StyledText($"listend {daemon.Version}", Palette.Name);
        foreach (var (text, style) in first ?? [])
        {
            line.AppendItem(text, style);
        }

        line.AppendItem($"pid {daemon.Pid}")
            .AppendItem($"up {HumanTime.Span(clock.GetUtcNow() - daemon.StartedAt)} since {HumanTime.Local(daemon.StartedAt, clock)}");
        if (daemon.Upgrades > 0)
        {
            line.AppendItem(daemon.Upgrades == 1 ? "upgraded once" : $"upgraded {daemon.Upgrades} times");
        }

        if (countsServices && (wanted > 0 || stopped == 0))
        {
            line.AppendItem(
                wanted == 0 ? "no services" : $"{ready} of {wanted} service{(wanted == 1 ? "" : "s")} ready",
                ready == wanted ? Palette.Success : Palette.Warning);
        }

        return line.AppendItem(countsServices && stopped > 0 ? $"{stopped} stopped" : null, Palette.Muted)
            .AppendItem(daemon.ConfigFile, Palette.Muted);
    }

    /// <summary>That the daemon was told to stop, and when its workers are stopped; null if it was not.</summary>
    private static StyledText? StopRemark(StopDocument? stop, TimeProvider clock) => stop is not { } one ? null
        : one.WorkersStopAt > clock.GetUtcNow()
            ? new($"told to stop at {HumanTime.Local(one.RequestedAt, clock)}: not ready, workers drain from "
                + $"{HumanTime.Local(one.WorkersStopAt, clock)} on; a second SIGTERM begins that now", Palette.Warning)
            : new($"told to stop at {HumanTime.Local(one.RequestedAt, clock)}: exits when the last worker has exited", Palette.Warning);

    /// <summary>Whether the daemon runs another configuration than its files have, and why; one line each.</summary>
    public static List<StyledText> ConfigRemarks(ConfigDocument? config, TimeProvider clock)
    {
        var remarks = new List<StyledText>();
        if (config is { FileError: { } error })
        {
            remarks.Add(new($"the running configuration stays in force: {error}", Palette.Failure));
        }
        else if (config is { Differs: true })
        {
            var since = config.LoadedAt is { } at ? $" since it was loaded at {HumanTime.Local(at, clock)}" : "";
            remarks.Add(new(
                $"configuration: {config.File} has changed{since}: see \"listenctl reload --dry-run\"", Palette.Warning));
        }

        if (config is { LastReload: { Outcome: "refused" } last })
        {
            remarks.Add(new(
                $"the reload at {HumanTime.Local(last.At, clock)} was refused, nothing was changed: {last.Error}", Palette.Failure));
        }

        return remarks;
    }

    /// <summary>The roll-out of the service, the reason of its state and what a client has changed, one line each.</summary>
    public static List<StyledText> Remarks(ServiceDocument service, TimeProvider clock)
    {
        var remarks = new List<StyledText>();
        if (service.Manual is { } manual)
        {
            remarks.Add(new(
                $"manual: {manual.What}, by {manual.By} at {HumanTime.Local(manual.At, clock)}; the configuration is not changed",
                Palette.Warning));
        }

        const int mostDrops = 5;
        foreach (var drops in service.Drops?.Take(mostDrops) ?? [])
        {
            var count = drops.Count.ToString(CultureInfo.InvariantCulture);
            remarks.Add(new(
                $"listener {drops.Listener}: the kernel dropped {count} connections or datagrams: "
                + $"see \"listenctl listeners {drops.Listener}\"",
                Palette.Warning));
        }

        if (service.Drops?.Count > mostDrops)
        {
            remarks.Add(new(
                $"{service.Drops.Count - mostDrops} more of its listeners have drops: see \"listenctl listeners\"", Palette.Warning));
        }

        if (service.Connections is { } connections && connections.Accepted + connections.Refused > 0)
        {
            remarks.Add(new(
                string.Create(CultureInfo.InvariantCulture, $"{connections.Accepted} ")
                + (connections.Accepted == 1 ? "connection accepted" : "connections accepted")
                + (connections.Refused > 0
                    ? string.Create(CultureInfo.InvariantCulture, $", {connections.Refused} closed (max_connections_per_source)") : "")
                + (connections.Failed > 0 ? string.Create(CultureInfo.InvariantCulture, $", {connections.Failed} failed") : ""),
                connections.Refused + connections.Failed > 0 ? Palette.Warning : Palette.Muted));
        }

        if (service.Rollout is { } rollout)
        {
            remarks.Add(new(ChangeText.Of(rollout), rollout.State is "done" ? Palette.Muted : Palette.StateStyle(rollout.State)));
        }

        if (service.Reason is { Length: > 0 } reason && service.Rollout?.Reason != reason)
        {
            remarks.Add(new(reason, Palette.StateStyle(service.State)));
        }

        if (service.State is "degraded" or "failed" or "starting"
            && service.Workers.FirstOrDefault(worker => worker.LastLines is not null && worker.State is not "ready") is { } failed)
        {
            remarks.Add(new($"last lines of worker {failed.Slot}: {string.Join(" | ", failed.LastLines!)}", Palette.Muted));
        }

        remarks.AddRange(service.Abandoned.Select(one => new StyledText(one.Message, Palette.Failure)));
        return remarks;
    }

    /// <summary>The service in a row.</summary>
    public static StyledText[] ServiceRow(ServiceDocument service)
    {
        var ready = service.Ready >= service.Desired
            ? Palette.Plain
            : service.Ready == 0 && service.Desired > 0 ? Palette.Failure : Palette.Warning;
        return
        [
            new(service.Name, Palette.Name),
            Palette.State(service.State),
            $"generation {service.Generation}",
            service.Connections is { } connections
                ? new($"{connections.Live}/{connections.Limit} connections",
                    connections.Live < connections.Limit ? Palette.Plain : Palette.Warning)
                : new($"{service.Ready}/{service.Desired} ready", service.State is "stopped" ? Palette.Muted : ready),
            service.Listeners.Count == 0 ? new StyledText("no listeners", Palette.Muted) : NameList.Of(service.Listeners),
        ];
    }

    /// <summary>When the worker entered its state; null if unknown.</summary>
    public static DateTimeOffset? Since(WorkerDocument worker) =>
        worker.StateSince ?? (worker.State is "ready" ? worker.ReadyAt : worker.StartedAt);

    /// <summary>The worker's STATUS=, its drain, how the last worker of the slot exited, and when the next one starts.</summary>
    public static StyledText StatusText(WorkerDocument worker, DateTimeOffset now)
    {
        var text = new StyledText(worker.StatusText);
        text.AppendItem(worker.Peer is { } peer ? $"from {peer}" : null);
        if (worker.RejectedMessage is { Length: > 0 } rejected)
        {
            text.AppendItem($"rejected: {rejected}", Palette.Warning);
        }

        DrainText.Add(text, worker.Drain, now);
        if (worker.LastExit is { Length: > 0 } exit)
        {
            text.AppendItem($"last exit: {exit}", worker.State is "ready" ? Palette.Muted : Palette.Failure);
        }

        if (worker.NextTry is { } next)
        {
            text.AppendItem(next > now ? $"next try in {HumanTime.Span(next - now)}" : "next try now", Palette.Warning);
        }

        return text;
    }

    /// <summary>Whether the service has so many workers that they are counted.</summary>
    private static bool IsSummed(ServiceDocument service, bool showsAll) => !showsAll && service.Workers.Count > Summary.MostRows;

    /// <summary>The workers to show: all, or those of many that need attention.</summary>
    private static IEnumerable<WorkerDocument> Workers(ServiceDocument service, bool showsAll) =>
        IsSummed(service, showsAll) ? Summary.Noteworthy(service.Workers) : service.Workers;

    private static StyledText[] WorkerRow(WorkerDocument worker, DateTimeOffset now) =>
    [
        worker.Slot.ToString(CultureInfo.InvariantCulture),
        worker.Pid?.ToString(CultureInfo.InvariantCulture) ?? "-",
        worker.Generation.ToString(CultureInfo.InvariantCulture),
        Palette.State(worker.State),
        Since(worker) is { } start ? HumanTime.Span(now - start) : "-",
        new(worker.Restarts.ToString(CultureInfo.InvariantCulture), worker.Restarts > 0 ? Palette.Warning : Palette.Plain),
        worker.Connections?.ToString(CultureInfo.InvariantCulture) ?? "-",
        worker.MemoryBytes is { } memory ? string.Create(CultureInfo.InvariantCulture, $"{memory / 1048576.0:0.0} MiB") : "",
        worker.CpuUsec is { } used ? HumanTime.Span(TimeSpan.FromMicroseconds(used)) : "",
        StatusText(worker, now),
    ];
}
