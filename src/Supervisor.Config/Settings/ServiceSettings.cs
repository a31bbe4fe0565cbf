using System.Collections.Immutable;
using Supervisor.Core;
using Supervisor.Core.Services;

namespace Supervisor.Config.Settings;

/// <summary><c>[service.NAME]</c>.</summary>
internal static class ServiceSettings
{
    /// <summary>RLIMIT_* in the order of their numbers from 0 (asm-generic/resource.h), with units from getrlimit(2).</summary>
    private static readonly ImmutableArray<(string Name, string Meaning)> Resources =
    [
        ("cpu", "CPU time in seconds"),
        ("fsize", "size of a written file in bytes"),
        ("data", "size of the data segment in bytes"),
        ("stack", "size of the stack in bytes"),
        ("core", "size of a core dump in bytes"),
        ("rss", "resident memory in bytes, without effect on Linux"),
        ("nproc", "number of processes of the user"),
        ("nofile", "number of open descriptors"),
        ("memlock", "locked memory in bytes"),
        ("as", "address space in bytes"),
        ("locks", "number of file locks, without effect on Linux"),
        ("sigpending", "number of queued signals of the user"),
        ("msgqueue", "size of the user's POSIX message queues in bytes"),
        ("nice", "20 minus the lowest nice level that may be set"),
        ("rtprio", "highest real-time priority"),
        ("rttime", "real-time CPU time without a blocking call, in microseconds"),
    ];

