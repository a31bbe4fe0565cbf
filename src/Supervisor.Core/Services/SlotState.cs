using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>
/// What the restart policy lets a slot do:
/// <code>
///            a worker fails again                   the wait is over
///   Open ───────────────────────▶ BackingOff ───────────────────────▶ Open
///     │  restart.limit is reached              a worker is ready
///     ├───────────────────────────▶ Limited ─────────────────────────▶ Open
///     │  restart.policy: no more workers          start, or another generation
///     └───────────────────────────▶ Finished ────────────────────────▶ Open
/// </code>
/// A limited slot waits for <see cref="SlotState.NextTry"/>, then tries one worker at a time, and stays limited until one is ready.
/// </summary>
public enum SlotPhase
{
    /// <summary>A worker may be started at once.</summary>
    Open,

    /// <summary>The next worker is started at <see cref="SlotState.NextTry"/>.</summary>
    BackingOff,

    /// <summary>The restart limit was reached.</summary>
    Limited,

    /// <summary>No further worker is started.</summary>
    Finished,
}

/// <summary>One place for a worker: its generation, and the results of its last workers.</summary>
public sealed record SlotState
{
    /// <summary>Number, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>The generation that serves here.</summary>
    public required int Generation { get; init; }

    /// <summary>What the restart policy permits.</summary>
    [JsonIgnore]
    public SlotPhase Phase { get; init; }

    /// <summary>Failures in a row. After a worker that had proven itself ready, the count begins at one again.</summary>
    public int Failures { get; init; }

    /// <summary>When the next worker may be started; null: at once, or never.</summary>
    public TimeSpan? NextTry
    {
        get;
        init
        {
            field = value;
            Phase = (value, Phase) switch
            {
                (not null, SlotPhase.Open) => SlotPhase.BackingOff,
                (null, SlotPhase.BackingOff) => SlotPhase.Open,
                _ => Phase,
            };
        }
    }

    /// <summary>
    /// Whether a roll-out has vacated the slot. A new worker of the slot's own generation is then only started if the roll-out
    /// is rolled back.
    /// </summary>
    [JsonPropertyName("yielded")]
    public bool IsVacated { get; init; }

    /// <summary>Workers of the slot's generation that were replaced after an unrequested exit.</summary>
    public int Restarts { get; init; }

    /// <summary>Times of the last restarts, oldest first, as many as the limit counts.</summary>
    public ImmutableArray<TimeSpan> RecentRestarts { get; init; } = [];

    /// <summary>How the last worker of the slot's generation exited here; null if there was none.</summary>
    public ExitReason? LastExit { get; init; }

    /// <summary>The failures in a row of workers that were ready; null if the last worker did not fail.</summary>
    public CrashLoop? CrashLoop { get; init; }

    /// <summary>The manifest's form of <see cref="SlotPhase.Limited"/>.</summary>
    [JsonInclude]
    internal bool LimitReached
    {
        get => Phase == SlotPhase.Limited;
        init => Phase = value ? SlotPhase.Limited : Phase;
    }

    /// <summary>The manifest's form of <see cref="SlotPhase.Finished"/>.</summary>
    [JsonInclude]
    internal bool Finished
    {
        get => Phase == SlotPhase.Finished;
        init => Phase = value ? SlotPhase.Finished : Phase;
    }

    /// <summary>The slot, to be tried again at once.</summary>
    public SlotState Reopened() => this with { Failures = 0, Phase = SlotPhase.Open, NextTry = null };

    /// <summary>The slot, given to that generation. Nothing of another generation counts any more.</summary>
    public SlotState For(int generation) => generation == Generation
        ? Reopened() with { IsVacated = false }
        : new SlotState { Index = Index, Generation = generation };
}
