using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>The files that a configuration of supervisord or Circus includes.</summary>
internal static class ImportIncludes
{
    /// <summary>The patterns of the files, absolute; null with the reason if they depend on something unknown.</summary>
    public static IReadOnlyList<string>? OfSupervisord(SourceSetting files, string folder, ImportHost host, out string reason)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal) { ["here"] = folder };
        if (host.Name is { } name)
        {
            values["host_node_name"] = name;
        }

        return new SupervisordExpansion(values).Expand(files.Value, out reason) is { } text ? Absolute(text, folder) : null;
    }

    /// <summary>The patterns of <c>include</c> or <c>include_dir</c> of Circus, absolute; null if they depend on a variable.</summary>
    public static IReadOnlyList<string>? OfCircus(SourceSetting setting, string folder)
    {
        if (setting.Value.Contains("circus.", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var patterns = Absolute(setting.Value, folder);
        return setting.Key == "include_dir" ? [.. patterns.Select(pattern => pattern + "/*.ini")] : patterns;
    }

    /// <summary>The patterns of a file, absolute; empty if it includes none.</summary>
    public static IReadOnlyList<string> Of(ConfigSource source, string folder, ImportHost host)
    {
        try
        {
            if (source.Text.Contains("[include]", StringComparison.Ordinal))
            {
                var sections = IniText.Read(source, hasInlineHash: true, doublesPercent: false);
                return sections.Find(section => section.Kind == "include")?.Last("files") is { } files
                    ? OfSupervisord(files, folder, host, out _) ?? []
                    : [];
            }

            if (source.Text.Contains("[circus]", StringComparison.Ordinal))
            {
                var settings = IniText.Read(source, hasInlineHash: false, doublesPercent: true)
                    .Where(section => section.Name == "circus")
                    .SelectMany(section => section.Settings);
                return [.. settings.Where(IsOfCircus).SelectMany(setting => OfCircus(setting, folder) ?? [])];
            }
        }
        catch (ImportException)
        {
            // The translation says why.
        }

        return [];
    }

    /// <summary>Whether a setting of [circus] names further files.</summary>
    public static bool IsOfCircus(SourceSetting setting) => setting.Key is "include" or "include_dir";

    private static string[] Absolute(string text, string folder) =>
        [.. text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(pattern => Path.GetFullPath(pattern, folder))];
}
