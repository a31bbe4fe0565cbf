using System.Collections.Immutable;

namespace Supervisor.Core.Services;

/// <summary>What happened to a service since it was configured; a successor of the daemon counts on.</summary>
public sealed record ServiceCounters
{
    /// <summary>Workers that were replaced after an unrequested exit, by <see cref="RestartCause"/>.</summary>
    public ImmutableSortedDictionary<string, long> Restarts { get; init; } = ImmutableSortedDictionary<string, long>.Empty;

    /// <summary>Roll-outs that have ended, by their outcome: the wire name of the phase.</summary>
    public ImmutableSortedDictionary<string, long> Rollouts { get; init; } = ImmutableSortedDictionary<string, long>.Empty;

    /// <summary>Connections that the daemon has accepted, with <see cref="StartMode.PerConnection"/>.</summary>
    public long Accepted { get; init; }

    /// <summary>Connections that the daemon has closed, because their source had too many.</summary>
    public long Refused { get; init; }

    /// <summary>Processes of connections that failed or could not be started.</summary>
    public long Failed { get; init; }

    /// <summary>With further restarts for that cause.</summary>
    internal ServiceCounters WithRestarts(string cause, int count) =>
        count == 0 ? this : this with { Restarts = Plus(Restarts, cause, count) };

    /// <summary>With one more roll-out of that outcome.</summary>
    internal ServiceCounters WithRollout(RolloutPhase outcome) => this with { Rollouts = Plus(Rollouts, outcome.ToWireName(), 1) };

    private static ImmutableSortedDictionary<string, long> Plus(ImmutableSortedDictionary<string, long> counts, string key, int count) =>
        counts.SetItem(key, counts.GetValueOrDefault(key) + count);
}
