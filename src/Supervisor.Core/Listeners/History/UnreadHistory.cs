using System.Buffers;

namespace Supervisor.Core.Listeners.History;

/// <summary>
/// A predecessor's history as its state has it. Few of thousands of histories are ever looked at, so each is read when somebody does.
/// </summary>
/// <remarks>
/// The text belongs to the state until <see cref="Own"/>. A reader on another thread and that call wait for each other, so that the
/// memory of the state can be given up afterwards.
/// </remarks>
/// <param name="json">The JSON of a <see cref="HistorySnapshot"/>. The caller does not change it.</param>
/// <param name="entriesAt">Where the text after the fields <c>created</c> and <c>count</c> begins.</param>
/// <param name="read">Reads such a JSON; a damaged one has no entries.</param>
public sealed class UnreadHistory(ReadOnlyMemory<byte> json, int entriesAt, Func<ReadOnlyMemory<byte>, HistorySnapshot> read)
{
    private readonly Lock _lock = new();
    private ReadOnlyMemory<byte> _json = json;
    private bool _isOwn;

    /// <summary>The end of a history that is complete: entries can be added before it.</summary>
    private static ReadOnlySpan<byte> End => "],\"recent\":[]}"u8;

    /// <summary>Whether all entries are there, so that further ones can follow in the text.</summary>
    public bool IsComplete
    {
        get
        {
            lock (_lock)
            {
                return _json.Span.EndsWith(End);
            }
        }
    }

    /// <summary>Whether a process may have got the handle by another call than <paramref name="call"/>.</summary>
    public bool MayHaveTakers(ReadOnlySpan<byte> call)
    {
        lock (_lock)
        {
            return MayHaveTakers(_json.Span, call);
        }
    }

    /// <summary>Copies the text, so that the memory of the state is not needed for it.</summary>
    public void Own()
    {
        lock (_lock)
        {
            _json = _isOwn ? _json : _json.ToArray();
            _isOwn = true;
        }
    }

    /// <summary>Writes the text between the field <c>count</c> and the end, and <paramref name="add"/> where entries can be added.</summary>
    /// <param name="into">Gets the text.</param>
    /// <param name="add">Adds entries; the argument says whether they are the first ones. Without effect if it is not complete.</param>
    public void WriteTo(IBufferWriter<byte> into, Action<bool> add)
    {
        lock (_lock)
        {
            var entries = _json.Span[entriesAt..];
            var end = IsComplete ? entries.Length - End.Length : entries.Length;
            into.Write(entries[..end]);
            if (IsComplete)
            {
                add(entries[..end].EndsWith("["u8));
            }

            into.Write(entries[end..]);
        }
    }

    /// <summary>Reads it.</summary>
    public HistorySnapshot Read()
    {
        lock (_lock)
        {
            return read(_json);
        }
    }

    /// <summary>A copy of the history for a successor, with entries that were added: it is read only if somebody looks at them.</summary>
    internal HistorySnapshot Snapshot(long created, long count, HistoryEntry[] added) =>
        new(created, count, new Late(() => [.. Read().Beginning, .. added]), new Late(() => Read().Recent))
        {
            Unread = this,
            Added = added,
        };

    private static bool MayHaveTakers(ReadOnlySpan<byte> text, ReadOnlySpan<byte> call)
    {
        var handOff = "\"phase\":\"Handoff\""u8;
        var usual = ",\"call\":\""u8;
        for (int at; (at = text.IndexOf(handOff)) >= 0;)
        {
            text = text[(at + handOff.Length)..];
            if (!text.StartsWith(usual) || !text[usual.Length..].StartsWith(call) || text[usual.Length + call.Length] != '"')
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A list that is made when it is read.</summary>
    private sealed class Late(Func<IReadOnlyList<HistoryEntry>> make) : IReadOnlyList<HistoryEntry>
    {
        public int Count => make().Count;

        public HistoryEntry this[int index] => make()[index];

        public IEnumerator<HistoryEntry> GetEnumerator() => make().GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
