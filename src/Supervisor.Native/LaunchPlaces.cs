namespace Supervisor.Native;

/// <summary>
/// Reserved low descriptor numbers, in which the sources of a child's descriptors are placed. A child copies the descriptor table up to
/// its highest source, and closes the copies (spawn.c). With hundreds of workers or connections a high source would cost more than the
/// rest of the child's steps (bench "per-connection"). Main thread only.
/// </summary>
internal sealed class LaunchPlaces
{
    /// <summary>No place has a higher number.</summary>
    private const int Highest = 127;

    /// <summary>
    /// Enough for the processes of the connections that are accepted in one turn: two places each, and one for the pinned program. On a
    /// busy host none of them runs before the turn is over.
    /// </summary>
    private const int Most = 96;

    /// <summary>The part of the limit of descriptors that places may take.</summary>
    private const int LimitShare = 16;

    private readonly DescriptorHandle _nothing;
    private readonly List<DescriptorHandle> _places = [];
    private readonly List<bool> _isTaken = [];

    /// <summary>
    /// Reserves the lowest free numbers with duplicates of <paramref name="nothing"/>, which the caller keeps. When all low numbers are
    /// in use, it reserves none.
    /// </summary>
    public LaunchPlaces(DescriptorHandle nothing)
    {
        _nothing = nothing;
        var most = (int)Math.Min(Most, Processes.DescriptorLimit() / LimitShare);
        while (_places.Count < most && Descriptors.Duplicate(nothing, out _) is { } place)
        {
            if (place.Number > Highest)
            {
                place.Dispose();
                break;
            }

            _places.Add(place);
            _isTaken.Add(false);
        }

        Free = _places.Count;
    }

    /// <summary>How many places are free.</summary>
    public int Free { get; private set; }

    /// <summary>Sources with a lower number need no place.</summary>
    public int Low => _places.Count > 0 ? _places[0].Number : Highest + 1;

    /// <summary>Puts a duplicate in the lowest free place; null if there is none, or if that fails.</summary>
    public DescriptorHandle? Take(DescriptorHandle source)
    {
        var place = _isTaken.IndexOf(false);
        if (place < 0 || Descriptors.DuplicateOnto(source, _places[place]) is not null)
        {
            return null;
        }

        _isTaken[place] = true;
        Free--;
        return _places[place];
    }

    /// <summary>Closes the duplicate in a place.</summary>
    public void Return(DescriptorHandle place)
    {
        Descriptors.DuplicateOnto(_nothing, place);
        _isTaken[_places.IndexOf(place)] = false;
        Free++;
    }
}
