using Supervisor.Control;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Reports;

/// <summary>The documents of draining workers.</summary>
internal static class DrainDocuments
{
    /// <summary>What a worker still has to finish. Any thread.</summary>
    public static DrainDocument Document(
        WorkerDrain drain, WorkerState worker, TimeSpan now, DateTimeOffset wall, bool withPeers = false) =>
        Document(drain, worker.Deadline is { } deadline ? wall + (deadline - now) : null, now) with
        {
            Peers = withPeers ? [.. drain.Peers.Select(peer => peer.ToString())] : [],
        };

    /// <summary>The same, with the time at which the worker is killed.</summary>
    public static DrainDocument Document(WorkerDrain drain, DateTimeOffset? killedAt, TimeSpan now) => new(
        drain.Count,
        [.. drain.ByListener.Select(one => new DrainListenerDocument(one.Listener, one.Count))],
        (long?)drain.OldestFor(now)?.TotalMilliseconds,
        (long?)drain.SilentFor?.TotalMilliseconds,
        killedAt,
        drain.KeepsAccepting is { } kept
            ? new KeepsAcceptingDocument(
                kept.Listener, kept.Evidence.ToWireName(), kept.Peer?.ToString(), (long)kept.After.TotalMilliseconds)
            : null);

    /// <summary>What is wrong with the draining workers of a service, as text; null if nothing is.</summary>
    public static string? Remark(ServiceRunner runner)
    {
        foreach (var worker in runner.State.Workers)
        {
            if (runner.Drains.Of(worker.Id)?.KeepsAccepting is { } kept)
            {
                return $"{WorkerText.Name(worker)} keeps accepting on \"{kept.Listener}\"";
            }
        }

        return null;
    }
}
