using System.Collections;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Listeners.History;

/// <summary>
/// A handle's history, oldest first, with a limit. The first entries, which show how the socket was made, are never dropped; of
/// the later ones only the newest are kept. Sequence numbers show a gap. Owned by the loop.
/// </summary>
/// <remarks>
/// There are as many histories as listeners, and one client can add to all of them at once. So an entry has only 24 bytes: the
/// time, and a reference to the fact (<see cref="HistoryFacts"/>). A reader gets an object that is made on demand.
/// </remarks>
public sealed class HandleHistory
{
    /// <summary>The first entries, which are never dropped.</summary>
    public const int KeptBeginning = 128;

    /// <summary>The newest entries, which are kept in addition.</summary>
    public const int KeptRecent = 896;

    /// <summary>Enough for making a listener and one hand-off.</summary>
    private const int Usual = 6;

    /// <summary>How many entries are added to a predecessor's history before it is read.</summary>
    private const int MostBeforeReading = 32;

    private readonly TimeProvider _time;
    private readonly HistoryFacts? _facts;
    private Stamped[] _beginning = [];
    private Stamped[] _recent = [];
    private int _beginningCount;
    private int _recentCount;
    private int _oldestRecent;
    private long _created;
    private UnreadHistory? _unread;

    /// <summary>An empty history; with <paramref name="facts"/> it shares equal facts with other histories.</summary>
    public HandleHistory(TimeProvider time, HistoryFacts? facts = null)
    {
        _time = time;
        _facts = facts;
    }

    /// <summary>Continues a predecessor's history.</summary>
    public HandleHistory(TimeProvider time, HistorySnapshot snapshot, HistoryFacts? facts = null)
        : this(time, facts)
    {
        (_created, Count) = (snapshot.Created, snapshot.Count);
        if (snapshot is { Unread: { } unread, Added.Count: 0 })
        {
            _unread = unread;
            return;
        }

        Take(snapshot);
    }

    /// <summary>Raised for each new entry, after it was added; the entry itself is <see cref="Latest"/>.</summary>
    public event Action<HistoryFact>? Added;

    /// <summary>
    /// The socket of the handle that further entries are about: their notes begin with it; null if there is only one socket.
    /// </summary>
    public string? Subject { get; set; }

    /// <summary>How many entries were ever added; also the newest entry's number.</summary>
    public long Count { get; private set; }

    /// <summary>How many entries were ever added about something that a worker or another program had changed.</summary>
    public long Drifts { get; private set; }

    /// <summary>How many entries were ever added about something that the daemon has repaired.</summary>
    public long Repairs { get; private set; }

    /// <summary>Counts on from the numbers of a predecessor.</summary>
    public void CountFrom(long drifts, long repairs) => (Drifts, Repairs) = (drifts, repairs);

    /// <summary>How many entries between the beginning and the recent ones were dropped.</summary>
    public long Dropped
    {
        get
        {
            Read();
            return Count - _beginningCount - _recentCount;
        }
    }

    /// <summary>
    /// Whether a process may have got the handle by another call than <paramref name="call"/>. That costs little, also if the history
    /// is not read yet.
    /// </summary>
    public bool MayHaveTakers(string call) => _unread?.MayHaveTakers(System.Text.Encoding.UTF8.GetBytes(call))
        ?? Entries.Any(entry => entry.Phase == HandlePhase.Handoff && entry.Call != call);

