namespace Supervisor.Config.Import;

/// <summary>Why settings of a .service unit have no equivalent, and what to do instead.</summary>
internal static class SystemdServiceReasons
{
    private static readonly Reason Sandbox =
        Reason.Lost("no sandbox: set it on the unit of listend, for all workers");

    private static readonly Reason Credential =
        Reason.Lost("listend passes no credentials: put the files into CREDENTIALS_DIRECTORY, readable for user");

    private static readonly Reason Cgroup =
        Reason.Lost("listend does not set it for a worker: set it on the unit of listend, for all workers");

    /// <summary>For a program that starts another process and exits.</summary>
    public static readonly Reason MainPid = Reason.Lost("the program must stay in the foreground (most have an option), or send MAINPID=");

    private static readonly Reason Policy = Reason.Changed("restart.policy distinguishes only clean exits and failures");
    private static readonly Reason Terminal = Reason.Lost("workers have no terminal");
    private static readonly Reason RateLimit = Reason.Changed("only the journal's own limit applies");
    private static readonly Reason Scheduling = Reason.Lost("listend sets only nice: start the program with chrt(1)");
    private static readonly Reason IOScheduling = Reason.Lost("listend sets only nice: start the program with ionice(1)");
    private static readonly Reason Levels = Reason.Changed("listend keeps all lines: one without a <N> prefix has the level information");

    private static readonly string[] SandboxPrefixes =
    [
        "Protect", "Private", "Restrict", "System", "ReadOnly", "ReadWrite", "Inaccessible", "Exec", "NoExec", "Bind", "Temporary",
        "Root", "Mount", "Lock", "Memory", "Keyring", "SecureBits", "CapabilityBoundingSet", "RemoveIPC", "SELinux",
        "AppArmor", "Smack", "NetworkNamespace", "IPCNamespace", "Proc",
        "Extension", "User", "PAMName", "Personality",
    ];

    private static readonly string[] CgroupPrefixes =
    [
        "Memory", "CPU", "IO", "BlockIO", "Tasks", "Allowed", "IPAccounting", "IPAddress", "IPIngress", "IPEgress", "Slice",
        "Device", "BPF", "Socket", "Managed", "Startup", "Disable", "Delegate",
    ];

