namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>A conflict at bind() or listen(): the other socket and the rule.</summary>
/// <param name="Holder">The other socket; null if the request contradicts itself.</param>
/// <param name="Rule">The rule.</param>
public sealed record BindConflict(BoundSocket? Holder, ConflictRule Rule);
