using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Supervisor.Core.Services;

/// <summary>The phase of a roll-out. <see cref="RolloutMachine"/> has the diagram.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RolloutPhase>))]
public enum RolloutPhase
{
    /// <summary>New workers start. An old worker drains once the new worker of its slot is ready.</summary>
    Replacing,

    /// <summary>The new generation serves the first slots and is watched before the others follow.</summary>
    Canary,

    /// <summary>The new generation serves every slot. Old workers finish their connections.</summary>
    Draining,

    /// <summary>
    /// The new generation drains. In replaced slots the old generation starts again, and is ready before the new worker drains.
    /// </summary>
    RollingBack,

    /// <summary>Ended: the new generation serves.</summary>
    Done,

    /// <summary>Ended: the old generation serves.</summary>
    RolledBack,

    /// <summary>Ended between the two generations.</summary>
    Failed,

    /// <summary>Ended by a further restart or by a stop.</summary>
    Superseded,

    /// <summary>Older generations have to drain before its first worker starts (max_generations).</summary>
    Waiting,
}

/// <summary>A roll-out: the replacement of one generation by the next.</summary>
public sealed record RolloutState
{
    /// <summary>The phase.</summary>
    [JsonIgnore]
    public RolloutPhase Phase { get; init; }

    /// <summary>
    /// The manifest's form of <see cref="Phase"/>, which versions without <see cref="RolloutPhase.Waiting"/> can read too.
    /// </summary>
    [JsonInclude, JsonPropertyName("phase"), JsonRequired, JsonPropertyOrder(-2)]
    internal RolloutPhase StoredPhase
    {
        get => Phase == RolloutPhase.Waiting ? RolloutPhase.Replacing : Phase;
        init => Phase = value;
    }

    /// <summary>The manifest's form of <see cref="RolloutPhase.Waiting"/>.</summary>
    [JsonInclude, JsonPropertyOrder(-1)]
    internal bool HasBegun
    {
        get => Phase != RolloutPhase.Waiting;
        init => Phase = !value && Phase == RolloutPhase.Replacing ? RolloutPhase.Waiting : Phase;
    }

    /// <summary>The generation that served at the beginning. After a rollback it serves every slot again.</summary>
    public required int From { get; init; }

    /// <summary>The new generation.</summary>
    public required int To { get; init; }

    /// <summary>When it began; monotonic.</summary>
    public required TimeSpan StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public TimeSpan? EndedAt { get; init; }

    /// <summary>How many slots the new generation served when it ended; null until then.</summary>
    public int? Replaced { get; init; }

    /// <summary>How many slots there were when it ended; null until then.</summary>
    public int? Total { get; init; }

    /// <summary>Its strategy, kept when it ended, because the terms of its generation may change later; null until then.</summary>
    public RolloutStrategy? Strategy { get; init; }

    /// <summary>Why it failed; null unless it did.</summary>
    public string? Reason { get; init; }

    /// <summary>How many connections were cut since it began: connections of killed processes.</summary>
    public int Cut { get; init; }

    /// <summary>How many slots, from the first, are replaced and watched before the others; 0: no canary.</summary>
    public int Canary { get; init; }

    /// <summary>Whether the canary was promoted, so that all slots are replaced.</summary>
    [JsonPropertyName("promoted")]
    public bool IsPromoted { get; init; }

    /// <summary>In <see cref="RolloutPhase.Canary"/>: when it is promoted automatically; null: only on request.</summary>
    public TimeSpan? PromotedAt { get; init; }

    /// <summary>In <see cref="RolloutPhase.Waiting"/>: the generations that have to drain.</summary>
    public ImmutableArray<int> WaitsFor { get; init; } = [];

    /// <summary>Whether the new generation is on trial: any failure, also of a worker that has settled, rolls it back.</summary>
    public bool IsOnTrial => Canary > 0 && !IsPromoted && IsReplacing;

    /// <summary>Whether new workers replace old ones, or are watched before they do.</summary>
    public bool IsReplacing => Phase is RolloutPhase.Waiting or RolloutPhase.Replacing or RolloutPhase.Canary;

    /// <summary>Whether it is active.</summary>
    public bool IsActive => IsReplacing || Phase is RolloutPhase.Draining or RolloutPhase.RollingBack;
}
