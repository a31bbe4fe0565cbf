using Supervisor.Core.Continuity;

namespace Supervisor.Core.Listeners;

/// <summary>
/// A handle's history, oldest first, bounded: the beginning, which says how the socket was made, is never dropped;
/// of what came later the newest entries are kept. Sequence numbers show a gap. Owned by the loop.
/// </summary>
public sealed class HandleHistory
{
    /// <summary>Entries of the beginning that are kept for good.</summary>
    public const int KeptBeginning = 128;

    /// <summary>Newest entries that are kept besides.</summary>
    public const int KeptRecent = 896;

    private readonly TimeProvider _time;
    private readonly List<HistoryEntry> _beginning = [];
    private readonly Queue<HistoryEntry> _recent = new();
    private long _created;

    /// <summary>An empty history.</summary>
    public HandleHistory(TimeProvider time) => _time = time;

    /// <summary>The history that a predecessor kept, which goes on.</summary>
    public HandleHistory(TimeProvider time, KeptHistory kept)
        : this(time)
    {
        (_created, Count) = (kept.Created, kept.Count);
        _beginning.AddRange(kept.Beginning.Take(KeptBeginning));
        foreach (var entry in kept.Recent.TakeLast(KeptRecent))
        {
            _recent.Enqueue(entry);
        }
    }

    /// <summary>Raised for each new entry, after it was added.</summary>
    public event Action<HistoryEntry>? Added;

    /// <summary>Which of the handle's sockets the entries are about from now on: their notes begin with it; null where there is one socket.</summary>
    public string? Subject { get; set; }

    /// <summary>How many entries there have ever been; also the newest one's number.</summary>
    public long Count { get; private set; }

    /// <summary>How many entries between the beginning and the recent ones were dropped.</summary>
    public long Dropped => Count - _beginning.Count - _recent.Count;

    /// <summary>The entries that are kept, oldest first.</summary>
    public IEnumerable<HistoryEntry> Entries => _beginning.Concat(_recent);

    /// <summary>All of it, for a successor.</summary>
    public KeptHistory Keep() => new(_created, Count, [.. _beginning], [.. _recent]);

    /// <summary>Adds an entry, stamped with the time and the next number.</summary>
    public HistoryEntry Add(
        HandlePhase phase,
        string call,
        string? option = null,
        OptionValue? requested = null,
        OptionValue? effective = null,
        string? errno = null,
        Verdict verdict = Verdict.Exact,
        HistoryActor? actor = null,
        string? note = null)
    {
        var now = _time.GetTimestamp();
        if (Count == 0)
        {
            _created = now;
        }

        var entry = new HistoryEntry(
            ++Count, _time.GetUtcNow(), _time.GetElapsedTime(_created, now), phase, call, option, requested, effective, errno, verdict, actor,
            Subject is null ? note : note is null ? Subject : $"{Subject}: {note}");
        if (_beginning.Count < KeptBeginning)
        {
            _beginning.Add(entry);
        }
        else
        {
            if (_recent.Count == KeptRecent)
            {
                _recent.Dequeue();
            }

            _recent.Enqueue(entry);
        }

        Added?.Invoke(entry);
        return entry;
    }
}
