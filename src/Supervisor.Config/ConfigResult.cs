using System.Collections.Immutable;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config;

/// <summary>A configuration after validation.</summary>
/// <param name="Config">The configuration; null when there are errors.</param>
/// <param name="Errors">Everything that is wrong, sorted by file, line and column.</param>
public sealed record ConfigResult(ListendConfig? Config, ImmutableArray<ConfigDiagnostic> Errors)
{
    /// <summary>
    /// Listeners that cannot be bound, each with its diagnosis (<see cref="ConfigDiagnostic.Bind"/>), sorted like the errors.
    /// <see cref="Config"/> is not null because of them: a start serves the other listeners.
    /// </summary>
    public ImmutableArray<ConfigDiagnostic> Failures { get; init; } = [];

    /// <summary>Problems that stop nothing, for example a missing file that a service names.</summary>
    public ImmutableArray<ConfigDiagnostic> Warnings { get; init; } = [];

    /// <summary>The sections without an error of their settings. Without errors it is <see cref="Config"/>.</summary>
    public ListendConfig Readable { get; init; } = Config ?? new();

    /// <summary>
    /// Every section, with the settings that could be read and the others at their defaults. Without errors it is
    /// <see cref="Config"/>.
    /// </summary>
    public ListendConfig Draft { get; init; } = Config ?? new();

    /// <summary>The files that it was read from; null without files.</summary>
    public ConfigStamp? Stamp { get; init; }

    /// <summary>The positions of settings, for errors that are found later.</summary>
    public ConfigPlaces Places { get; init; } = new([]);
}
