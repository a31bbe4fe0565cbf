using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>
/// A place for one child on its way to the launcher: what it reads, the descriptors that are its own from the start, and
/// places among the first descriptors for them. A child copies the table of descriptors up to its highest source (spawn.c), so
/// with thousands of listeners or workers a source with a high number would cost more than the rest of the start.
/// </summary>
internal sealed unsafe class LaunchSlot : IDisposable
{
    /// <summary>Output, error, control group and status. A child with more high sources does without.</summary>
    private const int Places = 4;

    /// <summary>A source below this needs no place.</summary>
    private const int Low = 64;

    private readonly DescriptorHandle _nothing;
    private readonly List<DescriptorHandle> _places = [];
    private List<nint> _memory = [];
    private IReadOnlyList<DescriptorHandle> _owned = [];
    private SpawnRequest* _request;
    private int _used;

    /// <summary>Takes the lowest numbers that are free, as duplicates of <paramref name="nothing"/>, which stays the caller's.</summary>
    public LaunchSlot(DescriptorHandle nothing)
    {
        _nothing = nothing;
        while (_places.Count < Places && Files.Duplicate(nothing, out _) is { } place)
        {
            _places.Add(place);
        }
    }

    /// <summary>Whether no child needs it.</summary>
    public bool IsFree => _request is null;

    /// <summary>Whether its child has executed the launcher, or has failed.</summary>
    public bool IsDone => _request is not null && Volatile.Read(ref _request->Running) == 0;

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

    /// <summary>A child reads this from now on; the descriptors and the memory are the slot's.</summary>
    public void Occupy(SpawnRequest* request, List<nint> memory, IReadOnlyList<DescriptorHandle> owned)
    {
        _request = request;
        (_memory, _owned) = (memory, owned);
    }

    /// <summary>Waits until the child needs nothing of it any more, and lets go of all.</summary>
    public void Finish()
    {
        if (_request is null)
        {
            return;
        }

        Syscalls.listend_spawn_wait(_request);
        _request = null;
        while (_used > 0)
        {
            Files.DuplicateOnto(_nothing, _places[--_used]);
        }

        foreach (var descriptor in _owned)
        {
            descriptor.Dispose();
        }

        foreach (var block in _memory)
        {
            NativeMemory.Free((void*)block);
        }

        (_owned, _memory) = ([], []);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Finish();
        _places.ForEach(place => place.Dispose());
    }
}
