namespace Supervisor.Config.Import;

/// <summary>Why settings outside of [Service] and [Socket] have no equivalent.</summary>
internal static class SystemdReasons
{
    /// <summary>What systemd ignores.</summary>
    public static readonly Reason Ignored = Reason.NotNeeded("systemd ignores it too");

    private static readonly Reason Order =
        Reason.Lost("services start in parallel: write it into the unit of listend");
    private static readonly Reason Installed = Reason.NotNeeded("listend.service starts at boot");

    /// <summary>Units that the system reaches before listend.service, or that stop it.</summary>
    private static readonly string[] OfEverySystem =
    [
        "network.target", "network-online.target", "basic.target", "sysinit.target", "sockets.target", "syslog.target", "local-fs.target",
        "multi-user.target", "shutdown.target", "nss-lookup.target", "nss-user-lookup.target", "remote-fs.target", "system.slice",
        "-.mount", "systemd-journald.socket", "network.service", "network-pre.target",
    ];

    /// <summary>The reason for a setting.</summary>
    /// <param name="setting">A setting of [Unit], [Install] or an unknown section.</param>
    /// <param name="isGiven">Whether a unit of that name is a part of the import.</param>
    public static Reason Of(SourceSetting setting, Func<string, bool> isGiven) => setting.Section switch
    {
        "Unit" => OfUnit(setting, isGiven),
        "Install" => Installed,
        _ when setting.Section.StartsWith("X-", StringComparison.Ordinal) => Ignored,
        _ => CommonReasons.Section,
    };

    private static Reason OfUnit(SourceSetting setting, Func<string, bool> isGiven)
    {
        var units = setting.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        bool IsGivenSocket(string unit) => unit.EndsWith(".socket", StringComparison.Ordinal) && isGiven(unit);
        return setting.Key switch
        {
            "Documentation" or "SourcePath" => Reason.NotNeeded("for the reader"),
            "DefaultDependencies" or "CollectMode" or "RefuseManualStart" or "RefuseManualStop" or "AllowIsolate"
                or "StopWhenUnneeded" or "IgnoreOnIsolate" or "JobTimeoutSec" => Reason.NotNeeded("about systemd's jobs"),
            "After" or "Before" or "Wants" or "Requires" or "BindsTo" or "PartOf" or "Conflicts" or "Requisite" or "Upholds"
                when Array.TrueForAll(units, unit => OfEverySystem.Contains(unit) || IsGivenSocket(unit)) =>
                Installed,
            _ when setting.Key.StartsWith("X-", StringComparison.Ordinal) => Ignored,
            "RequiresMountsFor" or "WantsMountsFor" => Reason.Lost("write it into the unit of listend"),
            "OnFailure" or "OnSuccess" or "FailureAction" or "SuccessAction" or "StartLimitAction" =>
                Reason.Lost("listend starts nothing for it: see \"listenctl events --follow --json\""),
            _ => Order,
        };
    }
}
