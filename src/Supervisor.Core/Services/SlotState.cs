using System.Collections.Immutable;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>One place for a worker: which generation it is meant to be served by, and how its last workers fared.</summary>
public sealed record SlotState
{
    /// <summary>Number, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>The generation that is to serve here.</summary>
    public required int Generation { get; init; }

    /// <summary>Failures in a row; a worker that had proven itself ready begins anew at one.</summary>
    public int Failures { get; init; }

    /// <summary>When the next worker may be started; null: at once.</summary>
    public TimeSpan? NextTry { get; init; }

    /// <summary>Set while the restart limit holds it back.</summary>
    public bool LimitReached { get; init; }

    /// <summary>Set when the restart policy says that the end of the last worker was the end.</summary>
    public bool Finished { get; init; }

    /// <summary>
    /// Set while a roll-out has given the slot away: its generation serves no more, the new one does not yet, and the
    /// old one is started again only if the roll-out goes back.
    /// </summary>
    public bool Yielded { get; init; }

    /// <summary>Workers replaced because they ended by themselves.</summary>
    public int Restarts { get; init; }

    /// <summary>Times of the last restarts, oldest first, as many as the limit counts.</summary>
    public ImmutableArray<TimeSpan> RecentRestarts { get; init; } = [];

    /// <summary>How the last worker here ended; null where none has.</summary>
    public ExitReason? LastExit { get; init; }

    /// <summary>The slot, meant for that generation from now on; what held the former one back is forgotten.</summary>
    public SlotState For(int generation) =>
        this with { Generation = generation, Failures = 0, NextTry = null, LimitReached = false, Finished = false, Yielded = false };
}
