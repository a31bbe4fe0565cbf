using System.Text.Json;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Services;
using Supervisor.Core.State;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Reports;

/// <summary>
/// One event for each change of state; the newest <see cref="Kept"/> are in memory. Written on the loop, read from any
/// thread through <see cref="Events"/>.
/// </summary>
internal sealed class EventLog(EventLoop loop)
{
    /// <summary>How many events are kept.</summary>
    public const int Kept = 1024;

    private Action<ListenerHandle, HistoryFact>? _changed;

    /// <summary>The events.</summary>
    public RecentItems<EventDocument> Events { get; } = new(Kept);

    /// <summary>Continues the stream of a predecessor.</summary>
    public void Restore(StreamEntry stream) =>
        Events.Restore(stream.Newest, [.. stream.Items.Select(item => item.Deserialize(ControlJson.Default.EventDocument)!)]);

    /// <summary>Starts to report each drift of the listener and each repair.</summary>
    public void Follow(ListenerHandle handle) => handle.Recorded += _changed ??= Changed;

    /// <summary>An event of the daemon itself.</summary>
    public void Daemon(string kind, string message, Requester? by = null) => Add(kind, message, by: by);

    /// <summary>A client has requested a change.</summary>
    /// <param name="what">What it requests, such as <c>service api: stop</c>.</param>
    /// <param name="by">Who.</param>
    /// <param name="service">The service that it concerns.</param>
    /// <param name="listener">The listener that it concerns.</param>
    public void Requested(string what, Requester by, string? service = null, string? listener = null) =>
        Add("change-requested", $"{what} requested by {by}", service, listener, by: by);

    /// <summary>A client has requested what it may not do.</summary>
    public void Denied(string what, string missing, Requester by, string? service, string? listener = null) =>
        Add("request-denied", $"{what} by {by} is denied: {missing} is missing", service, listener, by: by);

    /// <summary>The kernel drops connections or datagrams at a listener.</summary>
    /// <param name="listener">The listener.</param>
    /// <param name="message">How many, and what to do.</param>
    /// <param name="generation">The generation that was in charge; null if there was none, or several.</param>
    /// <param name="shard">The shard; null if the listener has one socket, or if several shards are meant.</param>
    public void Overflow(string listener, string message, int? generation, int? shard) => Events.Add(seq => new EventDocument(
        seq, loop.Time.GetUtcNow(), "listener-overflow", Service: null, listener, Worker: null, State: null, Rollout: null, message)
    {
        Generation = generation,
        Shard = shard,
    });

    /// <summary>Reports that the listener was created or has failed; then reports each drift and each repair.</summary>
    public void Watch(ListenerHandle handle)
    {
        if (handle.Failure is { } failure)
        {
            Add("listener-failed", $"listener {handle.Name}: cannot make it: {failure}", listener: handle.Name);
        }
        else
        {
            var verb = handle.Listens ? "listens" : handle.Spec.Address.Kind == ListenerKind.Other ? "is held" : "is bound";
            Add(
                "listener-made",
                $"listener {handle.Name} {verb} on {handle.Effective?.ToString() ?? "no address"} ({handle.Origin.ToWireName()})",
                listener: handle.Name);
        }

        Follow(handle);
    }

    private void Changed(ListenerHandle handle, HistoryFact entry)
    {
        if (entry.Phase is HandlePhase.Drift or HandlePhase.Repair)
        {
            var what = entry.Option ?? entry.Call;
            var asked = entry.Requested is { } requested ? $", requested {requested}" : "";
            var note = entry.Note is null ? "" : $" ({entry.Note})";
            Add(
                entry.Phase == HandlePhase.Drift ? "listener-drifted" : "listener-repaired",
                entry.Call == "shutdown"
                    ? $"listener {handle.Name} was shut down{note}"
                    : $"listener {handle.Name}: {what} is {entry.Effective?.ToString() ?? "unknown"}{asked}{note}",
                listener: handle.Name);
        }
    }

    /// <summary>Starts to report each change of a service.</summary>
    public void Watch(ServiceRunner runner)
    {
        var state = ServiceDocuments.State(runner);
        runner.Changed += (_, reports) =>
        {
            foreach (var report in reports)
            {
                Report(runner, report);
            }

            var now = ServiceDocuments.State(runner);
            if (now != state)
            {
                var reason = runner.Requests.Blocked ?? ServiceDocuments.Reason(runner.State);
                var why = reason is null ? "" : $": {reason}";
                Add("service-state", $"service {runner.Name} is {now}, was {state}{why}", runner.Name, state: now);
                state = now;
            }
        };
    }

    private void Report(ServiceRunner runner, ReportEffect report)
    {
        if (report.Report.ToEventKind() is { } kind)
        {
            var isRollout = kind.StartsWith("rollout-", StringComparison.Ordinal);
            var rollout = isRollout && report.Rollout is { } state
                ? ServiceDocuments.Rollout(runner, state, loop.Now, loop.Time.GetUtcNow())
                : null;
            Add(
                kind, $"service {runner.Name}: {ServiceReportText.Of(report, runner.State, loop.Now)}", runner.Name,
                worker: report.Worker is { } worker ? new EventWorkerDocument(worker.Pid, worker.Slot, worker.Generation) : null,
                rollout: rollout,
                drain: report is { Drain: { } drain, Worker: { } left } ? DrainDocuments.Document(
                    drain, left, loop.Now, loop.Time.GetUtcNow(), withPeers: report.Report == ServiceReport.WorkerCut) : null);
        }
    }

    private void Add(
        string kind, string message, string? service = null, string? listener = null, EventWorkerDocument? worker = null,
        string? state = null, RolloutDocument? rollout = null, DrainDocument? drain = null, Requester? by = null) =>
        Events.Add(seq => new EventDocument(seq, loop.Time.GetUtcNow(), kind, service, listener, worker, state, rollout, message)
        {
            Drain = drain,
            By = by,
        });
}
