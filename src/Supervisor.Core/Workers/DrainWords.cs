using System.Globalization;

namespace Supervisor.Core.Workers;

/// <summary>A drain in words, to follow the name of a worker.</summary>
public static class DrainWords
{
    /// <summary>How many peers are named at the most.</summary>
    public const int MaxPeers = 5;

    /// <summary>Such as "no connection", "1 connection", "3 connections".</summary>
    public static string Connections(int count) => count switch
    {
        0 => "no connection",
        1 => "1 connection",
        _ => string.Create(CultureInfo.InvariantCulture, $"{count} connections"),
    };

    /// <summary>What it has left.</summary>
    public static string Left(WorkerDrain drain, TimeSpan now) =>
        $"has {Connections(drain.Count ?? 0)} left{Details(drain, now, drain.SilentFor is { TotalSeconds: >= 1 } silent ? $"no data for {Age(silent)}" : null)}";

    /// <summary>What is cut when it is killed; null where nothing is.</summary>
    public static string? Cut(WorkerDrain drain, TimeSpan now)
    {
        if (drain.Connections is not { Count: > 0 } connections)
        {
            return null;
        }

        var peers = connections.Select(connection => connection.Peer).OfType<ConnectionPeer>().Take(MaxPeers)
            .Select(peer => peer.ToString()).ToArray();
        var more = connections.Count - peers.Length;
        var from = peers.Length == 0 ? null
            : $"from {string.Join(", ", peers)}{(more > 0 ? string.Create(CultureInfo.InvariantCulture, $" and {more} more") : "")}";
        return $"had {Connections(connections.Count)}, which {(connections.Count == 1 ? "is" : "are")} cut{Details(drain, now, from)}";
    }

    /// <summary>That it keeps accepting.</summary>
    public static string KeepsAccepting(KeptAccepting kept) => kept.Evidence switch
    {
        AcceptingEvidence.Accepted =>
            $"keeps accepting on \"{kept.Listener}\": it accepted a connection{(kept.Peer is { } peer ? $" (from {peer})" : "")} more than {Age(kept.After)} after its stop signal",
        AcceptingEvidence.Waiting =>
            $"keeps accepting on \"{kept.Listener}\": it still waits for connections {Age(kept.After)} after its stop signal",
        _ => throw new ArgumentOutOfRangeException(nameof(kept), kept.Evidence, null),
    };

    /// <summary>A length of time without digits that say nothing.</summary>
    public static string Age(TimeSpan age) => Durations.Text(age switch
    {
        { TotalSeconds: >= 10 } => TimeSpan.FromSeconds(Math.Floor(age.TotalSeconds)),
        { TotalSeconds: >= 1 } => TimeSpan.FromMilliseconds(Math.Floor(age.TotalSeconds * 10) * 100),
        _ => age,
    });

    /// <summary>
    /// Such as " (2 of web, 1 of admin; the oldest open for 31s at least; from 127.0.0.1:4711)"; nothing where there is
    /// none.
    /// </summary>
    private static string Details(WorkerDrain drain, TimeSpan now, string? more)
    {
        if (drain.OldestFor(now) is not { } oldest)
        {
            return "";
        }

        // What has just been seen for the first time says nothing of its age.
        var age = oldest.TotalMilliseconds >= 1 ? $"; the oldest open for {Age(oldest)} at least" : "";
        return $" ({Listeners([.. drain.ByListener()])}{age}{(more is null ? "" : "; " + more)})";
    }

    private static string Listeners((string Listener, int Count)[] listeners) => listeners.Length == 1
        ? listeners[0].Listener
        : string.Join(", ", listeners.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Count} of {one.Listener}")));
}