    public static readonly SectionTable<ServiceSpec> Table = new(
    [
        Of("command", new CommandType(mayBeEmpty: false), null,
            "Run this program with these arguments", (s, v) => s with { Command = v }) with { IsRequired = true },
        Of("listeners", SettingTypes.ListOf(SettingTypes.Name), "[]",
            "Pass these listeners to the workers, in this order of descriptors", (s, v) => s with { Listeners = v }),
        Of("workers", new WorkersType(), "1",
            "Run this number of workers. \"cpus\": one for each CPU that listend may use", (s, v) => s with { Workers = v }),
        Of("after", SettingTypes.ListOf(SettingTypes.Name), "[]",
            "Start the workers when these services are ready, and roll out after their roll-outs", (s, v) => s with { After = v }),
        Of("start",
            new ChoiceType<StartMode>(
                ("now", StartMode.Now), ("on-demand", StartMode.OnDemand), ("per-connection", StartMode.PerConnection)),
            "\"now\"",
            "Start the workers with the daemon (now) or at the first connection or datagram (on-demand), "
            + "or accept each connection and start a process for it (per-connection)",
            (s, v) => s with { Start = v }),
        Connections("max_connections", SettingTypes.Integer(1, 100000), "64",
            "Run at most this number of processes of a per-connection service. Further connections wait in the accept queue",
            (c, v) => c with { Max = (int)v }),
        Connections("max_connections_per_source", SettingTypes.Integer(0, 100000), "0",
            "Run at most this number of processes for one address, or for one user on UNIX sockets. "
            + "Close further connections of that source. 0: no limit",
            (c, v) => c with { MaxPerSource = (int)v }),
        Connections("connection_rate.limit", SettingTypes.Integer(0, 1000000), "0",
            "Accept at most this number of connections in connection_rate.interval. Further ones wait in the accept queue. 0: no limit",
            (c, v) => c with { RateLimit = (int)v }),
        Connections("connection_rate.interval", new DurationType(TimeSpan.FromMilliseconds(1), Duration.Max), "\"1s\"",
            "Count connections for connection_rate.limit over this time", (c, v) => c with { RateInterval = v }),
        Of("stop_when_idle", SettingTypes.AnyDuration, "\"0s\"",
            "Stop the workers of an on-demand service after this time without a connection. 0s: never",
            (s, v) => s with { StopWhenIdle = v }),
        Of("handoff", ChoiceOf<HandoffKind>(kind => kind.ToWireName()), "\"listen-fds\"",
            "Pass the listeners to the workers by this protocol", (s, v) => s with { Handoff = v }),
        Of("ready", SettingTypes.Ready, "\"notify\"",
            "Consider a worker ready when it sends READY=1 (notify), has been started (started), waits in accept() (accepting), "
            + "accepts a connection (tcp), answers a GET of the path (http:), writes a newline to this descriptor (fd:), "
            + "writes a line that contains the text (log:), or when the command exits with status 0 (exec:)",
            (s, v) => s with { Readiness = v }),
        Of("start_timeout", new DurationType(TimeSpan.FromMilliseconds(1), Duration.Max), "\"30s\"",
            "Fail a start if the worker is not ready after this time. A hook has the same time to finish",
            (s, v) => s with { StartTimeout = v }),
        Of("stop_signal", SettingTypes.Signal, "\"SIGTERM\"",
            "Send this signal to make a worker drain and exit", (s, v) => s with { StopSignal = v }),
        Of("stop_mode", new ChoiceType<StopMode>(("group", StopMode.Group), ("main", StopMode.Main)), "\"group\"",
            "Send stop_signal to all processes of a worker (group) or only to its main process (main). "
            + "Both wait for all of them until stop_timeout",
            (s, v) => s with { StopMode = v }),
        Of("stop_timeout", SettingTypes.AnyDuration, "\"30s\"",
            "Send SIGKILL to a worker that still drains after this time", (s, v) => s with { StopTimeout = v }),

        Rollout("strategy", ChoiceOf<RolloutStrategy>(strategy => strategy.ToWireName()), "\"rolling\"",
            "Replace workers slot by slot (rolling), start a whole new generation first (overlap) "
            + "or stop each old worker first (stop-first)",
            (r, v) => r with { Strategy = v }),
        Rollout("max_surge", SettingTypes.Integer(0, 10000), "1",
            "Run at most this number of additional workers during a roll-out. "
            + "0 (with rollout.max_unavailable of at least 1): stop the old worker first",
            (r, v) => r with { MaxSurge = (int)v }),
        Rollout("max_unavailable", SettingTypes.Integer(0, 10000), "0",
            "Let a roll-out stop at most this number of workers before their replacements are ready",
            (r, v) => r with { MaxUnavailable = (int)v }),
        Rollout("settle", SettingTypes.AnyDuration, "\"2s\"",
            "Continue a roll-out when a new worker has been ready for this time. A first start does not wait. 0s: at once",
            (r, v) => r with { Settle = v }),
        Rollout("canary", SettingTypes.Integer(0, 10000), "0",
            "Replace this number of workers first, then hold the roll-out. 0: no canary", (r, v) => r with { Canary = (int)v }),
        Rollout("canary_hold", SettingTypes.AnyDuration, "\"0s\"",
            "Hold the roll-out for this time after the canary. 0s: until listenctl promote", (r, v) => r with { CanaryHold = v }),
        Of("rollout.canary_share", new PercentType(), null,
            "Give the canary this share of new connections and flows on listeners with steering. Unset: the part of its workers",
            (s, v) => s with { Rollout = s.Rollout with { CanaryShare = v } }),
        Rollout("on_failure",
            new ChoiceType<RolloutFailurePolicy>(("rollback", RolloutFailurePolicy.Rollback), ("stop", RolloutFailurePolicy.Stop)),
            "\"rollback\"",
            "Roll a failed roll-out back (rollback) or leave it where it is (stop)", (r, v) => r with { OnFailure = v }),
        Rollout("max_generations", SettingTypes.Integer(2, 10000), "3",
            "Keep at most this number of generations alive at the same time. Draining generations count",
            (r, v) => r with { MaxGenerations = (int)v }),

        Restart("policy",
            new ChoiceType<RestartPolicy>(
                ("always", RestartPolicy.Always), ("on-failure", RestartPolicy.OnFailure), ("never", RestartPolicy.Never)),
            "\"always\"",
            "Restart workers that exit: always, only after a failure (on-failure), or never", (r, v) => r with { Policy = v }),
        Restart("backoff", SettingTypes.AnyDuration, "\"100ms\"",
            "Wait this time before the second start in a row. The wait doubles with each further start", (r, v) => r with { Backoff = v }),
        Restart("backoff_max", SettingTypes.AnyDuration, "\"30s\"",
            "Wait at most this time between two starts", (r, v) => r with { BackoffMax = v }),
        Restart("limit", SettingTypes.Count, "5",
            "Allow this number of starts of a slot within restart.limit_interval. Then the slot waits for restart.backoff_max. 0: no limit",
            (r, v) => r with { Limit = (int)v }),
        Restart("limit_interval", SettingTypes.AnyDuration, "\"10s\"",
            "Count the starts for restart.limit over this time", (r, v) => r with { LimitInterval = v }),

        Liveness("probe", SettingTypes.Probe, null,
            "Replace a worker that fails this probe while it serves: it accepts a connection (tcp), answers a GET of the path (http:), "
            + "or the command exits with status 0 (exec:). Unset: no probe",
            (l, v) => l with { Probe = v }),
        Liveness("interval", new DurationType(TimeSpan.FromMilliseconds(10), Duration.Max), "\"10s\"",
            "Wait this time between two probes", (l, v) => l with { Interval = v }),
        Liveness("timeout", new DurationType(TimeSpan.FromMilliseconds(1), Duration.Max), "\"2s\"",
            "Fail a probe that takes longer", (l, v) => l with { Timeout = v }),
        Liveness("failures", SettingTypes.Integer(1, 10000), "3",
            "Replace the worker after this number of failed probes in a row", (l, v) => l with { Failures = (int)v }),
        Recycle("max_age", SettingTypes.AnyDuration, "\"0s\"",
            "Replace a worker that has been ready for this time. 0s: never", (r, v) => r with { MaxAge = v }),
        Recycle("max_memory", new SizeType(0, long.MaxValue), "0",
            "Replace a worker whose processes use more memory. 0: no limit", (r, v) => r with { MaxMemory = v }),
        Recycle("jitter", SettingTypes.Percent, "\"10%\"",
            "Lower recycle.max_age and recycle.max_memory of each worker by up to this share, so that not all are replaced at once",
            (r, v) => r with { Jitter = v }),
        Autoscale("min", SettingTypes.Integer(1, 10000), "1",
            "Keep at least this number of workers, with autoscale.max", (a, v) => a with { Min = (int)v }),
        Autoscale("max", SettingTypes.Integer(1, 10000), null,
            "Change the number of workers by the number of connections that wait to be accepted, up to this number. "
            + "Unset: the number does not change automatically",
            (a, v) => a with { Max = (int)v }),
        Autoscale("queue", SettingTypes.Integer(1, 1000000), "16",
            "Add workers when more connections than this wait, and remove one when at most a quarter of this wait",
            (a, v) => a with { Queue = (int)v }),
        Autoscale("up_after", new DurationType(TimeSpan.FromMilliseconds(10), Duration.Max), "\"2s\"",
            "Double the workers when too many connections have waited for this time", (a, v) => a with { UpAfter = v }),
        Autoscale("down_after", new DurationType(TimeSpan.FromMilliseconds(10), Duration.Max), "\"5m\"",
            "Remove a worker when few connections have waited for this time", (a, v) => a with { DownAfter = v }),
        Of("watchdog", SettingTypes.AnyDuration, "\"0s\"",
            "Abort a worker that does not send WATCHDOG=1 for this time. 0s: no watchdog", (s, v) => s with { Watchdog = v }),
        Of("user", SettingTypes.UserName, null, "Run the workers as this user. Unset: the daemon's user", (s, v) => s with { User = v }),
        Of("group", SettingTypes.GroupName, null,
            "Run the workers with this group. Unset: the primary group of user", (s, v) => s with { Group = v }),
        Of("supplementary_groups", SettingTypes.ListOf(SettingTypes.GroupName), "[]",
            "Run the workers with these supplementary groups", (s, v) => s with { SupplementaryGroups = v }),
        Of("working_directory", SettingTypes.AbsolutePath, null,
            "Run the workers in this directory. Unset: the daemon's directory", (s, v) => s with { WorkingDirectory = v }),
        Of("environment", new EnvironmentType(), "{}",
            "Set these environment variables. They override environment_files", (s, v) => s with { Environment = v }),
        Of("environment_files", SettingTypes.ListOf(SettingTypes.EnvironmentFile), "[]",
            "Read environment variables from these files. A file with \"-\" before its path may be missing",
            (s, v) => s with { EnvironmentFiles = v }),
        Of("environment_defaults", new EnvironmentType(), "{}",
            "Set these environment variables unless environment_files or environment set them",
            (s, v) => s with { EnvironmentDefaults = v }),
        Of("umask", SettingTypes.Umask, "\"0022\"",
            "Set the file mode creation mask. The daemon's mask has no effect on it", (s, v) => s with { Umask = v }),
        Of("nice", SettingTypes.Integer(-20, 19), null,
            "Set the nice level. Unset: the daemon's nice level", (s, v) => s with { Nice = (int)v }),
        .. Resources.Select(Limit),
        Resource("cpu_seconds", Resources[0], 0),
        .. CgroupLimitSettings.All,
        Of("no_new_privileges", SettingTypes.Flag, "true",
            "Set PR_SET_NO_NEW_PRIVS: set-user-id programs do not gain privileges", (s, v) => s with { NoNewPrivileges = v }),
        Of("ignore_sigpipe", SettingTypes.Flag, "false",
            "Start the workers with SIGPIPE ignored, as systemd does by default", (s, v) => s with { IgnoreSigpipe = v }),
        Of("capabilities", SettingTypes.ListOf(SettingTypes.Capability), "[]",
            "Give the workers these ambient capabilities", (s, v) => s with { Capabilities = v }),
        Of("log", SettingTypes.Log, null,
            "Write the workers' output to this target. Unset: the journal under systemd, otherwise the daemon's output",
            (s, v) => s with { Log = v }),

        Hook("pre_start", "Run this program before the first worker of a generation starts", (h, v) => h with { PreStart = v }),
        Hook("post_ready", "Run this program when all workers of a generation are ready", (h, v) => h with { PostReady = v }),
        Hook("post_stop", "Run this program when the last worker of the service has exited", (h, v) => h with { PostStop = v }),
    ]);

