using System.Collections.Immutable;

namespace Supervisor.Core.Rollouts;

/// <summary>
/// Where a roll-out is:
/// <code>
/// Replacing ── every slot has its new worker ──▶ Draining ── old workers gone ──▶ Done
///     │ a new worker fails                           │ a further restart
///     ├──────────────▶ RollingBack ── new workers gone, old ones ready ──▶ RolledBack
///     │                    └─ the old generation cannot be started again ──▶ Failed
///     └─ on_failure = "stop" ──▶ Failed         (a further restart, at any time ──▶ Superseded)
/// </code>
/// </summary>
public enum RolloutPhase
{
    /// <summary>New workers are started, and old ones asked to drain as their slot's new one is ready.</summary>
    Replacing,

    /// <summary>Every slot is served by the new generation; old workers finish what they have in hand.</summary>
    Draining,

    /// <summary>A new worker failed: what was new is ended, what was replaced is started again, ready before the other goes.</summary>
    RollingBack,

    /// <summary>Ended well.</summary>
    Done,

    /// <summary>Ended where it began.</summary>
    RolledBack,

    /// <summary>Ended between the two.</summary>
    Failed,

    /// <summary>Ended by a further restart or by stop.</summary>
    Superseded,
}

/// <summary>A roll-out: the replacement of one generation by the next.</summary>
public sealed record RolloutState
{
    /// <summary>Where it is.</summary>
    public required RolloutPhase Phase { get; init; }

    /// <summary>The generation that served when it began.</summary>
    public required int From { get; init; }

    /// <summary>The generation that is to serve.</summary>
    public required int To { get; init; }

    /// <summary>For each slot the generation that it had, to go back to.</summary>
    public required ImmutableArray<int> Origins { get; init; }

    /// <summary>When it began; monotonic.</summary>
    public required TimeSpan StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public TimeSpan? EndedAt { get; init; }

    /// <summary>Why it failed; null while it does not.</summary>
    public string? Reason { get; init; }

    /// <summary>Whether it is under way.</summary>
    public bool IsActive => Phase is RolloutPhase.Replacing or RolloutPhase.Draining or RolloutPhase.RollingBack;
}
