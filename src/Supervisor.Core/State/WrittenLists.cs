namespace Supervisor.Core.State;

/// <summary>Where the elements of a state's lists are in its text. <see cref="ManifestWriter"/> notes it while it writes.</summary>
public sealed class WrittenLists
{
    /// <summary>The listeners of the configuration.</summary>
    public WrittenList ConfigListeners { get; } = new();

    /// <summary>The services of the configuration.</summary>
    public WrittenList ConfigServices { get; } = new();

    /// <summary>The listeners.</summary>
    public WrittenList Listeners { get; } = new();
}

/// <summary>Where the elements of a list, which have a line each (<see cref="ElementLines"/>), are in the text of a state.</summary>
public sealed class WrittenList
{
    private readonly List<(int At, int Length)> _elements = [];

    /// <summary>How many elements it has.</summary>
    public int Count => _elements.Count;

    internal void Add(long at, long length) => _elements.Add(((int)at, (int)length));

    /// <summary>Elements that follow each other, for another state.</summary>
    /// <param name="state">The text of the state.</param>
    /// <param name="first">The index of the first one.</param>
    /// <param name="count">How many: 1 or more.</param>
    /// <param name="isCopied">Whether the other state is written over a copy of this one.</param>
    public ListPart<T> Part<T>(ReadOnlyMemory<byte> state, int first, int count, bool isCopied = false)
        where T : class
    {
        var (at, length) = _elements[first];
        var end = at + length;
        var (lastAt, lastLength) = _elements[first + count - 1];
        return new ListPart<T>(null, state[at..end], state[end..(lastAt + lastLength)], isCopied ? end : null);
    }
}

/// <summary>A part of a list that is written: an element, or the text of some.</summary>
/// <param name="Element">The element; null if it is text.</param>
/// <param name="First">The text of the first element, which has no line break.</param>
/// <param name="Others">The text of those that follow, with a line break and a comma before each.</param>
/// <param name="CopyAt">Where the stream has a copy of <paramref name="Others"/> before it is written; null without a copy.</param>
public readonly record struct ListPart<T>(
    T? Element, ReadOnlyMemory<byte> First = default, ReadOnlyMemory<byte> Others = default, long? CopyAt = null)
    where T : class;
