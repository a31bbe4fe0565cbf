using System.Collections.Immutable;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>What a translation gave.</summary>
/// <param name="Toml">The configuration; null when there are errors.</param>
/// <param name="Unsupported">Every setting that is not in it; each is named in a comment of it too.</param>
/// <param name="Errors">Why nothing could be translated.</param>
public sealed record ImportResult(string? Toml, ImmutableArray<UnsupportedSetting> Unsupported, ImmutableArray<ConfigDiagnostic> Errors)
{
    /// <summary>Whether a file was of no kind that can be translated, rather than one that is wrong.</summary>
    public bool IsUnknownKind { get; init; }
}
