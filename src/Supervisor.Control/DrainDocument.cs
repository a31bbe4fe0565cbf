namespace Supervisor.Control;

/// <summary>What a worker that leaves has left.</summary>
/// <param name="Connections">Its open connections; null where the daemon may not look into it, or has not looked yet.</param>
/// <param name="Listeners">How many of them are of which listener.</param>
/// <param name="OldestMs">For how many milliseconds, at the least, the oldest of them has been open; null where there is none. The
/// kernel keeps no time of a connection's birth.</param>
/// <param name="SilentMs">For how many milliseconds no data has come or gone on any of them; null where there is none, or that is not
/// known of each.</param>
/// <param name="KilledAt">When it is killed if it has not left by then (stop_timeout); null where it has been.</param>
/// <param name="KeepsAccepting">That it accepts new connections though it was sent its stop signal; null where that was not seen.</param>
public sealed record DrainDocument(
    int? Connections,
    IReadOnlyList<DrainListenerDocument> Listeners,
    long? OldestMs,
    long? SilentMs,
    DateTimeOffset? KilledAt,
    KeepsAcceptingDocument? KeepsAccepting)
{
    /// <summary>Of the event worker-cut: at the other end of the first few connections; empty otherwise.</summary>
    public IReadOnlyList<string> Peers { get; init; } = [];
}
