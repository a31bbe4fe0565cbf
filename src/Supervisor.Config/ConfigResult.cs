using System.Collections.Immutable;

namespace Supervisor.Config;

/// <summary>What parsing gave.</summary>
/// <param name="Config">The configuration; null when there are errors.</param>
/// <param name="Errors">Everything that is wrong, in the order of the files, then by line and column.</param>
public sealed record ConfigResult(ListendConfig? Config, ImmutableArray<ConfigDiagnostic> Errors)
{
    /// <summary><c>daemon.runtime_directory</c>, so far as it could be read: also where there are errors.</summary>
    public string? RuntimeDirectory { get; init; }
}
