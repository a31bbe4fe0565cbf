using System.Collections.Immutable;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config;

/// <summary>The configuration files that could be read, and those that could not.</summary>
/// <param name="Sources">The main file first, then the drop-in files in name order.</param>
/// <param name="Errors">One for each file or folder that could not be read.</param>
public sealed record ConfigFilesResult(ImmutableArray<ConfigSource> Sources, ImmutableArray<ConfigDiagnostic> Errors)
{
    /// <summary>The files' bytes in the order of <see cref="Sources"/>; null if a file could not be read.</summary>
    public ConfigStamp? Stamp { get; init; }

    /// <summary>The hash of <see cref="Stamp"/>.</summary>
    public string? Hash => Stamp?.Hash;
}
