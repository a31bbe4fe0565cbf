using System.Collections.Immutable;
using System.Globalization;

namespace Supervisor.Core.Workers;

/// <summary>The text of a drain, to follow the name of a worker.</summary>
public static class DrainWords
{
    /// <summary>The most peers that are named.</summary>
    public const int MaxPeers = 5;

    /// <summary>Such as "no connections", "1 connection", "3 connections".</summary>
    public static string Connections(long count) => count switch
    {
        0 => "no connections",
        1 => "1 connection",
        _ => string.Create(CultureInfo.InvariantCulture, $"{count} connections"),
    };

    /// <summary>The remaining connections.</summary>
    public static string Remaining(WorkerDrain drain, TimeSpan now) =>
        (drain.Count is > 0 and var count ? $"still has {Connections(count)}" : "has no connections left")
            + Details(drain, now, drain.SilentFor is { TotalSeconds: >= 1 } silent ? $"no data for {Age(silent)}" : null);

    /// <summary>The connections that a signal cuts; null if there are none.</summary>
    public static string? Cut(WorkerDrain drain, TimeSpan now, int signal)
    {
        if (drain.Count is not { } count || count == 0)
        {
            return null;
        }

        var peers = drain.Peers;
        var more = count - peers.Length;
        var from = peers.IsEmpty ? null
            : $"from {string.Join(", ", peers)}{(more > 0 ? string.Create(CultureInfo.InvariantCulture, $" and {more} more") : "")}";
        return $"had {Connections(count)}, cut by {Signals.Name(signal)}"
            + (signal == Signals.Kill ? "" : ", which a process of it does not handle") + Details(drain, now, from);
    }

    /// <summary>The evidence that it keeps accepting.</summary>
    public static string KeepsAccepting(KeptAccepting kept) => kept.Evidence switch
    {
        AcceptingEvidence.Accepted =>
            $"keeps accepting on \"{kept.Listener}\": it accepted a connection{(kept.Peer is { } peer ? $" (from {peer})" : "")} "
                + $"more than {Age(kept.After)} after its stop signal",
        AcceptingEvidence.Waiting =>
            $"keeps accepting on \"{kept.Listener}\": it still waits for connections {Age(kept.After)} after its stop signal",
        _ => throw new ArgumentOutOfRangeException(nameof(kept), kept.Evidence, null),
    };

    /// <summary>A duration without insignificant digits.</summary>
    public static string Age(TimeSpan age) => Duration.Rounded(age switch
    {
        { TotalSeconds: >= 10 } => TimeSpan.FromSeconds(Math.Floor(age.TotalSeconds)),
        { TotalSeconds: >= 1 } => TimeSpan.FromMilliseconds(Math.Floor(age.TotalSeconds * 10) * 100),
        _ => age,
    });

    /// <summary>
    /// Such as " (2 of web, 1 of admin; the oldest open for 31s at least; from 127.0.0.1:4711)"; empty without connections.
    /// </summary>
    private static string Details(WorkerDrain drain, TimeSpan now, string? more)
    {
        if (drain.OldestFor(now) is not { } oldest)
        {
            return "";
        }

        // The age is unknown in the first sample.
        var age = oldest.TotalMilliseconds >= 1 ? $"; the oldest open for {Age(oldest)} at least" : "";
        return $" ({Listeners(drain.ByListener)}{age}{(more is null ? "" : "; " + more)})";
    }

    private static string Listeners(ImmutableArray<(string Listener, int Count)> listeners) => listeners.Length == 1
        ? listeners[0].Listener
        : string.Join(", ", listeners.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Count} of {one.Listener}")));
}
