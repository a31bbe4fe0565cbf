namespace Supervisor.Config.Import;

/// <summary>Why settings outside of [Service] and [Socket] have no equivalent.</summary>
internal static class SystemdReasons
{
    /// <summary>What systemd ignores.</summary>
    public static readonly Reason Ignored = Reason.NotNeeded("systemd ignores it too");

    private static readonly Reason OfUnitSection = Reason.NotNeeded("systemd ignores it here too: it belongs to [Unit]");
    private static readonly Reason OfServiceSection = Reason.NotNeeded("systemd ignores it here too: it belongs to [Service]");

    /// <summary>Settings of [Unit] that are often written into another section, where systemd does not know them.</summary>
    private static readonly string[] OnlyOfUnit =
    [
        "After", "Before", "Wants", "Requires", "BindsTo", "PartOf", "Conflicts", "Description", "Documentation", "OnFailure",
        "StartLimitIntervalSec", "ConditionPathExists", "AssertPathExists", "RequiresMountsFor",
    ];

    /// <summary>Settings of [Service] that are often written into [Unit].</summary>
    private static readonly string[] OnlyOfService =
    [
        "Restart", "RestartSec", "Type", "User", "Group", "Environment", "EnvironmentFile", "WorkingDirectory", "ExecStart", "ExecReload",
        "ExecStop", "TimeoutStopSec", "TimeoutStartSec", "TimeoutSec", "KillMode", "PIDFile", "LimitNOFILE",
    ];

    private static readonly Reason UnitOfListend = Reason.Lost("write it into the unit of listend");
    private static readonly Reason Together = Reason.Changed("listend starts both, and neither stops with the other");
    private static readonly Reason Installed = Reason.NotNeeded("listend.service starts at boot");

    /// <summary>Units that the system reaches before listend.service, or that stop it.</summary>
    private static readonly string[] OfEverySystem =
    [
        "network.target", "network-online.target", "basic.target", "sysinit.target", "sockets.target", "syslog.target", "local-fs.target",
        "multi-user.target", "shutdown.target", "nss-lookup.target", "nss-user-lookup.target", "remote-fs.target", "system.slice",
        "-.mount", "systemd-journald.socket", "network.service", "network-pre.target",
    ];

    /// <summary>What is not translated of a setting, with the reason.</summary>
    /// <param name="setting">A setting of [Unit], [Install] or an unknown section.</param>
    /// <param name="isGiven">Whether a unit of that name is a part of the import.</param>
    /// <param name="isOrdered">Whether <see cref="SystemdOrder"/> writes the order of given services.</param>
    public static IEnumerable<(SourceSetting Setting, Reason Reason)> Of(
        SourceSetting setting, Func<string, bool> isGiven, bool isOrdered) => setting.Section switch
        {
            "Unit" when SystemdOrder.NamesUnits(setting.Key) => OfUnits(setting, isGiven, isOrdered),
            "Unit" when setting.Key is "Documentation" or "SourcePath" => [],
            "Unit" => [(setting, OfUnit(setting.Key))],
            "Install" => [(setting, Installed)],
            _ when setting.Section.StartsWith("X-", StringComparison.Ordinal) => [(setting, Ignored)],
            _ => [(setting, CommonReasons.Section)],
        };

    /// <summary>The reason for a setting of [Unit] in another section; null for another setting.</summary>
    public static Reason? InWrongSection(string key) => OnlyOfUnit.Contains(key) ? OfUnitSection : null;

    private static Reason OfUnit(string key) => key switch
    {
        _ when OnlyOfService.Contains(key) => OfServiceSection,
        "DefaultDependencies" or "CollectMode" or "RefuseManualStart" or "RefuseManualStop" or "AllowIsolate"
            or "StopWhenUnneeded" or "IgnoreOnIsolate" or "JobTimeoutSec" => Reason.NotNeeded("about systemd's jobs"),
        _ when key.StartsWith("X-", StringComparison.Ordinal) => Ignored,
        "OnFailure" or "OnSuccess" or "FailureAction" or "SuccessAction" or "StartLimitAction" =>
            Reason.Lost("listend starts nothing for it: see \"listenctl events --follow --json\""),
        _ => UnitOfListend,
    };

    /// <summary>Units that are neither a part of every system nor of the import are lost. The setting then names only these.</summary>
    private static IEnumerable<(SourceSetting Setting, Reason Reason)> OfUnits(
        SourceSetting setting, Func<string, bool> isGiven, bool isOrdered)
    {
        var units = SystemdOrder.Units(setting).Where(unit => !OfEverySystem.Contains(unit)).ToList();
        var services = units.Where(unit => unit.EndsWith(".service", StringComparison.Ordinal) && isGiven(unit)).ToList();
        var lost = units.Where(unit => !isGiven(unit) || (!isOrdered && setting.Key == "After" && services.Contains(unit))).ToList();
        if (lost.Count > 0)
        {
            yield return (setting with { Value = string.Join(' ', lost) }, UnitOfListend);
        }

        if (services.Count > 0 && setting.Key is "Requires" or "BindsTo" or "PartOf" or "Conflicts" or "Requisite")
        {
            yield return (setting with { Value = string.Join(' ', services) }, Together);
        }
        else if (lost.Count == 0 && services.Count == 0)
        {
            yield return (setting, Installed);
        }
    }
}