    /// <summary>The kept entries, oldest first. Made on demand.</summary>
    public IEnumerable<HistoryEntry> Entries
    {
        get
        {
            Read();
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

    /// <summary>When the first entry was added: nanoseconds of CLOCK_MONOTONIC; 0 if there is none.</summary>
    public long Created => _created;

    /// <summary>The kept entries with a higher number than <paramref name="number"/>, oldest first.</summary>
    public HistoryEntry[] After(long number)
    {
        if (Count - number > _beginningCount + _recentCount)
        {
            Read();
        }

        var added = (int)Math.Min(Count - number, _beginningCount + _recentCount);
        var entries = new HistoryEntry[Math.Max(0, added)];
        for (var i = 0; i < entries.Length; i++)
        {
            var at = _beginningCount + _recentCount - added + i;
            entries[i] = at < _beginningCount
                ? _beginning[at].Entry(FirstNumber + at)
                : _recent[(_oldestRecent + at - _beginningCount) % _recent.Length].Entry(Count - _recentCount + 1 + at - _beginningCount);
        }

        return entries;
    }

    /// <summary>The newest entry; null if there is none.</summary>
    public HistoryEntry? Latest =>
        _unread is not null && _beginningCount == 0 ? Entries.LastOrDefault()
        : _recentCount > 0 ? _recent[(_oldestRecent + _recentCount - 1) % _recent.Length].Entry(Count)
        : _beginningCount > 0 ? _beginning[_beginningCount - 1].Entry(Count)
        : null;

    /// <summary>A copy for a successor.</summary>
    public HistorySnapshot Snapshot()
    {
        if (_unread is { } unread && (_beginningCount == 0 || (unread.IsComplete && Count <= KeptBeginning)))
        {
            return unread.Snapshot(_created, Count, After(Count - _beginningCount));
        }

        Read();
        var recent = new Stamped[_recentCount];
        for (var i = 0; i < recent.Length; i++)
        {
            recent[i] = _recent[(_oldestRecent + i) % _recent.Length];
        }

        // The first entries are never overwritten.
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

    /// <summary>Adds an entry with the next number, about something that happened to several handles at one moment.</summary>
    public void Add(HistoryFact fact, HistoryMoment moment)
    {
        if (Count == 0)
        {
            _created = moment.Timestamp;
        }

        if (_unread is not null && _beginningCount == MostBeforeReading)
        {
            Read();
        }

        Count++;
        Drifts += fact.Phase == HandlePhase.Drift ? 1 : 0;
        Repairs += fact.Phase == HandlePhase.Repair ? 1 : 0;
        Append(new Stamped(fact, moment.Wall.UtcTicks, _time.GetElapsedTime(_created, moment.Timestamp).Ticks));
        Added?.Invoke(fact);
    }

    /// <summary>The number of the first entry in memory.</summary>
    private long FirstNumber => _unread is null ? 1 : Count - _beginningCount + 1;

    /// <summary>Reads a predecessor's history; what was added since follows it.</summary>
    private void Read()
    {
        if (_unread is not { } unread)
        {
            return;
        }

        var added = _beginning.AsSpan(0, _beginningCount).ToArray();
        _unread = null;
        Take(unread.Read());
        foreach (var entry in added)
        {
            Append(entry);
        }
    }

    private void Take(HistorySnapshot snapshot)
    {
        _beginning = [.. snapshot.Beginning.Take(KeptBeginning).Select(Restored)];
        _recent = [.. snapshot.Recent.TakeLast(KeptRecent).Select(Restored)];
        (_beginningCount, _recentCount) = (_beginning.Length, _recent.Length);
    }

    private void Append(Stamped entry)
    {
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
    }

    private Stamped Restored(HistoryEntry entry) => new(
        _facts?.Of(
            PhaseOf(entry), entry.Call, entry.Option, entry.Requested, entry.Effective, entry.Errno, entry.Verdict, entry.Actor, entry.Note)
            ?? new HistoryFact(
                PhaseOf(entry),
                entry.Call,
                entry.Option,
                entry.Requested,
                entry.Effective,
                entry.Errno,
                entry.Verdict,
                entry.Actor,
                entry.Note),
        entry.At.UtcTicks,
        entry.SinceCreation.Ticks);

    /// <summary>The phase, also of an entry that was written as one that older versions know (<see cref="HandlePhaseConverter"/>).</summary>
    private static HandlePhase PhaseOf(HistoryEntry entry) =>
        entry.Phase == HandlePhase.PostListen && (entry.Call is "bpf" or "shutdown" || entry.Option == "SO_ATTACH_REUSEPORT_EBPF")
            ? HandlePhase.Steer
            : entry.Phase;

    /// <summary>
    /// An entry without its number, which follows from its position: wall clock, and monotonic time since the first entry in
    /// 100 ns.
    /// </summary>
    private readonly record struct Stamped(HistoryFact Fact, long Wall, long SinceCreation)
    {
        public HistoryEntry Entry(long seq) =>
            HistoryEntry.Of(seq, new DateTimeOffset(Wall, TimeSpan.Zero), new TimeSpan(SinceCreation), Fact);
    }

    /// <summary>A list of entries, each made when it is read.</summary>
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
