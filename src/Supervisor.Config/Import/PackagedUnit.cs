using Supervisor.Config.Settings;

namespace Supervisor.Config.Import;

/// <summary>
/// What the packaged unit of listend (units/listend.service.in) withholds from all workers, and what its drop-in has to contain for a
/// service that needs it.
/// </summary>
internal static class PackagedUnit
{
    /// <summary>Its CapabilityBoundingSet=.</summary>
    private static readonly string[] Bounds =
    [
        "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_CHOWN", "CAP_FOWNER",
        "CAP_DAC_OVERRIDE", "CAP_SYS_PTRACE",
    ];

    /// <summary>Limits whose hard value systemd or the kernel keeps low, so that a service usually raises it.</summary>
    private static readonly string[] Raised =
        ["LimitMEMLOCK", "LimitNICE", "LimitRTPRIO", "LimitSIGPENDING", "LimitMSGQUEUE", "LimitNPROC"];

    /// <summary>What ProtectHome=yes hides.</summary>
    private static readonly string[] Homes = ["/home/", "/root/", "/run/user/"];

    /// <summary>
    /// Whether listend may not be permitted to set a limit that systemd sets as high as it may. "SOFT:HARD" has the same effect.
    /// </summary>
    public static bool MayRefuse(string limit, string value) => value != "infinity" && Raised.Contains(limit);

    /// <summary>Reports a setting whose value is permitted only with a drop-in.</summary>
    public static void Check(DraftSection service, SourceSetting setting, string value)
    {
        if (Needs(setting.Key, value) is { } needs)
        {
            service.Changed(setting, $"the packaged unit of listend withholds it: \"systemctl edit listend\", [Service] {needs}");
        }
    }

    private static string? Needs(string key, string value) => key switch
    {
        "Nice" => "SystemCallFilter=@resources" + (value.StartsWith('-') ? " CapabilityBoundingSet=CAP_SYS_NICE" : ""),
        "NoNewPrivileges" when SystemdValues.Flag(value) == false => "NoNewPrivileges=no",
        "AmbientCapabilities" when Beyond(value) is { Length: > 0 } beyond => "CapabilityBoundingSet=" + string.Join(' ', beyond),
        "WorkingDirectory" or "ExecStart" when IsHidden(value) => "ProtectHome=no",
        _ when Raised.Contains(key) => "CapabilityBoundingSet=CAP_SYS_RESOURCE",
        _ => null,
    };

    private static string[] Beyond(string capabilities) =>
    [
        .. capabilities.ToUpperInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Where(CapabilityNames.All.Contains)
            .Except(Bounds),
    ];

    private static bool IsHidden(string path) =>
        Array.Exists(Homes, home => (path.TrimStart('-', '@', ':', '+', '!') + "/").StartsWith(home, StringComparison.Ordinal));
}
