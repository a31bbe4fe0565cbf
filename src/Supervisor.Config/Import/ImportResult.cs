using System.Collections.Immutable;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>The result of a translation.</summary>
/// <param name="Toml">The configuration; null when there are errors.</param>
/// <param name="Differences">Every setting that is not in the configuration as it was. Comments in the text name them too.</param>
/// <param name="Errors">Why nothing could be translated.</param>
public sealed record ImportResult(string? Toml, ImmutableArray<ImportDifference> Differences, ImmutableArray<ConfigDiagnostic> Errors)
{
    /// <summary>Whether the kind of a file was unknown, as opposed to a file with errors.</summary>
    public bool IsUnknownKind { get; init; }
}