    private static ChoiceType<T> ChoiceOf<T>(Func<T, string> word)
        where T : struct, Enum => new([.. Enum.GetValues<T>().Select(value => (word(value), value))]);

    private static Setting<ServiceSpec> Of<T>(
        string key, SettingType<T> type, string? byDefault, string description, Func<ServiceSpec, T, ServiceSpec> with) =>
        new Setting<ServiceSpec, T>("service.NAME", key, type, byDefault, description, with);

    private static Setting<ServiceSpec> Rollout<T>(
        string key, SettingType<T> type, string byDefault, string description, Func<RolloutSpec, T, RolloutSpec> with) =>
        Of("rollout." + key, type, byDefault, description, (s, v) => s with { Rollout = with(s.Rollout, v) });

    private static Setting<ServiceSpec> Restart<T>(
        string key, SettingType<T> type, string byDefault, string description, Func<RestartSpec, T, RestartSpec> with) =>
        Of("restart." + key, type, byDefault, description, (s, v) => s with { Restart = with(s.Restart, v) });

    private static Setting<ServiceSpec> Liveness<T>(
        string key, SettingType<T> type, string? byDefault, string description, Func<LivenessSpec, T, LivenessSpec> with) =>
        Of("liveness." + key, type, byDefault, description, (s, v) => s with { Liveness = with(s.Liveness, v) });

