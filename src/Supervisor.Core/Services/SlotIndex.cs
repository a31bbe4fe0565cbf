using System.Collections.Immutable;

namespace Supervisor.Core.Services;

/// <summary>
/// The workers of each slot, in their order. Steps ask for each slot at each event; a look at all workers for each would cost a
/// service of a thousand workers that fail together the third power of their number.
/// </summary>
internal sealed class SlotIndex
{
    private const int None = -1;

    private readonly int[] _first;
    private readonly int[] _next;

    /// <summary>Reads the workers once.</summary>
    public SlotIndex(ImmutableArray<WorkerState> workers)
    {
        Workers = workers;
        var slots = 0;
        foreach (var worker in workers)
        {
            slots = Math.Max(slots, worker.Connection is null ? worker.Slot + 1 : 0);
        }

        _next = new int[workers.Length];
        _first = new int[slots];
        Array.Fill(_first, None);
        for (var i = workers.Length - 1; i >= 0; i--)
        {
            if (workers[i].Connection is null)
            {
                _next[i] = _first[workers[i].Slot];
                _first[workers[i].Slot] = i;
            }
        }
    }

    /// <summary>The workers that were read.</summary>
    public ImmutableArray<WorkerState> Workers { get; }

    /// <summary>The workers of a slot.</summary>
    public IEnumerable<WorkerState> Of(int slot)
    {
        for (var i = slot < _first.Length ? _first[slot] : None; i != None; i = _next[i])
        {
            yield return Workers[i];
        }
    }
}
