namespace Supervisor.Native;

/// <summary>
/// Places among the first descriptors for what a child is given. A child copies the table of descriptors up to its highest
/// source (spawn.c), so with thousands of listeners or workers a source with a high number would cost more than the rest of
/// the spawn.
/// </summary>
internal sealed class LowDescriptors
{
    /// <summary>Output, error, control group, status, and a few listeners. A child with more high sources does without.</summary>
    private const int Places = 12;

    /// <summary>A source below this needs no place.</summary>
    private const int Low = 64;

    private readonly DescriptorHandle _nothing;
    private readonly List<DescriptorHandle> _places = [];
    private int _used;

    /// <summary>Takes the lowest numbers that are free, as duplicates of <paramref name="nothing"/>, which stays the caller's.</summary>
    public LowDescriptors(DescriptorHandle nothing)
    {
        _nothing = nothing;
        while (_places.Count < Places && Files.Duplicate(nothing, out _) is { } place)
        {
            _places.Add(place);
        }
    }

    /// <summary>The numbers to give to the child: low duplicates of the high ones where there are places for all of them.</summary>
    public int[] Lower(IReadOnlyList<DescriptorHandle> sources)
    {
        var numbers = sources.Select(source => source.Number).ToArray();
        if (numbers.Count(number => number >= Low) > _places.Count)
        {
            return numbers;
        }

        for (var i = 0; i < numbers.Length; i++)
        {
            if (numbers[i] >= Low && Files.DuplicateOnto(sources[i], _places[_used]) is null)
            {
                numbers[i] = _places[_used++].Number;
            }
        }

        return numbers;
    }

    /// <summary>The child has its own: nothing here keeps a pipe or a listener open.</summary>
    public void Release()
    {
        while (_used > 0)
        {
            Files.DuplicateOnto(_nothing, _places[--_used]);
        }
    }
}
