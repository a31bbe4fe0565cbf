namespace Supervisor.Core.Services;

/// <summary>What a roll-out waits for, for people.</summary>
public static class RolloutWords
{
    /// <summary>Of a canary: when it is promoted.</summary>
    public static string Until(string service, RolloutState rollout, TimeSpan now) => rollout.PromotedAt is { } at
        ? $"it is promoted in {Durations.Text(at > now ? at - now : TimeSpan.Zero)}"
        : $"it waits for \"listenctl promote {service}\" or \"listenctl abort {service}\"";

    /// <summary>What it waits for besides its own workers; null where it waits for nothing.</summary>
    public static string? Waits(string service, RolloutState rollout, int maxGenerations, TimeSpan now) =>
        rollout.Phase == RolloutPhase.Canary ? Until(service, rollout, now)
        : rollout.WaitsFor.IsEmpty ? null
        : $"waits until generation {string.Join(", ", rollout.WaitsFor)} has left (rollout.max_generations is {maxGenerations})";
}
