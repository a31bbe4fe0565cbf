namespace Supervisor.Config.Import;

/// <summary>Why settings of a .socket unit have no equivalent, and what to do instead.</summary>
internal static class SystemdSocketReasons
{
    private static readonly Reason NoGadget = Reason.Lost("listend sets up no USB gadgets: the program has to open the function's files");
    private static readonly Reason NoLabels = Reason.Lost("listend sets no security labels");
    private static readonly Reason OnlyWithAccept = Reason.NotNeeded("it applies only with Accept=yes");
    private static readonly Reason NoTriggers = Reason.NotNeeded("listend stops nothing for a service that starts");
    private static readonly Reason Wakes = Reason.NotNeeded("a connection wakes the daemon only once until the workers serve");
    private static readonly Reason Triggers =
        Reason.Changed("restart.limit and restart.limit_interval of the service delay workers that fail");

    private static readonly Dictionary<string, Reason> Known = new(StringComparer.Ordinal)
    {
        ["ListenUSBFunction"] = NoGadget,
        ["FlushPending"] = Reason.Changed("connections in the queue wait until a worker accepts them"),
        ["MaxConnections"] = OnlyWithAccept,
        ["MaxConnectionsPerSource"] = OnlyWithAccept,
        ["SmackLabel"] = NoLabels,
        ["SmackLabelIPIn"] = NoLabels,
        ["SmackLabelIPOut"] = NoLabels,
        ["SELinuxContextFromNet"] = NoLabels,
        ["TimeoutSec"] = Reason.Changed("a hook has the start_timeout of the service to end"),
        ["PassFileDescriptorsToExec"] = Reason.Changed("a hook gets no descriptors: it takes them with listenctl take"),
        ["Capabilities"] = SystemdReasons.Ignored,
        ["NetClass"] = SystemdReasons.Ignored,
        ["TimeoutCleanSec"] = Reason.NotNeeded("listend has no verb like \"systemctl clean\""),
        ["DeferTrigger"] = NoTriggers,
        ["DeferTriggerMaxSec"] = NoTriggers,
        ["TriggerLimitIntervalSec"] = Triggers,
        ["TriggerLimitBurst"] = Triggers,
        ["PollLimitIntervalSec"] = Wakes,
        ["PollLimitBurst"] = Wakes,
    };

    private static readonly Reason OfCommands =
        Reason.Changed("it is for the commands of the socket unit: as hooks they run as the service does");

    /// <summary>Settings of processes that the import of a service translates, systemd.exec(5) and systemd.kill(5).</summary>
    private static readonly string[] OfProcesses =
    [
        "User", "Group", "SupplementaryGroups", "WorkingDirectory", "Environment", "EnvironmentFile", "UMask", "Nice", "KillMode",
        "KillSignal", "SendSIGKILL", "StandardInput", "StandardInputData", "StandardInputText", "StandardOutput", "StandardError",
        "IgnoreSIGPIPE", "NoNewPrivileges", "AmbientCapabilities", "DynamicUser", "SetLoginEnvironment", "RuntimeDirectory",
        "StateDirectory", "CacheDirectory", "LogsDirectory", "ConfigurationDirectory", "CoredumpReceive", "DefaultMemoryLow",
        "DefaultMemoryMin", "DefaultStartupMemoryLow", "NFTSet", "SocketBindAllow", "SocketBindDeny", "TTYColumns", "TTYRows",
    ];

    /// <summary>The reason for a setting of [Socket].</summary>
    public static Reason Of(string key) => Known.TryGetValue(key, out var reason) ? reason
        : SystemdReasons.InWrongSection(key) is { } wrong ? wrong
        : OfProcesses.Contains(key) || key.StartsWith("Limit", StringComparison.Ordinal) ? OfCommands
        : SystemdServiceReasons.Of(key) is var ofService && ofService != CommonReasons.Setting
            && ofService != SystemdReasons.Ignored ? OfCommands
        : key.StartsWith("X-", StringComparison.Ordinal) ? SystemdReasons.Ignored
        : CommonReasons.Setting;
}
