namespace Supervisor.Core.Services;

/// <summary>
/// The figures in a text about a roll-out. The daemon reads them from the state, a client from the daemon's document.
/// </summary>
/// <param name="State">The wire name of the roll-out's phase.</param>
/// <param name="From">The generation that served when the roll-out began.</param>
/// <param name="To">The generation that is rolled out.</param>
/// <param name="Replaced">How many slots the new generation serves.</param>
/// <param name="Total">How many slots there are.</param>
/// <param name="Elapsed">The roll-out's duration, so far or in total.</param>
public sealed record RolloutFigures(string State, int From, int To, int Replaced, int Total, TimeSpan Elapsed)
{
    /// <summary>How many workers drain.</summary>
    public int Draining { get; init; }

    /// <summary>How many connections the draining workers have; null if unknown.</summary>
    public int? DrainingConnections { get; init; }

    /// <summary>How many connections were cut.</summary>
    public int Cut { get; init; }

    /// <summary>What the roll-out waits for besides its own workers; null if nothing.</summary>
    public string? Waits { get; init; }

    /// <summary>Why the roll-out failed; null unless it did.</summary>
    public string? Reason { get; init; }

    /// <summary>What the worker wrote last because of which it failed; null if unknown.</summary>
    public IReadOnlyList<string>? LastLines { get; init; }

    /// <summary>The figures of a roll-out of that service.</summary>
    public static RolloutFigures Of(ServiceState service, RolloutState rollout, TimeSpan now)
    {
        var (replaced, total) = service.Progress(rollout);
        return new RolloutFigures(rollout.Phase.ToWireName(), rollout.From, rollout.To, replaced, total,
            (rollout.EndedAt ?? now) - rollout.StartedAt)
        {
            Draining = service.Workers.Count(worker => !worker.IsLive),
            Cut = rollout.Cut,
            Waits = RolloutText.Waits(service.Spec.Name, rollout, service.Spec.Rollout.MaxGenerations, now),
            Reason = rollout.Reason,
        };
    }
}
