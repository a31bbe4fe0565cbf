namespace Supervisor.Config.Import;

/// <summary>Why settings of a .socket unit have no equivalent, and what to do instead.</summary>
internal static class SystemdSocketReasons
{
    private const string KernelObject = "listend holds sockets, no other kernel objects";
    private const string NoLabels = "listend sets no security labels";
    private const string OnlyWithAccept = "it applies only with Accept=yes";

    private static readonly Dictionary<string, string> Known = new(StringComparer.Ordinal)
    {
        ["ListenFIFO"] = KernelObject,
        ["ListenSpecial"] = KernelObject,
        ["ListenNetlink"] = KernelObject,
        ["ListenMessageQueue"] = KernelObject,
        ["ListenUSBFunction"] = KernelObject,
        ["DirectoryMode"] = "listend creates no directories: create it with tmpfiles.d",
        ["Writable"] = KernelObject,
        ["FlushPending"] = "connections in the queue wait until a worker accepts them",
        ["MaxConnections"] = OnlyWithAccept,
        ["MaxConnectionsPerSource"] = OnlyWithAccept,
        ["Priority"] = "accepted connections do not inherit SO_PRIORITY: set it in the worker",
        ["SmackLabel"] = NoLabels,
        ["SmackLabelIPIn"] = NoLabels,
        ["SmackLabelIPOut"] = NoLabels,
        ["SELinuxContextFromNet"] = NoLabels,
        ["PipeSize"] = KernelObject,
        ["MessageQueueMaxMessages"] = KernelObject,
        ["MessageQueueMessageSize"] = KernelObject,
        ["PassSecurity"] = "set SO_PASSSEC in the worker",
        ["Timestamping"] = "set SO_TIMESTAMP in the worker",
        ["ExecStartPre"] = "a listener has no hooks: hooks.pre_start belongs to a service",
        ["ExecStartPost"] = "a listener has no hooks: hooks.post_ready belongs to a service",
        ["ExecStopPre"] = "a listener has no hooks",
        ["ExecStopPost"] = "a listener has no hooks: hooks.post_stop belongs to a service",
        ["TimeoutSec"] = "a listener has no hooks",
        ["Symlinks"] = "listend creates no links to a socket: create them with tmpfiles.d",
        ["TriggerLimitIntervalSec"] = "restart.limit_interval of the service delays workers that fail",
        ["TriggerLimitBurst"] = "restart.limit of the service delays workers that fail",
        ["PollLimitIntervalSec"] = "a connection wakes the daemon only once until the workers serve",
        ["PollLimitBurst"] = "a connection wakes the daemon only once until the workers serve",
    };

    /// <summary>The reason for a setting of [Socket].</summary>
    public static string Of(string key) => Known.GetValueOrDefault(key, CommonReasons.Setting);
}
