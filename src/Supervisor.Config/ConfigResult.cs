using System.Collections.Immutable;

namespace Supervisor.Config;

/// <summary>What parsing gave.</summary>
/// <param name="Config">The configuration; null when there are errors.</param>
/// <param name="Errors">Everything that is wrong, in the order of the files, then by line and column.</param>
public sealed record ConfigResult(ListendConfig? Config, ImmutableArray<ConfigDiagnostic> Errors)
{
    /// <summary><c>daemon.runtime_directory</c>, so far as it could be read: also where there are errors.</summary>
    public string? RuntimeDirectory { get; init; }

    /// <summary>What is not as it should be and stops nobody: a file that a service names and that is not there yet.</summary>
    public ImmutableArray<ConfigDiagnostic> Warnings { get; init; } = [];

    /// <summary>
    /// Where the values of services stand, by the setting's path; of a list the first element, and each by its number: <c>service.api.command</c>,
    /// <c>service.api.environment_files[1]</c>.
    /// Empty unless <see cref="ConfigContext.KeepsPlaces"/>.
    /// </summary>
    public ImmutableDictionary<string, SettingPlace> Places { get; init; } = ImmutableDictionary<string, SettingPlace>.Empty;
}
