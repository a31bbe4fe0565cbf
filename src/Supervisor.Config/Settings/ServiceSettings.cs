using System.Collections.Immutable;
using Supervisor.Core;
using Supervisor.Core.Services;

namespace Supervisor.Config.Settings;

/// <summary><c>[service.NAME]</c>.</summary>
internal static class ServiceSettings
{
    /// <summary>RLIMIT_* of the Linux ABI, asm-generic/resource.h; the order is that of the numbers, which start at 0.</summary>
    private static readonly ImmutableArray<string> Resources =
    [
        "cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock", "as", "locks", "sigpending", "msgqueue",
        "nice", "rtprio", "rttime",
    ];

    public static readonly SectionTable<ServiceSpec> Table = new(
    [
        Of("command", new CommandType(mayBeEmpty: false), null, "the program and its arguments", (s, v) => s with { Command = v })
            with { IsRequired = true },
        Of("listeners",
            SettingTypes.ListOf(SettingTypes.Name), "[]", "names of listeners, in descriptor order", (s, v) => s with { Listeners = v }),
        Of("workers", new WorkersType(), "1", "how many workers serve at the same time", (s, v) => s with { Workers = v }),
        Of("start", new ChoiceType<StartMode>(("now", StartMode.Now), ("on-demand", StartMode.OnDemand)), "\"now\"",
            "when the workers start: with the daemon, or at the first connection", (s, v) => s with { Start = v }),
        Of("stop_when_idle", SettingTypes.AnyDuration, "\"0s\"",
            "with start on-demand: ends the workers after that long without a connection; 0s: never",
            (s, v) => s with { StopWhenIdle = v }),
        Of(
            "handoff",
            ChoiceOf<HandoffKind>(kind => kind.ToWireName()),
            "\"listen-fds\"", "the protocol by which a worker takes its listeners", (s, v) => s with { Handoff = v }),
        Of("ready", SettingTypes.Ready, "\"notify\"", "what makes a worker ready", (s, v) => s with { Readiness = v }),
        Of("start_timeout", new DurationType(TimeSpan.FromMilliseconds(1), Duration.Max), "\"30s\"",
            "how long a worker may take to get ready",
            (s, v) => s with { StartTimeout = v }),
        Of("stop_signal",
            SettingTypes.Signal, "\"SIGTERM\"", "the signal that asks a worker to drain and leave", (s, v) => s with { StopSignal = v }),
        Of("stop_timeout",
            SettingTypes.AnyDuration, "\"30s\"", "how long a worker may drain before SIGKILL", (s, v) => s with { StopTimeout = v }),

        Rollout("strategy",
            ChoiceOf<RolloutStrategy>(strategy => strategy.ToWireName()),
            "\"rolling\"", "slot by slot, a whole generation beside the other, or the old worker first", (r, v) => r with { Strategy = v }),
        Rollout("max_surge", SettingTypes.Integer(0, 10000), "1", "how many new workers may be on their way beside a full set; 0, with max_unavailable: the old one goes first",
            (r, v) => r with { MaxSurge = (int)v }),
        Rollout("max_unavailable", SettingTypes.Integer(0, 10000), "0", "how many workers may be missing by an act of the daemon",
            (r, v) => r with { MaxUnavailable = (int)v }),
        Rollout("settle",
            SettingTypes.AnyDuration, "\"0s\"", "how long a new worker must stay ready before it counts", (r, v) => r with { Settle = v }),
        Rollout("canary", SettingTypes.Integer(0, 10000),
            "0", "how many workers are replaced first and then watched", (r, v) => r with { Canary = (int)v }),
        Rollout("canary_hold", SettingTypes.AnyDuration, "\"0s\"", "how long the canary is watched", (r, v) => r with { CanaryHold = v }),
        Rollout("on_failure",
            new ChoiceType<RolloutFailurePolicy>(("rollback", RolloutFailurePolicy.Rollback), ("stop", RolloutFailurePolicy.Stop)),
            "\"rollback\"", "whether a failed roll-out goes back, or stays where it is", (r, v) => r with { OnFailure = v }),
        Rollout("max_generations", SettingTypes.Integer(2, 10000), "3",
            "how many generations may be alive at the same time, draining ones included",
            (r, v) => r with { MaxGenerations = (int)v }),

        Restart("policy",
            new ChoiceType<RestartPolicy>(
                ("always", RestartPolicy.Always), ("on-failure", RestartPolicy.OnFailure), ("never", RestartPolicy.Never)),
            "\"always\"", "which workers that ended by themselves are replaced", (r, v) => r with { Policy = v }),
        Restart("backoff", SettingTypes.AnyDuration, "\"100ms\"", "the wait before the second try in a row; it doubles from try to try",
            (r, v) => r with { Backoff = v }),
        Restart("backoff_max",
            SettingTypes.AnyDuration, "\"30s\"", "the longest wait between two tries", (r, v) => r with { BackoffMax = v }),
        Restart("limit", SettingTypes.Count, "5", "starts of a slot within limit_interval before it waits for backoff_max; 0: no limit",
            (r, v) => r with { Limit = (int)v }),
        Restart("limit_interval", SettingTypes.AnyDuration, "\"10s\"", "the interval of limit", (r, v) => r with { LimitInterval = v }),

        Of("watchdog", SettingTypes.AnyDuration,
            "\"0s\"", "the longest silence between two WATCHDOG=1; 0s: no watchdog", (s, v) => s with { Watchdog = v }),
        Of("user", SettingTypes.UserName, null, "user of the workers; unset: the daemon's own", (s, v) => s with { User = v }),
        Of("group", SettingTypes.GroupName, null, "group of the workers; unset: the user's primary group", (s, v) => s with { Group = v }),
        Of("supplementary_groups", SettingTypes.ListOf(SettingTypes.GroupName), "[]", "further groups of the workers",
            (s, v) => s with { SupplementaryGroups = v }),
        Of("working_directory", SettingTypes.AbsolutePath, null, "where the workers start; unset: the daemon's own directory",
            (s, v) => s with { WorkingDirectory = v }),
        Of("environment",
            new EnvironmentType(), "{}", "variables of the workers, over those of environment_files", (s, v) => s with { Environment = v }),
        Of("environment_files", SettingTypes.ListOf(SettingTypes.EnvironmentFile), "[]",
            "files of variables; \"-\" before a path: may be missing",
            (s, v) => s with { EnvironmentFiles = v }),
        Of("umask", SettingTypes.Umask, "\"0022\"", "file mode creation mask, whatever the daemon's own is", (s, v) => s with { Umask = v }),
        Of("nice", SettingTypes.Integer(-20, 19), null, "nice level; unset: the daemon's own", (s, v) => s with { Nice = (int)v }),
        .. Resources.Select(Limit),
        Of("no_new_privileges",
            SettingTypes.Flag, "true", "PR_SET_NO_NEW_PRIVS: no set-user-id programs", (s, v) => s with { NoNewPrivileges = v }),
        Of("capabilities", SettingTypes.ListOf(SettingTypes.Capability),
            "[]", "ambient capabilities of the workers", (s, v) => s with { Capabilities = v }),
        Of("log", SettingTypes.Log,
            null, "where output goes; unset: the journal under systemd, else the daemon's own output", (s, v) => s with { Log = v }),

        Hook("pre_start", "a program to run before the first worker of a generation", (h, v) => h with { PreStart = v }),
        Hook("post_ready", "a program to run when all workers of a generation are ready", (h, v) => h with { PostReady = v }),
        Hook("post_stop", "a program to run when the last worker has ended", (h, v) => h with { PostStop = v }),
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

    private static Setting<ServiceSpec> Hook(string key, string description, Func<HookSpec, ImmutableArray<string>, HookSpec> with) =>
        Of("hooks." + key, new CommandType(mayBeEmpty: true), "[]", description, (s, v) => s with { Hooks = with(s.Hooks, v) });

    private static Setting<ServiceSpec> Limit(string name, int number) => Of(
        "limits." + name, new LimitType(), null, $"RLIMIT_{name.ToUpperInvariant()}, soft and hard; unset: the daemon's own",
        (s, v) =>
            s with { Limits = s.Limits.Add(new ResourceLimit(name, number, v)).Sort(static (a, b) => a.Resource.CompareTo(b.Resource)) });
}
