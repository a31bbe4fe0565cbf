namespace Supervisor.Core.Listeners.History;

/// <summary>
/// A predecessor's history as its state has it. Few of thousands of histories are ever looked at, so each is read when somebody does.
/// </summary>
/// <param name="json">The JSON of a <see cref="HistorySnapshot"/>. The caller does not change it.</param>
/// <param name="entriesAt">Where the text after the fields <c>created</c> and <c>count</c> begins.</param>
/// <param name="read">Reads such a JSON; a damaged one has no entries.</param>
public sealed class UnreadHistory(byte[] json, int entriesAt, Func<byte[], HistorySnapshot> read)
{
    /// <summary>The end of a history that is complete: entries can be added before it.</summary>
    private static ReadOnlySpan<byte> End => "],\"recent\":[]}"u8;

    /// <summary>Whether all entries are there, so that further ones can follow in the text.</summary>
    public bool IsComplete => json.AsSpan().EndsWith(End);

    /// <summary>The text between the field <c>count</c> and the place where entries can be added; all of it if it is not complete.</summary>
    public ReadOnlySpan<byte> Entries => json.AsSpan()[entriesAt..^Rest.Length];

    /// <summary>The text after that place.</summary>
    public ReadOnlySpan<byte> Rest => IsComplete ? End : default;

    /// <summary>Whether a process may have got the handle by another call than <paramref name="call"/>.</summary>
    public bool MayHaveTakers(ReadOnlySpan<byte> call)
    {
        var text = json.AsSpan();
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

    /// <summary>Reads it.</summary>
    public HistorySnapshot Read() => read(json);

    /// <summary>A copy of the history for a successor, with entries that were added: it is read only if somebody looks at them.</summary>
    internal HistorySnapshot Snapshot(long created, long count, HistoryEntry[] added) =>
        new(created, count, new Late(() => [.. Read().Beginning, .. added]), new Late(() => Read().Recent))
        {
            Unread = this,
            Added = added,
        };

    /// <summary>A list that is made when it is read.</summary>
    private sealed class Late(Func<IReadOnlyList<HistoryEntry>> make) : IReadOnlyList<HistoryEntry>
    {
        public int Count => make().Count;

        public HistoryEntry this[int index] => make()[index];

        public IEnumerator<HistoryEntry> GetEnumerator() => make().GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
