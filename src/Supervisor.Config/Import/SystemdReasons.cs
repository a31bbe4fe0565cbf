namespace Supervisor.Config.Import;

/// <summary>Why whole sections of a unit have no equivalent.</summary>
internal static class SystemdReasons
{
    public static string Of(string section) => section switch
    {
        "Unit" => "listend starts its services in parallel: write order and conditions between units into the unit of listend",
        "Install" => "listend.service starts at boot, and with it the configured services",
        _ when section.StartsWith("X-", StringComparison.Ordinal) => "systemd ignores it too",
        _ => CommonReasons.Section,
    };
}
