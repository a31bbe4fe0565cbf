namespace Supervisor.Config.Import;

/// <summary>Why whole sections of a unit have no equal.</summary>
internal static class SystemdReasons
{
    public static string Of(string section) => section switch
    {
        "Unit" => "listend starts its services side by side: order and conditions between units go into the unit of listend itself",
        "Install" => "listend.service starts at boot, and with it what the configuration names",
        _ when section.StartsWith("X-", StringComparison.Ordinal) => "systemd ignores it too",
        _ => "this section says nothing to listend",
    };
}