    private static readonly Dictionary<string, Reason> Known = new(StringComparer.Ordinal)
    {
        ["ExecStop"] = Reason.Lost("listend stops a worker only with stop_signal"),
        ["ExecCondition"] = Reason.Lost("hooks.pre_start can prevent a start, and the roll-out then fails"),
        ["PIDFile"] = MainPid,
        ["BusName"] = Reason.Lost("a worker is ready by the notify protocol or by a check from outside"),
        ["RemainAfterExit"] = Reason.Lost("a service of listend is a running program"),
        ["GuessMainPID"] = MainPid,
        ["SuccessExitStatus"] = CommonReasons.CleanExits,
        ["RestartPreventExitStatus"] = Policy,
        ["RestartForceExitStatus"] = Policy,
        ["RestartMode"] = Reason.NotNeeded("a restart of a worker affects only its slot"),
        ["RestartSteps"] = Reason.Changed("the wait doubles with each start, up to restart.backoff_max"),
        ["TimeoutAbortSec"] = CommonReasons.Killed,
        ["TimeoutStartFailureMode"] = Reason.Changed("listend stops a worker that is not ready in time with stop_signal, then SIGKILL"),
        ["TimeoutStopFailureMode"] = CommonReasons.Killed,
        ["RuntimeRandomizedExtraSec"] = Reason.Changed("see recycle.jitter, which makes ages shorter"),
        ["RootDirectoryStartOnly"] = Sandbox,
        ["PermissionsStartOnly"] = Reason.Changed("a hook runs as the user of the service"),
        ["OOMPolicy"] = Reason.Changed("restart.policy decides whether a killed worker is replaced"),
        ["OOMScoreAdjust"] = Reason.Lost("listend does not set it: start the program with choom(1)"),
        ["FinalKillSignal"] = CommonReasons.Killed,
        ["SendSIGHUP"] = Reason.Lost("listend sends only stop_signal"),
        ["RestartKillSignal"] = Reason.Changed("listend uses stop_signal for a restart too"),
        ["WatchdogSignal"] = Reason.Changed("after a watchdog timeout, listend sends SIGABRT, then SIGKILL"),
        ["PassEnvironment"] =
            Reason.Changed("workers inherit the whole environment of listend: set it on the unit of listend"),
        ["UnsetEnvironment"] =
            Reason.Lost("only variables of Environment= are removed: for others write \"env -u NAME\" before the program"),
        ["CPUSchedulingPolicy"] = Scheduling,
        ["CPUSchedulingPriority"] = Scheduling,
        ["CPUSchedulingResetOnFork"] = Scheduling,
        ["CPUAffinity"] = Reason.Lost("listend sets only nice: start the program with taskset(1)"),
        ["NUMAPolicy"] = Reason.Lost("listend sets only nice: start the program with numactl(8)"),
        ["NUMAMask"] = Reason.Lost("listend sets only nice: start the program with numactl(8)"),
        ["IOSchedulingClass"] = IOScheduling,
        ["IOSchedulingPriority"] = IOScheduling,
        ["TimerSlackNSec"] = Reason.Lost("listend does not set it"),
        ["CoredumpFilter"] = Reason.Lost("listend does not set it"),
        ["SyslogIdentifier"] = Reason.Changed("journal entries have the name of the service"),
        ["SyslogFacility"] = Reason.Changed("journal entries have no facility"),
        ["SyslogLevel"] = Levels,
        ["SyslogLevelPrefix"] = Levels,
        ["LogLevelMax"] = Levels,
        ["LogFilterPatterns"] = Levels,
        ["LogRateLimitIntervalSec"] = RateLimit,
        ["LogRateLimitBurst"] = RateLimit,
        ["LogExtraFields"] = Reason.Lost("the fields are LISTEND_*"),
        ["LogNamespace"] = Reason.Lost("listend uses the namespace of the daemon"),
        ["RuntimeDirectoryMode"] = SystemdDirectories.Created,
        ["RuntimeDirectoryPreserve"] = SystemdDirectories.Created,
        ["StateDirectoryMode"] = SystemdDirectories.Created,
        ["CacheDirectoryMode"] = SystemdDirectories.Created,
        ["LogsDirectoryMode"] = SystemdDirectories.Created,
        ["ConfigurationDirectoryMode"] = SystemdDirectories.Created,
        ["TTYPath"] = Terminal,
        ["TTYReset"] = Terminal,
        ["TTYVHangup"] = Terminal,
        ["TTYVTDisallocate"] = Terminal,
        ["UtmpIdentifier"] = Terminal,
        ["UtmpMode"] = Terminal,
        ["USBFunctionDescriptors"] = CommonReasons.Setting,
    };

    /// <summary>The reason for a setting of [Service].</summary>
    public static Reason Of(string key) =>
        Known.TryGetValue(key, out var reason) ? reason
        : SystemdReasons.InWrongSection(key) is { } wrong ? wrong
        : SystemdDirectories.IsCredential(key) ? Credential
        : key.StartsWith("X-", StringComparison.Ordinal) ? SystemdReasons.Ignored
        : IsCgroup(key) ? Cgroup
        : SandboxPrefixes.Any(p => key.StartsWith(p, StringComparison.Ordinal)) ? Sandbox
        : CommonReasons.Setting;

    /// <summary>The reason for ExecReload=. Most send a signal: <c>kill -HUP $MAINPID</c>.</summary>
    public static Reason Reload(string command)
    {
        const string restart = "see \"listenctl restart\"";
        var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return Reason.Changed(words is [var program, _, ..] && Path.GetFileName(program.TrimStart('-', '+', '@', ':', '!')) == "kill"
            && KillSignal(words[1..]) is { } signal ? $"{restart} and \"listenctl signal SERVICE {signal}\"" : restart);
    }

    /// <summary>The signal of the arguments of kill(1); null without one that is easy to read.</summary>
    private static string? KillSignal(string[] arguments) => arguments switch
    {
        ["-s" or "-n" or "--signal", var given, ..] => given,
        [var first, ..] when first.StartsWith("--signal=", StringComparison.Ordinal) => first["--signal=".Length..],
        [['-', not '-', ..] first, ..] => first[1..],
        ["$MAINPID"] => "TERM",
        _ => null,
    };

    private static bool IsCgroup(string key) =>
        key is not ("MemoryDenyWriteExecute" or "SocketBindAllow" or "SocketBindDeny" or "SystemCallFilter")
        && CgroupPrefixes.Any(p => key.StartsWith(p, StringComparison.Ordinal));
}
