using System.Text.Json.Serialization;

namespace Supervisor.Core.Listeners.History;

/// <summary>A <see cref="HandleHistory"/> at one moment, for the daemon that continues it.</summary>
/// <param name="Created">When the first entry was added: nanoseconds of CLOCK_MONOTONIC.</param>
/// <param name="Count">How many entries were ever added.</param>
/// <param name="Beginning">The first entries, which are never dropped.</param>
/// <param name="Recent">The newest entries.</param>
public sealed record HistorySnapshot(long Created, long Count, IReadOnlyList<HistoryEntry> Beginning, IReadOnlyList<HistoryEntry> Recent)
{
    /// <summary>The text that has the entries, except <see cref="Added"/>; null if the entries are in memory.</summary>
    [JsonIgnore]
    public UnreadHistory? Unread { get; init; }

    /// <summary>The newest entries of <see cref="Beginning"/>, which <see cref="Unread"/> does not have.</summary>
    [JsonIgnore]
    public IReadOnlyList<HistoryEntry> Added { get; init; } = [];

    /// <summary>A snapshot of an unread history.</summary>
    public static HistorySnapshot Of(UnreadHistory unread, long created, long count) => unread.Snapshot(created, count, []);
}
