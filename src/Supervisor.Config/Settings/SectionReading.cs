using Supervisor.Config.Diagnostics;
using Supervisor.Config.Toml;

namespace Supervisor.Config.Settings;

/// <summary>The result of reading one section.</summary>
/// <param name="Spec">The specification, with the settings that could be read.</param>
/// <param name="Path">The section's path, such as <c>listener.web</c>.</param>
/// <param name="Table">The section.</param>
/// <param name="Given">Every setting whose value could be read, by its key within the section.</param>
internal sealed record SectionReading<TSpec>(
    TSpec Spec,
    string Path,
    TomlNode Table,
    IReadOnlyDictionary<string, GivenSetting<TSpec>> Given)
{
    /// <summary>The value of a setting, or the section if the setting is missing.</summary>
    public TomlNode NodeOf(string key) => Given.TryGetValue(key, out var given) ? given.Node : Table;

    /// <summary>A diagnostic about a setting, at its value, otherwise at the section.</summary>
    public ConfigDiagnostic Diagnostic(string key, string message, string remedy) =>
        NodeOf(key).Diagnostic($"{Path}.{key}", message, remedy);
}
