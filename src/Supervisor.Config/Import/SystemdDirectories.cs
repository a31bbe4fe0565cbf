namespace Supervisor.Config.Import;

/// <summary>The directories that systemd creates for a service, systemd.exec(5), and the variables that name them.</summary>
internal static class SystemdDirectories
{
    public static readonly Reason Created = Reason.Lost("not created: create it with tmpfiles.d");

    /// <summary>Each setting with its variable and the specifier of its folder.</summary>
    private static readonly (string Setting, string Variable, string Folder)[] All =
    [
        ("RuntimeDirectory", "RUNTIME_DIRECTORY", "%t"),
        ("StateDirectory", "STATE_DIRECTORY", "%S"),
        ("CacheDirectory", "CACHE_DIRECTORY", "%C"),
        ("LogsDirectory", "LOGS_DIRECTORY", "%L"),
        ("ConfigurationDirectory", "CONFIGURATION_DIRECTORY", "%E"),
    ];

    /// <summary>Settings that pass credentials, which systemd puts into a directory of the service.</summary>
    private static readonly string[] Credentials =
        ["LoadCredential", "LoadCredentialEncrypted", "SetCredential", "SetCredentialEncrypted", "ImportCredential"];

    /// <summary>The directory of a unit's credentials.</summary>
    public static string OfCredentials(SystemdUnit unit) => "/run/credentials/" + unit.Name;

    /// <summary>Whether the setting passes credentials.</summary>
    public static bool IsCredential(string setting) => Credentials.Contains(setting);

    /// <summary>Whether the setting names directories.</summary>
    public static bool IsOne(string setting) => Array.Exists(All, directory => directory.Setting == setting);

    /// <summary>The variables of a unit: directories joined by ":", as systemd passes them.</summary>
    public static IEnumerable<(string Variable, string Value, SourceSetting Origin)> Variables(SystemdUnit unit)
    {
        foreach (var (setting, variable, folder) in All)
        {
            var named = unit.List("Service", setting).ToList();

            // NAME:LINK also creates a link to the directory; the variable has the directory.
            var paths = named
                .SelectMany(s => SystemdWords.Split(SystemdSpecifiers.Expand(s.Value, unit, out _) ?? "") ?? [])
                .Select(name => $"{SystemdSpecifiers.Expand(folder, unit, out _)}/{name.Split(':')[0]}")
                .Distinct()
                .ToList();
            if (paths.Count > 0)
            {
                yield return (variable, string.Join(':', paths), named[0]);
            }
        }

        if (Credentials.SelectMany(setting => unit.List("Service", setting)).FirstOrDefault() is { } credential)
        {
            yield return ("CREDENTIALS_DIRECTORY", OfCredentials(unit), credential);
        }
    }
}
