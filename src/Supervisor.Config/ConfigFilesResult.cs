using System.Collections.Immutable;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config;

/// <summary>The configuration files that could be read, and those that could not.</summary>
/// <param name="Sources">The main file first, then the drop-in files in name order.</param>
/// <param name="Errors">One for each file or folder that could not be read.</param>
public sealed record ConfigFilesResult(ImmutableArray<ConfigSource> Sources, ImmutableArray<ConfigDiagnostic> Errors)
{
    /// <summary>
    /// A hash of the bytes of all files in the order of <see cref="Sources"/>, in hexadecimal; null if a file could not be read. It tells
    /// whether files have changed, and is no protection against a forger: only trusted users can write the files.
    /// </summary>
    public string? Hash { get; init; }
}
