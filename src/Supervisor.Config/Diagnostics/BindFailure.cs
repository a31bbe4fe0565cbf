using Supervisor.Core.Listeners.Conflicts;

namespace Supervisor.Config.Diagnostics;

/// <summary>A configured listener that cannot be bound.</summary>
/// <param name="Listener">Its name, or <c>daemon.metrics</c>.</param>
/// <param name="Diagnosis">Cause, holders and advice.</param>
public sealed record BindFailure(string Listener, BindDiagnosis Diagnosis);
