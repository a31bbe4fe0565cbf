using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Supervisor.Core.Services;

/// <summary>
/// Where a roll-out is:
/// <code>
/// Replacing ── every slot has its new worker ──▶ Draining ── old workers gone ──▶ Done
///   │   ▲ canary slots have theirs
///   ▼   │ promoted, or canary_hold is over
///  Canary ── a new worker fails ─┐
///     │ a new worker fails                           │ a further restart
///     ├──────────────▶ RollingBack ── new workers gone, old ones ready ──▶ RolledBack
///     │                    └─ the old generation cannot be started again ──▶ Failed
///     └─ on_failure = "stop" ──▶ Failed         (a further restart, at any time ──▶ Superseded)
/// abort leads from Replacing, Canary and Draining to RollingBack, whatever on_failure says.
/// </code>
/// </summary>
[JsonConverter(typeof(JsonStringEnumConverter<RolloutPhase>))]
public enum RolloutPhase
{
    /// <summary>New workers are started, and old ones asked to drain as their slot's new one is ready.</summary>
    Replacing,

    /// <summary>The first slots are served by the new generation, which is watched before the others follow.</summary>
    Canary,

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

    /// <summary>The generation that served when it began; where the roll-out goes back, it serves again in every slot.</summary>
    public required int From { get; init; }

    /// <summary>The generation that is to serve.</summary>
    public required int To { get; init; }

    /// <summary>When it began; monotonic.</summary>
    public required TimeSpan StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public TimeSpan? EndedAt { get; init; }

    /// <summary>How many slots the new generation served when it ended; null until then.</summary>
    public int? Replaced { get; init; }

    /// <summary>How many slots there were when it ended; null until then.</summary>
    public int? Total { get; init; }

    /// <summary>By which strategy it went, kept when it ended: the terms of its generation may change, or go, later; null until then.</summary>
    public RolloutStrategy? Strategy { get; init; }

    /// <summary>Why it failed; null while it does not.</summary>
    public string? Reason { get; init; }

    /// <summary>How many slots, from the first, are replaced and watched before the others; 0: none.</summary>
    public int Canary { get; init; }

    /// <summary>Set when the canary has been found good, or is not waited for: all slots are replaced.</summary>
    public bool Promoted { get; init; }

    /// <summary>In <see cref="RolloutPhase.Canary"/>: when it is promoted by itself; null: when somebody says so.</summary>
    public TimeSpan? PromotedAt { get; init; }

    /// <summary>The generations whose drain it waits for before its first worker starts (<c>max_generations</c>); empty where it waits for none.</summary>
    public ImmutableArray<int> WaitsFor { get; init; } = [];

    /// <summary>Set when it has waited for the drains that it had to wait for.</summary>
    public bool HasBegun { get; init; }

    /// <summary>Whether the new generation is on trial: any failure of it, also of a worker that has settled, takes it back.</summary>
    public bool IsOnTrial => Canary > 0 && !Promoted && Phase is RolloutPhase.Replacing or RolloutPhase.Canary;

    /// <summary>Whether new workers take the place of old ones, or are watched before they go on to.</summary>
    public bool IsReplacing => Phase is RolloutPhase.Replacing or RolloutPhase.Canary;

    /// <summary>Whether it is under way.</summary>
    public bool IsActive => Phase is RolloutPhase.Replacing or RolloutPhase.Canary or RolloutPhase.Draining or RolloutPhase.RollingBack;
}
