namespace Supervisor.Native;

/// <summary>
/// Reserved low descriptor numbers, in which the sources of a child's descriptors are placed. A child copies the descriptor table up to
/// its highest source, and closes the copies (spawn.c). With hundreds of workers or connections a high source would cost more than the
/// rest of the child's steps (bench "per-connection"). Main thread only.
/// </summary>
internal sealed class LaunchPlaces
{
    /// <summary>Sources with a lower number need no place.</summary>
    public const int Low = 128;

    /// <summary>
    /// Enough for the processes of the connections that are accepted in one turn: two places each. On a busy host none of them runs
    /// before the turn is over.
    /// </summary>
    private const int Most = 72;

    /// <summary>The part of the limit of descriptors that places may take.</summary>
    private const int LimitShare = 16;

    private readonly DescriptorHandle _nothing;
    private readonly Stack<DescriptorHandle> _free = new();

    /// <summary>
    /// Reserves the lowest free numbers with duplicates of <paramref name="nothing"/>, which the caller keeps. When all low numbers are
    /// in use, it reserves none.
    /// </summary>
    public LaunchPlaces(DescriptorHandle nothing)
    {
        _nothing = nothing;
        var most = (int)Math.Min(Most, Processes.DescriptorLimit() / LimitShare);
        while (_free.Count < most && Files.Duplicate(nothing, out _) is { } place)
        {
            if (place.Number >= Low)
            {
                place.Dispose();
                return;
            }

            _free.Push(place);
        }
    }

    /// <summary>How many places are free.</summary>
    public int Free => _free.Count;

    /// <summary>Puts a duplicate in a place; null if that fails.</summary>
    public DescriptorHandle? Take(DescriptorHandle source)
    {
        var place = _free.Pop();
        if (Files.DuplicateOnto(source, place) is null)
        {
            return place;
        }

        _free.Push(place);
        return null;
    }

    /// <summary>Closes the duplicate in a place.</summary>
    public void Return(DescriptorHandle place)
    {
        Files.DuplicateOnto(_nothing, place);
        _free.Push(place);
    }
}
