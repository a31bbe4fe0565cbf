using Supervisor.Core.Services;

namespace Supervisor.Control;

/// <summary>The document of a roll-out as text.</summary>
public static class RolloutDocuments
{
    /// <summary>The sentence of <see cref="RolloutText.Of"/> about a document.</summary>
    public static string ToText(this RolloutDocument rollout) => RolloutText.Of(rollout.ToFigures());

    /// <summary>The figures of a document.</summary>
    public static RolloutFigures ToFigures(this RolloutDocument rollout) =>
        new(rollout.State, rollout.From, rollout.To, rollout.Replaced, rollout.Total, TimeSpan.FromMilliseconds(rollout.ElapsedMs))
        {
            Draining = rollout.Draining,
            DrainingConnections = rollout.DrainingConnections,
            Cut = rollout.Cut,
            Waits = rollout.Waits,
            Reason = rollout.Reason,
            LastLines = rollout.LastLines,
        };
}
