using System.Collections;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Listeners.History;

/// <summary>
/// A handle's history, oldest first, bounded: the beginning, which says how the socket was made, is never dropped;
/// of what came later the newest entries are snapshot. Sequence numbers show a gap. Owned by the loop.
/// </summary>
/// <remarks>
/// There are as many histories as listeners, and one client can add to all of them at once. So an entry is 24 bytes, when it
/// happened and a reference to what happened (<see cref="HistoryFacts"/>); an object is made of it for whoever reads it.
/// </remarks>
public sealed class HandleHistory
{
    /// <summary>Entries of the beginning that are kept for good.</summary>
    public const int KeptBeginning = 128;

    /// <summary>Newest entries that are kept besides.</summary>
    public const int KeptRecent = 896;

    /// <summary>As many as making a listener takes, with one passing of it.</summary>
    private const int Usual = 6;

    private readonly TimeProvider _time;
    private readonly HistoryFacts? _facts;
    private Stamped[] _beginning = [];
    private Stamped[] _recent = [];
    private int _beginningCount;
    private int _recentCount;
    private int _oldestRecent;
    private long _created;

    /// <summary>An empty history; with <paramref name="facts"/> it shares with others what it says.</summary>
    public HandleHistory(TimeProvider time, HistoryFacts? facts = null)
    {
        _time = time;
        _facts = facts;
    }

    /// <summary>The history that a predecessor kept, which goes on.</summary>
    public HandleHistory(TimeProvider time, HistorySnapshot snapshot, HistoryFacts? facts = null)
        : this(time, facts)
    {
        (_created, Count) = (snapshot.Created, snapshot.Count);
        _beginning = [.. snapshot.Beginning.Take(KeptBeginning).Select(Restored)];
        _recent = [.. snapshot.Recent.TakeLast(KeptRecent).Select(Restored)];
        (_beginningCount, _recentCount) = (_beginning.Length, _recent.Length);
    }

    /// <summary>Raised for each new entry, after it was added; the entry itself is <see cref="Latest"/>.</summary>
    public event Action<HistoryFact>? Added;

    /// <summary>
    /// Which of the handle's sockets the entries are about from now on: their notes begin with it; null where there is one
    /// socket.
    /// </summary>
    public string? Subject { get; set; }

    /// <summary>How many entries there have ever been; also the newest one's number.</summary>
    public long Count { get; private set; }

    /// <summary>How many entries between the beginning and the recent ones were dropped.</summary>
    public long Dropped => Count - _beginningCount - _recentCount;

    /// <summary>The entries that are kept, oldest first. Made as they are asked for.</summary>
    public IEnumerable<HistoryEntry> Entries
    {
        get
        {
            for (var i = 0; i < _beginningCount; i++)
            {
                yield return _beginning[i].Entry(i + 1);
            }

            for (var i = 0; i < _recentCount; i++)
            {
                yield return _recent[(_oldestRecent + i) % _recent.Length].Entry(Count - _recentCount + 1 + i);
            }
        }
    }

    /// <summary>The newest entry; null where there is none.</summary>
    public HistoryEntry? Latest =>
        _recentCount > 0 ? _recent[(_oldestRecent + _recentCount - 1) % _recent.Length].Entry(Count)
        : _beginningCount > 0 ? _beginning[_beginningCount - 1].Entry(Count)
        : null;

    /// <summary>All of it as it is now, for a successor.</summary>
    public HistorySnapshot Snapshot()
    {
        var recent = new Stamped[_recentCount];
        for (var i = 0; i < recent.Length; i++)
        {
            recent[i] = _recent[(_oldestRecent + i) % _recent.Length];
        }

        // What stands in the beginning is never written over.
        return new(_created, Count, new Part(_beginning, _beginningCount, 1), new Part(recent, recent.Length, Count - _recentCount + 1));
    }

    /// <summary>Adds an entry, stamped with the time and the next number.</summary>
    public void Add(
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
        var about = Subject is null ? note : note is null ? Subject : $"{Subject}: {note}";
        Add(
            _facts?.Of(phase, call, option, requested, effective, errno, verdict, actor, about)
                ?? new HistoryFact(phase, call, option, requested, effective, errno, verdict, actor, about),
            new HistoryMoment(_time));
    }

    /// <summary>Adds an entry of what has happened to several handles at one moment, with the next number.</summary>
    public void Add(HistoryFact fact, HistoryMoment moment)
    {
        if (Count == 0)
        {
            _created = moment.Timestamp;
        }

        Count++;
        var entry = new Stamped(fact, moment.Wall.UtcTicks, _time.GetElapsedTime(_created, moment.Timestamp).Ticks);
        if (_beginningCount < KeptBeginning && _recentCount == 0)
        {
            if (_beginningCount == _beginning.Length)
            {
                Array.Resize(ref _beginning, Math.Min(Math.Max(Usual, _beginningCount * 2), KeptBeginning));
            }

            _beginning[_beginningCount++] = entry;
        }
        else if (_recentCount == KeptRecent)
        {
            _recent[_oldestRecent] = entry;
            _oldestRecent = (_oldestRecent + 1) % _recent.Length;
        }
        else
        {
            if (_recentCount == _recent.Length)
            {
                Array.Resize(ref _recent, Math.Min(Math.Max(KeptBeginning, _recentCount * 2), KeptRecent));
            }

            _recent[_recentCount++] = entry;
        }

        Added?.Invoke(fact);
    }

    private Stamped Restored(HistoryEntry entry) => new(
        _facts?.Of(
            entry.Phase, entry.Call, entry.Option, entry.Requested, entry.Effective, entry.Errno, entry.Verdict, entry.Actor, entry.Note)
            ?? new HistoryFact(
                entry.Phase, entry.Call, entry.Option, entry.Requested, entry.Effective, entry.Errno, entry.Verdict, entry.Actor, entry.Note),
        entry.At.UtcTicks,
        entry.SinceCreation.Ticks);

    /// <summary>An entry without its number, which is its place: wall clock and monotonic time since the first one in 100 ns.</summary>
    private readonly record struct Stamped(HistoryFact Fact, long Wall, long SinceCreation)
    {
        public HistoryEntry Entry(long seq) =>
            HistoryEntry.Of(seq, new DateTimeOffset(Wall, TimeSpan.Zero), new TimeSpan(SinceCreation), Fact);
    }

    /// <summary>Entries in a row, each made when it is read.</summary>
    private sealed class Part(Stamped[] entries, int count, long first) : IReadOnlyList<HistoryEntry>
    {
        public int Count => count;

        public HistoryEntry this[int index] => entries[index].Entry(first + index);

        public IEnumerator<HistoryEntry> GetEnumerator()
        {
            for (var i = 0; i < count; i++)
            {
                yield return entries[i].Entry(first + i);
            }
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
