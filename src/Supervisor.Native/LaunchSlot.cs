using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>
/// The resources of one child between clone() and the launcher: its request, the descriptors it owns, and reserved low
/// descriptor numbers. A child copies the descriptor table up to its highest source (spawn.c). With thousands of listeners or
/// workers a high source would cost more than the rest of the start.
/// </summary>
internal sealed unsafe class LaunchSlot : IDisposable
{
    /// <summary>Output, error, control group, status and pins. A child with more high sources uses their own numbers.</summary>
    private const int Places = 4 + ChildProcess.PinKinds;

    /// <summary>Sources with a lower number need no place.</summary>
    private const int Low = 64;

    /// <summary>The child's descriptor stays closed. A closed handle has -1, with which the start must fail.</summary>
    private const int NoSource = -2; // LISTEND_NO_SOURCE, spawn.h

    private const int Left = 0; // LISTEND_SPAWN_LEFT, spawn.h

    private readonly DescriptorHandle _nothing;
    private readonly List<DescriptorHandle> _places = [];
    private List<nint> _memory = [];
    private IReadOnlyList<DescriptorHandle> _owned = [];
    private SpawnRequest* _request;
    private int _used;

    /// <summary>
    /// Reserves the lowest free numbers with duplicates of <paramref name="nothing"/>, which the caller keeps. When all low numbers are
    /// in use, it reserves none.
    /// </summary>
    public LaunchSlot(DescriptorHandle nothing)
    {
        _nothing = nothing;
        while (_places.Count < Places && Files.Duplicate(nothing, out _) is { } place)
        {
            if (place.Number >= Low)
            {
                place.Dispose();
                return;
            }

            _places.Add(place);
        }
    }

    /// <summary>Whether no child uses the slot.</summary>
    public bool IsFree => _request is null;

    /// <summary>Whether the slot's child has executed a program or has failed.</summary>
    public bool IsDone => _request is not null && Volatile.Read(ref _request->Running) == Left;

    /// <summary>
    /// Whether the slot's child executes its program itself. Nobody waits for that, and the child uses the slot's memory until then.
    /// </summary>
    public bool IsExecuting => _request is not null && _request->Direct.Path is not null;

    /// <summary>
    /// The numbers to pass to the child: low duplicates of the high sources if there are places for all of them.
    /// </summary>
    public int[] Lower(IReadOnlyList<DescriptorHandle?> sources)
    {
        var numbers = sources.Select(source => source?.Number ?? NoSource).ToArray();
        if (numbers.Count(number => number >= Low) > _places.Count)
        {
            return numbers;
        }

        for (var i = 0; i < numbers.Length; i++)
        {
            if (numbers[i] >= Low && Files.DuplicateOnto(sources[i]!, _places[_used]) is null)
            {
                numbers[i] = _places[_used++].Number;
            }
        }

        return numbers;
    }

    /// <summary>
    /// Assigns the slot to a child, which reads <paramref name="request"/>; the slot owns the memory and the descriptors.
    /// </summary>
    public void Occupy(SpawnRequest* request, List<nint> memory, IReadOnlyList<DescriptorHandle> owned)
    {
        _request = request;
        (_memory, _owned) = (memory, owned);
    }

    /// <summary>
    /// Waits until the child has its descriptors, and closes those that it owns. Frees its memory if the child no longer uses it.
    /// </summary>
    public void Finish()
    {
        if (_request is null)
        {
            return;
        }

        Syscalls.listend_spawn_wait(_request);
        while (_used > 0)
        {
            Files.DuplicateOnto(_nothing, _places[--_used]);
        }

        foreach (var descriptor in _owned)
        {
            descriptor.Dispose();
        }

        _owned = [];
        if (!IsDone)
        {
            return;
        }

        _request = null;
        foreach (var block in _memory)
        {
            NativeMemory.Free((void*)block);
        }

        _memory = [];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Finish();
        _places.ForEach(place => place.Dispose());
    }
}
