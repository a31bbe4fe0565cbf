using Supervisor.Core.Services;

namespace Supervisor.Linux.Workers;

/// <summary>
/// What the last failed worker of each slot and generation wrote last. Escaped and bounded. Kept while the generation is a slot's or
/// that of the last roll-out. Lives on the loop; a successor begins without it.
/// </summary>
public sealed class FailureLines
{
    private readonly Dictionary<(int Slot, int Generation), IReadOnlyList<string>> _lines = [];

    /// <summary>The lines of a slot's last failed worker, oldest first; null if none has failed, or if it wrote nothing.</summary>
    public IReadOnlyList<string>? Of(int slot, int generation) => _lines.GetValueOrDefault((slot, generation));

    /// <summary>The same of a failed worker of that generation, in the lowest slot.</summary>
    public IReadOnlyList<string>? OfGeneration(int generation) =>
        _lines.Where(pair => pair.Key.Generation == generation).OrderBy(pair => pair.Key.Slot).Select(pair => pair.Value).FirstOrDefault();

    /// <summary>Notes the lines of a pre_start that has failed, for the slots that it prevents from starting.</summary>
    internal void Note(HookEnded hook, IReadOnlyList<string> lines, ServiceState state)
    {
        foreach (var slot in state.Slots.Where(slot => slot.Generation == hook.Generation).Select(slot => slot.Index).Append(0))
        {
            Note(slot, hook.Generation, lines, state);
        }
    }

    /// <summary>Notes the lines of a worker that has failed; empty if it wrote nothing.</summary>
    internal void Note(WorkerState worker, IReadOnlyList<string> lines, ServiceState state) =>
        Note(worker.Slot, worker.Generation, lines, state);

    private void Note(int slot, int generation, IReadOnlyList<string> lines, ServiceState state)
    {
        _lines.Remove((slot, generation));
        foreach (var key in _lines.Keys.Where(key => key.Generation != state.Rollout?.To
            && !(key.Slot < state.Slots.Length && state.Slots[key.Slot].Generation == key.Generation)).ToArray())
        {
            _lines.Remove(key);
        }

        if (lines.Count > 0)
        {
            _lines.Add((slot, generation), lines);
        }
    }
}
