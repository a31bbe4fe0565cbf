using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>
/// The resources of one child between clone() and the launcher: its request, the descriptors it owns, and the places that it uses.
/// </summary>
internal sealed unsafe class LaunchSlot : IDisposable
{
    /// <summary>The child's descriptor stays closed. A closed handle has -1, with which the start must fail.</summary>
    private const int NoSource = -2; // LISTEND_NO_SOURCE, spawn.h

    private const int Left = 0; // LISTEND_SPAWN_LEFT, spawn.h
    private const int Starts = 1; // LISTEND_SPAWN_STARTS, spawn.h

    private readonly LaunchPlaces _places;
    private readonly List<DescriptorHandle> _used = [];
    private IReadOnlyList<DescriptorHandle> _owned = [];
    private byte* _memory;
    private int _size;
    private SpawnRequest* _request;
    private LaunchTemplate? _template;
    private LaunchedProcess? _process;

    /// <summary>A slot whose children use some of these places.</summary>
    public LaunchSlot(LaunchPlaces places) => _places = places;

    /// <summary>Whether no child uses the slot.</summary>
    public bool IsFree => _request is null;

    /// <summary>Whether the slot's child has executed a program or has failed.</summary>
    public bool IsDone => _request is not null && Volatile.Read(ref _request->Running) == Left;

    /// <summary>Whether the slot's child has its descriptors, so that <see cref="Finish"/> does not wait.</summary>
    public bool HasDescriptors => _request is not null && Volatile.Read(ref _request->Running) != Starts;

    /// <summary>
    /// Whether the slot's child executes its program itself. The daemon does not wait for that. The child uses the slot's memory until then.
    /// </summary>
    public bool IsExecuting => _request is not null && _request->Direct.Path is not null;

    /// <summary>The numbers to pass to the child: low duplicates of the high sources if there are places for all of them.</summary>
    public int[] Lower(DescriptorHandle?[] sources)
    {
        var numbers = new int[sources.Length];
        var high = 0;
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = sources[i]?.Number ?? NoSource;
            high += numbers[i] >= _places.Low ? 1 : 0;
        }

        if (high > _places.Free)
        {
            return numbers;
        }

        for (var i = 0; i < numbers.Length; i++)
        {
            if (numbers[i] >= _places.Low && _places.Take(sources[i]!) is { } place)
            {
                numbers[i] = place.Number;
                _used.Add(place);
            }
        }

        return numbers;
    }

    /// <summary>Memory for the request of the next child: the same one again, if it is large enough.</summary>
    public byte* Memory(int size)
    {
        if (size > _size)
        {
            _memory = (byte*)NativeMemory.Realloc(_memory, (nuint)size);
            _size = size;
        }

        return _memory;
    }

    /// <summary>
    /// Assigns the slot to a child, which reads <paramref name="request"/> in the slot's memory, and <paramref name="template"/>. The
    /// slot owns the descriptors.
    /// </summary>
    public void Occupy(SpawnRequest* request, LaunchTemplate template, IReadOnlyList<DescriptorHandle> owned)
    {
        template.Retain();
        _request = request;
        (_template, _owned) = (template, owned);
    }

    /// <summary>Tells a process that has no status socket how its launch went, as soon as that is known.</summary>
    public void Report(LaunchedProcess process) => _process = process;

    /// <summary>
    /// Waits until the child has its descriptors, and closes those that it owns. Frees the slot if the child no longer uses it.
    /// </summary>
    public void Finish()
    {
        if (_request is null)
        {
            return;
        }

        Syscalls.listend_spawn_wait(_request);
        _used.ForEach(_places.Return);
        _used.Clear();

        foreach (var descriptor in _owned)
        {
            descriptor.Dispose();
        }

        _owned = [];
        if (!IsDone)
        {
            return;
        }

        var process = _process;
        var request = _request;
        _process = null;
        _request = null;
        process?.Complete(request->ByLauncher != 0, request->Outcome);
        _template!.Release();
        _template = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Finish();
        NativeMemory.Free(_memory);
        _memory = null;
        _size = 0;
    }
}
