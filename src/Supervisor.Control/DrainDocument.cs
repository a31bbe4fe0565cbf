namespace Supervisor.Control;

/// <summary>What a draining worker still has to finish.</summary>
/// <param name="Connections">Open connections; null if the daemon may not inspect the worker, or has not done so yet.</param>
/// <param name="Listeners">The connections by listener.</param>
/// <param name="OldestMs">Minimum age of the oldest connection in milliseconds; null without a connection. The kernel does not
/// store when a connection was opened.</param>
/// <param name="SilentMs">Milliseconds without data on any connection; null without a connection, or if it is unknown for one
/// of them.</param>
/// <param name="KilledAt">When the daemon kills the worker (stop_timeout); null if it has done so.</param>
/// <param name="KeepsAccepting">Set if the worker accepts new connections after its stop signal; null if the daemon has not
/// seen that.</param>
public sealed record DrainDocument(
    int? Connections,
    IReadOnlyList<DrainListenerDocument> Listeners,
    long? OldestMs,
    long? SilentMs,
    DateTimeOffset? KilledAt,
    KeepsAcceptingDocument? KeepsAccepting)
{
    /// <summary>In the event worker-cut: the peers of the first few connections; empty otherwise.</summary>
    public IReadOnlyList<string> Peers { get; set; } = [];
}
