using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Config.Toml;

namespace Supervisor.Config;

/// <summary>
/// Parses TOML text setting by setting. It is strict, because a setting that is misspelt or has no effect misleads its user. It
/// continues after an error, so that all errors are reported at once. It does no I/O and never throws. <see cref="Validation.RuleSet"/>
/// has the rules about several settings.
/// </summary>
public static class ConfigParser
{
    /// <summary>Parses the files together, as if they were one file; a key that two of them define is an error.</summary>
    public static ParsedConfig Parse(IReadOnlyList<ConfigSource> sources, ConfigContext context)
    {
        var report = new DiagnosticList();
        return ConfigReader.Read(Documents(sources, report), report, context);
    }

    /// <summary>The trees of the files.</summary>
    internal static List<TomlNode> Documents(IEnumerable<ConfigSource> sources, DiagnosticList report) =>
        [.. sources.Select(source => TomlDocument.Read(source, report))];
}
