using System.Collections.Immutable;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config;

/// <summary>What parsing gave.</summary>
/// <param name="Config">The configuration; null when there are errors.</param>
/// <param name="Errors">Everything that is wrong, in the order of the files, then by line and column.</param>
public sealed record ConfigResult(ListendConfig? Config, ImmutableArray<ConfigDiagnostic> Errors)
{
    /// <summary><c>daemon.runtime_directory</c>, so far as it could be read: also where there are errors.</summary>
    public string? RuntimeDirectory { get; init; }

    /// <summary>
    /// What could be read, also where there are errors: the listeners and services of which every setting is right. Where
    /// there are none it is <see cref="Config"/>.
    /// </summary>
    public ListendConfig Readable { get; init; } = Config ?? new();

    /// <summary>
    /// Every section, with the settings that could be read and the others at their defaults: for what is looked at setting by
    /// setting. Where there are no errors it is <see cref="Config"/>.
    /// </summary>
    public ListendConfig Draft { get; init; } = Config ?? new();

    /// <summary>What is not as it should be and stops nobody: a file that a service names and that is not there yet.</summary>
    public ImmutableArray<ConfigDiagnostic> Warnings { get; init; } = [];

    /// <summary>Where settings stand, for what is found wrong with them after parsing.</summary>
    public ConfigPlaces Places { get; init; } = new([]);
}
