using System.Collections.Immutable;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config;

/// <summary>The configuration files that could be read, and those that could not.</summary>
/// <param name="Sources">The main file first, then the drop-in files in name order.</param>
/// <param name="Errors">One for each file or folder that could not be read.</param>
public sealed record ConfigFilesResult(ImmutableArray<ConfigSource> Sources, ImmutableArray<ConfigDiagnostic> Errors);