    private static Setting<ServiceSpec> Recycle<T>(
        string key, SettingType<T> type, string byDefault, string description, Func<RecycleSpec, T, RecycleSpec> with) =>
        Of("recycle." + key, type, byDefault, description, (s, v) => s with { Recycle = with(s.Recycle, v) });

    private static Setting<ServiceSpec> Connections<T>(
        string key, SettingType<T> type, string byDefault, string description, Func<ConnectionSpec, T, ConnectionSpec> with) =>
        Of(key, type, byDefault, description, (s, v) => s with { Connections = with(s.Connections, v) });

    private static Setting<ServiceSpec> Autoscale<T>(
        string key, SettingType<T> type, string? byDefault, string description, Func<AutoscaleSpec, T, AutoscaleSpec> with) =>
        Of("autoscale." + key, type, byDefault, description, (s, v) => s with { Autoscale = with(s.Autoscale, v) });

    private static Setting<ServiceSpec> Hook(string key, string description, Func<HookSpec, ImmutableArray<string>, HookSpec> with) =>
        Of("hooks." + key, new CommandType(mayBeEmpty: true), "[]", description, (s, v) => s with { Hooks = with(s.Hooks, v) });

    private static Setting<ServiceSpec> Limit((string Name, string Meaning) resource, int number) => resource.Name == "cpu"
        ? Of("limits.cpu", new CpuLimitType(), null,
            "Give each worker at most this share of one processor (cpu.max of its cgroup), such as \"150%\". "
            + "A number sets RLIMIT_CPU instead, as limits.cpu_seconds does. Unset: no limit",
            (s, v) => v.Share is { } share ? s with { Cgroup = s.Cgroup with { Cpu = share } } : With(s, "cpu", number, v.Seconds))
        : Resource(resource.Name, resource, number);

    private static Setting<ServiceSpec> Resource(string key, (string Name, string Meaning) resource, int number) => Of(
        "limits." + key, new LimitType(), null,
        $"Set RLIMIT_{resource.Name.ToUpperInvariant()}, soft and hard, or \"SOFT:HARD\": {resource.Meaning}. Unset: the daemon's limit",
        (s, v) => With(s, resource.Name, number, v));

    private static ServiceSpec With(ServiceSpec spec, string name, int number, (ulong? Soft, ulong Hard) value) => spec with
    {
        Limits = spec.Limits.RemoveAll(limit => limit.Resource == number)
            .Add(new ResourceLimit(name, number, value.Hard, value.Soft))
            .Sort(static (a, b) => a.Resource.CompareTo(b.Resource)),
    };
}
