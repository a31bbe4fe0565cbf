using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Config.Toml;

namespace Supervisor.Config;

/// <summary>
/// TOML text to a checked configuration. It is strict, since a setting that is misspelt or cannot act is one that the
/// user believes in, and it goes on after an error, so that all errors are reported at once. It does no I/O and never throws.
/// </summary>
public static class ConfigParser
{
    /// <summary>Parses the files together, as if they were one; what is defined in two of them is an error.</summary>
    public static ConfigResult Parse(IReadOnlyList<ConfigSource> sources, ConfigContext context)
    {
        var report = new DiagnosticList();
        var documents = sources.Select(source => TomlDocument.Read(source, report)).ToList();
        return ConfigReader.Read(documents, report, context);
    }
}
