namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>A refusal of bind() or listen(): which socket stands in the way, and by which rule.</summary>
/// <param name="Holder">The other socket; null where the request contradicts itself.</param>
/// <param name="Rule">The rule.</param>
public sealed record BindConflict(BoundSocket? Holder, ConflictRule Rule);
