using System.Diagnostics;
using Supervisor.Control;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Reports;

/// <summary>The documents of steered listeners. On the loop.</summary>
internal static class SteeringDocuments
{
    private const double EntriesOfOnePercent = SteeringTable.Length / 100.0;

    /// <summary>How the kernel steers; null if the configuration does not ask for that.</summary>
    public static SteeringDocument? Of(ListenerHandle handle)
    {
        if (handle.Steering is not { } steering)
        {
            return handle.Spec.IsSteered && handle.Descriptor is not null
                ? new SteeringDocument("none", null, null, []) { Reason = handle.SteeringRefusal }
                : null;
        }

        // The kernel's clock of the flows.
        var now = Stopwatch.GetElapsedTime(0);
        var flows = steering.Flows(now);
        var parts = steering.Shares.ToDictionary(share => share.Generation, share => share.Entries);
        var given = steering.OfGenerations(now);
        return new SteeringDocument(
            "generation",
            steering.ActiveGeneration is > 0 and var active ? active : null,
            flows is null ? null : new FlowsDocument(flows.Live, flows.Limit) { Evicted = flows.Evicted },
            [
                .. given.Keys.Union(parts.Keys).Where(generation => generation > 0).Order().Select(generation => new ShareDocument(
                    generation,
                    parts.GetValueOrDefault(generation) / EntriesOfOnePercent,
                    given.GetValueOrDefault(generation).Selected)
                {
                    Flows = flows is null ? null : given.GetValueOrDefault(generation).Live,
                }),
            ])
        {
            Affinity = handle.Spec.Affinity is not { } affinity ? null : affinity.By == AffinityKind.Flow ? "flow" : "quic-cid",
        };
    }

    /// <summary>The state of a socket of a steered listener.</summary>
    public static string State(ListenerHandle handle, ListenerSocket socket, bool isHeld) =>
        handle.Steering!.Targets.Any(target => target.Slot == socket.Shard) ? "serving" : isHeld ? "waiting" : "leaving";
}
