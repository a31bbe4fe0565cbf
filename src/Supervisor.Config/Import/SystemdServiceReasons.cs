namespace Supervisor.Config.Import;

/// <summary>Why settings of a .service unit have no equivalent, and what to do instead.</summary>
internal static class SystemdServiceReasons
{
    private const string Sandbox = "listend does not sandbox workers: set it on the unit of listend, for all its workers";
    private const string Cgroup = "listend sets no cgroup limits: set it on the unit of listend, for all its workers";
    private const string Directory = "listend creates no directories for workers: create it with tmpfiles.d";
    private const string MainPid = "the program must stay in the foreground or send MAINPID=";
    private const string Policy = "restart.policy distinguishes only clean exits and failures";
    private const string Terminal = "workers have no terminal";
    private const string RateLimit = "only the journal's own limit applies";
    private const string Scheduling = "listend sets only nice: start the program with chrt(1)";
    private const string IOScheduling = "listend sets only nice: start the program with ionice(1)";

    private static readonly string[] SandboxPrefixes =
    [
        "Protect", "Private", "Restrict", "System", "ReadOnly", "ReadWrite", "Inaccessible", "Exec", "NoExec", "Bind", "Temporary",
        "Root", "Mount", "Lock", "Memory", "Keyring", "SecureBits", "CapabilityBoundingSet", "RemoveIPC", "Dynamic", "SELinux",
        "AppArmor", "Smack", "LoadCredential", "SetCredential", "ImportCredential", "NetworkNamespace", "IPCNamespace", "Proc",
        "Extension", "User", "PAMName", "Delegate", "Personality",
    ];

    private static readonly string[] CgroupPrefixes =
    [
        "Memory", "CPU", "IO", "BlockIO", "Tasks", "Allowed", "IPAccounting", "IPAddress", "IPIngress", "IPEgress", "Slice",
        "Device", "BPF", "Socket", "Managed", "Startup", "Disable",
    ];

    private static readonly Dictionary<string, string> Known = new(StringComparer.Ordinal)
    {
        ["ExecStop"] = "listend stops a worker only with stop_signal",
        ["ExecReload"] = "\"listenctl restart\" replaces the workers without a refused connection; "
            + "\"listenctl signal SERVICE HUP\" makes the workers reload",
        ["ExecCondition"] = "hooks.pre_start can prevent a start, and the roll-out then fails",
        ["PIDFile"] = MainPid,
        ["BusName"] = "a worker is ready by the notify protocol or by a check from outside",
        ["RemainAfterExit"] = "a service of listend is a running program",
        ["GuessMainPID"] = MainPid,
        ["SuccessExitStatus"] = CommonReasons.CleanExits,
        ["RestartPreventExitStatus"] = Policy,
        ["RestartForceExitStatus"] = Policy,
        ["RestartMode"] = "a restart of a worker affects only its slot",
        ["RestartSteps"] = "the wait doubles with each start, up to restart.backoff_max",
        ["TimeoutAbortSec"] = CommonReasons.Killed,
        ["TimeoutStartFailureMode"] = "listend stops a worker that is not ready in time with stop_signal, then SIGKILL",
        ["TimeoutStopFailureMode"] = CommonReasons.Killed,
        ["RuntimeMaxSec"] = CommonReasons.WorkerAge,
        ["RuntimeRandomizedExtraSec"] = CommonReasons.WorkerAge,
        ["RootDirectoryStartOnly"] = Sandbox,
        ["OOMPolicy"] = "restart.policy decides whether a killed worker is replaced",
        ["OOMScoreAdjust"] = "listend does not set it: start the program with choom(1)",
        ["FinalKillSignal"] = CommonReasons.Killed,
        ["SendSIGHUP"] = "listend sends only stop_signal",
        ["RestartKillSignal"] = "listend uses stop_signal for a restart too",
        ["WatchdogSignal"] = "after a watchdog timeout, listend sends SIGABRT, then SIGKILL",
        ["PassEnvironment"] = "workers inherit the whole environment of the daemon",
        ["UnsetEnvironment"] = "workers inherit the environment of the daemon: remove a variable with env -u NAME before the program",
        ["CPUSchedulingPolicy"] = Scheduling,
        ["CPUSchedulingPriority"] = Scheduling,
        ["CPUAffinity"] = "listend sets only nice: start the program with taskset(1)",
        ["IOSchedulingClass"] = IOScheduling,
        ["IOSchedulingPriority"] = IOScheduling,
        ["TimerSlackNSec"] = "listend does not set it",
        ["SyslogIdentifier"] = "journal entries have the name of the service",
        ["SyslogFacility"] = "journal entries have no facility",
        ["SyslogLevel"] = "lines without a <N> prefix have the level information",
        ["LogLevelMax"] = "listend keeps all lines",
        ["LogRateLimitIntervalSec"] = RateLimit,
        ["LogRateLimitBurst"] = RateLimit,
        ["LogExtraFields"] = "the fields are LISTEND_*",
        ["LogNamespace"] = "listend uses the namespace of the daemon",
        ["RuntimeDirectory"] = Directory,
        ["RuntimeDirectoryMode"] = Directory,
        ["RuntimeDirectoryPreserve"] = Directory,
        ["StateDirectory"] = Directory,
        ["StateDirectoryMode"] = Directory,
        ["CacheDirectory"] = Directory,
        ["CacheDirectoryMode"] = Directory,
        ["LogsDirectory"] = Directory,
        ["LogsDirectoryMode"] = Directory,
        ["ConfigurationDirectory"] = Directory,
        ["ConfigurationDirectoryMode"] = Directory,
        ["TTYPath"] = Terminal,
        ["TTYReset"] = Terminal,
        ["TTYVHangup"] = Terminal,
        ["UtmpIdentifier"] = Terminal,
    };

    /// <summary>The reason for a setting of [Service].</summary>
    public static string Of(string key) =>
        Known.TryGetValue(key, out var reason) ? reason
        : IsCgroup(key) ? Cgroup
        : SandboxPrefixes.Any(p => key.StartsWith(p, StringComparison.Ordinal)) ? Sandbox
        : CommonReasons.Setting;

    private static bool IsCgroup(string key) =>
        key is not ("MemoryDenyWriteExecute" or "SocketBindAllow" or "SystemCallFilter")
        && CgroupPrefixes.Any(p => key.StartsWith(p, StringComparison.Ordinal));
}
