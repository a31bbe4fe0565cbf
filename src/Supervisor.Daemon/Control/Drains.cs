using System.Globalization;
using Supervisor.Control;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>Workers that leave, as the control interface shows them.</summary>
internal static class Drains
{
    /// <summary>What a worker has left. Any thread.</summary>
    public static DrainDocument Document(WorkerDrain drain, WorkerState worker, TimeSpan now, DateTimeOffset wall, bool withPeers = false) =>
        Document(drain, worker.Deadline is { } deadline ? wall + (deadline - now) : null, now) with
        {
            Peers = withPeers ? [.. (drain.Connections ?? []).Select(connection => connection.Peer).OfType<ConnectionPeer>().Take(DrainWords.MaxPeers).Select(peer => peer.ToString())] : [],
        };

    /// <summary>The same, of a worker that is killed at that time.</summary>
    public static DrainDocument Document(WorkerDrain drain, DateTimeOffset? killedAt, TimeSpan now) => new(
        drain.Count,
        [.. drain.ByListener().Select(one => new DrainListenerDocument(one.Listener, one.Count))],
        (long?)drain.OldestFor(now)?.TotalMilliseconds,
        (long?)drain.SilentFor?.TotalMilliseconds,
        killedAt,
        drain.KeepsAccepting is { } kept
            ? new KeepsAcceptingDocument(kept.Listener, kept.Evidence.ToWireName(), kept.Peer?.ToString(), (long)kept.After.TotalMilliseconds)
            : null);

    /// <summary>What is wrong with the workers of a service that leave, for people; null where nothing is.</summary>
    public static string? Remark(ServiceRunner runner)
    {
        foreach (var worker in runner.State.Workers)
        {
            if (runner.Drain(worker.Id)?.KeepsAccepting is { } kept)
            {
                return string.Create(CultureInfo.InvariantCulture, $"worker {worker.Slot} (pid {worker.Pid}, generation {worker.Generation}) keeps accepting on \"{kept.Listener}\"");
            }
        }

        return null;
    }
}
