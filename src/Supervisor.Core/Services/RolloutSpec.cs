using System.Text.Json.Serialization;

namespace Supervisor.Core.Services;

/// <summary><c>rollout</c>.</summary>
public sealed record RolloutSpec
{
    /// <summary>The strategy.</summary>
    public RolloutStrategy Strategy { get; init; } = RolloutStrategy.Rolling;

    /// <summary>
    /// Rolling: how many new workers may start next to a full set; 0 if <see cref="MaxUnavailable"/> is 1 or more.
    /// </summary>
    public int MaxSurge { get; init; } = 1;

    /// <summary>How many ready workers a roll-out may take away at the same time.</summary>
    public int MaxUnavailable { get; init; }

    /// <summary>
    /// Whether a slot's old worker has to exit before its new one starts: stop-first, and rolling without a surge.
    /// </summary>
    public bool StopsFirst => Strategy == RolloutStrategy.StopFirst || this is { Strategy: RolloutStrategy.Rolling, MaxSurge: 0 };

    /// <summary>How long a new worker must stay ready before it counts.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How many workers are replaced first and then watched; 0: none.</summary>
    public int Canary { get; init; }

    /// <summary>How long the canary is watched.</summary>
    public TimeSpan CanaryHold { get; init; }

    /// <summary>
    /// How many of 1,000 new connections or flows the canary gets on steered listeners; null: as many as its workers' part of all.
    /// </summary>
    public int? CanaryShare { get; init; }

    /// <summary>Whether a failed roll-out is rolled back, or stops.</summary>
    public RolloutFailurePolicy OnFailure { get; init; } = RolloutFailurePolicy.Rollback;

    /// <summary>How many generations may be alive at the same time, draining ones included.</summary>
    public int MaxGenerations { get; init; } = 3;
}

/// <summary><c>rollout.strategy</c>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RolloutStrategy>))]
public enum RolloutStrategy
{
    /// <summary>A few slots at a time; an old worker drains when the new worker of its slot is ready.</summary>
    Rolling,

    /// <summary>A whole new generation next to the old one, which drains when all of the new one is ready.</summary>
    Overlap,

    /// <summary>The old worker of a slot exits before its new one starts.</summary>
    StopFirst,
}

/// <summary><c>rollout.on_failure</c>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RolloutFailurePolicy>))]
public enum RolloutFailurePolicy
{
    /// <summary>New workers drain; replaced workers are started again.</summary>
    Rollback,

    /// <summary>Ready new workers stay; no further worker is replaced.</summary>
    Stop,
}
