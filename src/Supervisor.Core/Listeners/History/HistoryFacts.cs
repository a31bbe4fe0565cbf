using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Listeners.History;

/// <summary>
/// The recent facts: what happens to thousands of handles in a row is in memory once. A new fact overwrites an older one, so
/// the table is small and nothing has to be removed. Owned by the loop.
/// </summary>
public sealed class HistoryFacts
{
    private const int Slots = 64;

    private readonly HistoryFact?[] _lately = new HistoryFact?[Slots];

    /// <summary>Returns the recent equal fact, else a new one.</summary>
    public HistoryFact Of(
        HandlePhase phase,
        string call,
        string? option,
        OptionValue? requested,
        OptionValue? effective,
        string? errno,
        Verdict verdict,
        HistoryActor? actor,
        string? note)
    {
        // Hashes what differs between the steps of one handle; two facts in one slot only share less.
        var slot = (((int)phase * 5) + call.Length + (option is null ? 0 : (option.Length * 7) + option[^1])) % Slots;
        if (_lately[slot] is { } known
            && known.Phase == phase && known.Verdict == verdict
            && known.Call == call && known.Option == option && known.Note == note && known.Errno == errno
            && (ReferenceEquals(known.Actor, actor) || known.Actor == actor)
            && known.Requested == requested && known.Effective == effective)
        {
            return known;
        }

        return _lately[slot] = new HistoryFact(phase, call, option, requested, effective, errno, verdict, actor, note);
    }
}
