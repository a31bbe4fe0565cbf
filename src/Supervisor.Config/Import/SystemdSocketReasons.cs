namespace Supervisor.Config.Import;

/// <summary>Why settings of a .socket unit have no equivalent, and what to do instead.</summary>
internal static class SystemdSocketReasons
{
    private static readonly Reason KernelObject = Reason.Lost("listend holds sockets, no other kernel objects");
    private static readonly Reason NoLabels = Reason.Lost("listend sets no security labels");
    private static readonly Reason OnlyWithAccept = Reason.NotNeeded("it applies only with Accept=yes");
    private static readonly Reason NoHooks = Reason.Lost("a listener has no hooks: see hooks.pre_start and hooks.post_stop of the service");
    private static readonly Reason Wakes = Reason.NotNeeded("a connection wakes the daemon only once until the workers serve");
    private static readonly Reason Triggers =
        Reason.Changed("restart.limit and restart.limit_interval of the service delay workers that fail");

    private static readonly Dictionary<string, Reason> Known = new(StringComparer.Ordinal)
    {
        ["ListenFIFO"] = KernelObject,
        ["ListenSpecial"] = KernelObject,
        ["ListenNetlink"] = KernelObject,
        ["ListenMessageQueue"] = KernelObject,
        ["ListenUSBFunction"] = KernelObject,
        ["Writable"] = KernelObject,
        ["FlushPending"] = Reason.Changed("connections in the queue wait until a worker accepts them"),
        ["MaxConnections"] = OnlyWithAccept,
        ["MaxConnectionsPerSource"] = OnlyWithAccept,
        ["SmackLabel"] = NoLabels,
        ["SmackLabelIPIn"] = NoLabels,
        ["SmackLabelIPOut"] = NoLabels,
        ["SELinuxContextFromNet"] = NoLabels,
        ["PipeSize"] = KernelObject,
        ["MessageQueueMaxMessages"] = KernelObject,
        ["MessageQueueMessageSize"] = KernelObject,
        ["ExecStartPre"] = NoHooks,
        ["ExecStartPost"] = NoHooks,
        ["ExecStopPre"] = NoHooks,
        ["ExecStopPost"] = NoHooks,
        ["TimeoutSec"] = Reason.NotNeeded("a listener has no hooks"),
        ["TriggerLimitIntervalSec"] = Triggers,
        ["TriggerLimitBurst"] = Triggers,
        ["PollLimitIntervalSec"] = Wakes,
        ["PollLimitBurst"] = Wakes,
    };

    /// <summary>The reason for a setting of [Socket].</summary>
    public static Reason Of(string key) => Known.TryGetValue(key, out var reason) ? reason
        : key.StartsWith("X-", StringComparison.Ordinal) ? SystemdReasons.Ignored
        : CommonReasons.Setting;
}
