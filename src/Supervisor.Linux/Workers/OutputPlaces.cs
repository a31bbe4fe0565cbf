using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Where children's ends of their pipes are while they are spawned: among the first descriptors. What lies above the highest
/// that a child is given need not be copied for it (and closed again by it), and with hundreds of workers that is nearly all.
/// One child's are always there, those of many while many are spawned.
/// </summary>
internal sealed class OutputPlaces : IDisposable
{
    /// <summary>Of the descriptors that the daemon may have at all, the places of many take no more than this part.</summary>
    private const ulong Part = 64;

    private readonly DescriptorHandle _nothing;
    private readonly Stack<Pair> _free = new();

    /// <summary>Takes the first places, at the lowest numbers that are free; until they are used they are what <paramref name="nothing"/> is, which stays the caller's.</summary>
    public OutputPlaces(DescriptorHandle nothing)
    {
        _nothing = nothing;
        _free.Push(NewPair(out var error) ?? throw new SystemCallException(error, "keeping a place for the workers' output"));
    }

    /// <summary>So many children are about to be spawned at once. There may be fewer places than that: who finds none does without.</summary>
    public void Expect(int children)
    {
        var most = Math.Min(children, (int)Math.Min(Processes.DescriptorLimit() / (2 * Part), Spawner.MostAtOnce));
        while (_free.Count < most && NewPair(out _) is { } pair)
        {
            _free.Push(pair);
        }
    }

    /// <summary>They have been: none of them has a place any more.</summary>
    public void ExpectNone()
    {
        while (_free.Count > 1)
        {
            var pair = _free.Pop();
            pair.Output.Dispose();
            pair.Error.Dispose();
        }
    }

    /// <summary>Duplicates of the ends of both pipes in places that are the child's until they are given back; null where none is free.</summary>
    public Pair? Take(DescriptorHandle output, DescriptorHandle error)
    {
        if (!_free.TryPop(out var pair))
        {
            return null;
        }

        if (Files.DuplicateOnto(output, pair.Output) is null && Files.DuplicateOnto(error, pair.Error) is null)
        {
            return pair;
        }

        GiveBack(pair);
        return null;
    }

    /// <summary>The child has its own: nothing here keeps its pipes open any more.</summary>
    public void GiveBack(Pair pair)
    {
        Files.DuplicateOnto(_nothing, pair.Output);
        Files.DuplicateOnto(_nothing, pair.Error);
        _free.Push(pair);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ExpectNone();
        foreach (var pair in _free)
        {
            pair.Output.Dispose();
            pair.Error.Dispose();
        }
    }

    private Pair? NewPair(out SystemCallError refused)
    {
        if (Files.Duplicate(_nothing, out refused) is not { } output)
        {
            return null;
        }

        if (Files.Duplicate(_nothing, out refused) is { } error)
        {
            return new Pair(output, error);
        }

        output.Dispose();
        return null;
    }

    /// <summary>The places of one child.</summary>
    public sealed record Pair(DescriptorHandle Output, DescriptorHandle Error);
}
