namespace Supervisor.Core.Listeners.History;

/// <summary>A <see cref="HandleHistory"/> at one moment, for the daemon that continues it.</summary>
/// <param name="Created">When the first entry was added: nanoseconds of CLOCK_MONOTONIC.</param>
/// <param name="Count">How many entries were ever added.</param>
/// <param name="Beginning">The first entries, which are never dropped.</param>
/// <param name="Recent">The newest entries.</param>
public sealed record HistorySnapshot(long Created, long Count, IReadOnlyList<HistoryEntry> Beginning, IReadOnlyList<HistoryEntry> Recent);
