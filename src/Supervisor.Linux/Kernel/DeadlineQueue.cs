namespace Supervisor.Linux.Kernel;

/// <summary>Deadlines in their order. A change takes a time that grows with the logarithm of their number.</summary>
internal sealed class DeadlineQueue
{
    private readonly Dictionary<IDeadline, Entry> _entries = new(ReferenceEqualityComparer.Instance);
    private readonly SortedSet<Entry> _sorted = [];
    private long _number;

    /// <summary>The earliest one; null if there is none.</summary>
    public TimeSpan? First => _sorted.Count == 0 ? null : _sorted.Min.At;

    /// <summary>Adds, moves or, with null, removes a deadline.</summary>
    public void Set(IDeadline deadline, TimeSpan? at)
    {
        if (_entries.Remove(deadline, out var former))
        {
            _sorted.Remove(former);
        }

        if (at is { } time)
        {
            var entry = new Entry(time, ++_number, deadline);
            _entries.Add(deadline, entry);
            _sorted.Add(entry);
        }
    }

    /// <summary>Whether the deadline is in the queue.</summary>
    public bool Has(IDeadline deadline) => _entries.ContainsKey(deadline);

    /// <summary>The deadlines up to that time, the earliest first. The queue may change while the caller uses them.</summary>
    public IReadOnlyList<IDeadline> Until(TimeSpan time) =>
        First <= time ? [.. _sorted.TakeWhile(entry => entry.At <= time).Select(entry => entry.Deadline)] : [];

    private readonly record struct Entry(TimeSpan At, long Number, IDeadline Deadline) : IComparable<Entry>
    {
        public int CompareTo(Entry other) => At != other.At ? At.CompareTo(other.At) : Number.CompareTo(other.Number);
    }
}
