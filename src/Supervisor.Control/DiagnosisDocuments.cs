using Supervisor.Core.Diagnosis;
using Supervisor.Core.Listeners;

namespace Supervisor.Control;

/// <summary>The documents of a diagnosis.</summary>
public static class DiagnosisDocuments
{
    /// <summary>The document of a report that was made at that time.</summary>
    public static DiagnosisDocument ToDocument(this DiagnosisReport report, DateTimeOffset at) => new(
        at,
        (long)Math.Round((report.Second.At - report.First.At).TotalMilliseconds),
        report.Verdict,
        [.. report.Listeners.Select(listener => Listener(listener.Facts, listener.Findings))],
        Host(report));

    private static ListenerDiagnosisDocument Listener(ListenerFacts facts, IReadOnlyList<Finding> findings)
    {
        var listener = facts.Listener;
        var listens = listener.Kind.Listens();
        var known = facts.Sockets.Count > 0;
        long? length = known ? facts.Sockets.Sum(socket => socket.Now.Length) : null;
        long? limit = known && facts.Sockets.Sum(socket => socket.Now.Limit) is > 0 and var sum ? sum : null;
        var drops = facts.PerSecond(facts.Dropped);
        return new ListenerDiagnosisDocument(
            listener.Name,
            listener.Kind.Scheme(),
            listener.Address?.ToString(),
            [.. findings.Select(Finding)],
            listener.Kind.SpeaksTcp() ? new SynQueueDocument(facts.HalfOpen, facts.HalfOpenLimit) : null,
            listens
                ? new AcceptQueueDocument(length, limit, facts.DropsTotal, drops)
                {
                    LongestWaitMs = (long?)facts.LongestWait?.TotalMilliseconds,
                }
                : null,
            listens ? null : new ReceiveQueueDocument(length, limit, facts.DropsTotal, drops),
            [.. facts.Workers.Select(worker => Worker(worker, facts))],
            listens ? Connections(facts) : null);
    }

    private static FindingDocument Finding(Finding finding) => new(
        finding.Code.ToWireName(), finding.Severity.ToWireName(), finding.Text, finding.Advice, finding.Evidence)
    {
        Worker = finding.Worker is { } worker
            ? new FindingWorkerDocument(worker.Service, worker.Slot, worker.Generation, worker.Pid)
            : null,
        Shard = finding.Shard,
    };

    private static WorkerDiagnosisDocument Worker(WorkerProgress worker, ListenerFacts facts)
    {
        var actor = worker.Now?.Stopped ?? worker.Now?.Actor;
        var listens = facts.Listener.Kind.Listens();
        return new WorkerDiagnosisDocument(
            worker.Worker.Pid, worker.Worker.Slot, worker.Worker.Generation,
            listens ? worker.Connections?.Count : null,
            listens && worker.Accepted is { } accepted ? facts.PerSecond(accepted) : null,
            worker.Worker.State,
            worker.Now?.Fullest is { } fullest ? new DescriptorsDocument(fullest.Descriptors, fullest.DescriptorLimit) : null,
            worker.ProcessorPercent)
        {
            Service = worker.Worker.Service,
            Activity = actor?.Activity,
            Call = actor?.Call,
            Doing = actor?.ToString(),
        };
    }

    private static ConnectionSumDocument Connections(ListenerFacts facts)
    {
        var accepted = facts.Connections.Where(connection => !connection.IsWaiting).ToArray();
        return new ConnectionSumDocument(
            accepted.Length,
            accepted.Sum(connection => connection.ReceiveQueue),
            accepted.Sum(connection => connection.SendQueue),
            accepted.Count(connection => connection.Tcp is { Retransmits: > 0 }),
            accepted.Count(connection => connection.Tcp is not null && connection.IsBlockedByPeer));
    }

    private static HostDiagnosisDocument Host(DiagnosisReport report)
    {
        var host = report.Second.Host;
        return new HostDiagnosisDocument(
            [.. report.HostFindings.Select(Finding)], report.PerSecond(sample => sample.CookiesSent),
            report.PerSecond(sample => sample.ListenOverflows), host.TimeWait, host.Orphans)
        {
            Bounds = new HostBoundsDocument(
                host.MaxBacklog, host.MaxSynBacklog, host.SynCookies, Bound(host.TcpPages, host.TcpPagesLimit),
                Bound(host.Files, host.FilesLimit), Bound(host.Tracked, host.TrackedLimit)),
        };
    }

    private static BoundDocument? Bound(long? used, long? limit) => used is { } some ? new BoundDocument(some, limit) : null;
}
