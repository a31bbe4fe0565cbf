using System.Collections.Immutable;

namespace Supervisor.Core.Services;

/// <summary>
/// The settings of a service, and whether a change of each needs new workers. Also the base of the equality of
/// <see cref="ServiceSpec"/>. <c>SettingTests</c> proves that no setting of the configuration is missing.
/// </summary>
public static class ServiceReloadImpact
{
    /// <summary>All of them.</summary>
    public static readonly ImmutableArray<ServiceTerm> All =
    [
        // A worker gets these at exec, and never again.
        Worker("command", (a, b) => a.Command.SequenceEqual(b.Command)),
        Worker("listeners", (a, b) => a.Listeners.SequenceEqual(b.Listeners)),
        Worker("handoff", (a, b) => a.Handoff == b.Handoff),
        Worker("watchdog", (a, b) => a.Watchdog == b.Watchdog),
        Worker("user", (a, b) => a.User == b.User),
        Worker("group", (a, b) => a.Group == b.Group),
        Worker("supplementary_groups", (a, b) => a.SupplementaryGroups.SequenceEqual(b.SupplementaryGroups)),
        Worker("working_directory", (a, b) => a.WorkingDirectory == b.WorkingDirectory),
        Worker("environment", (a, b) => a.Environment.SequenceEqual(b.Environment)),
        Worker("environment_defaults", (a, b) => a.EnvironmentDefaults.SequenceEqual(b.EnvironmentDefaults)),
        Worker("environment_files", (a, b) => a.EnvironmentFiles.SequenceEqual(b.EnvironmentFiles)),
        Worker("umask", (a, b) => a.Umask == b.Umask),
        Worker("nice", (a, b) => a.Nice == b.Nice),
        Worker("limits", (a, b) => a.Limits.SequenceEqual(b.Limits)),
        Worker("no_new_privileges", (a, b) => a.NoNewPrivileges == b.NoNewPrivileges),
        Worker("ignore_sigpipe", (a, b) => a.IgnoreSigpipe == b.IgnoreSigpipe),
        Worker("capabilities", (a, b) => a.Capabilities.SequenceEqual(b.Capabilities)),

        // Readiness: a worker that proved itself under other terms has not proven itself under the new ones.
        Worker("ready", (a, b) => a.Readiness == b.Readiness),

        // Only the daemon uses these.
        Daemon("workers", (a, b) => a.Workers == b.Workers),
        Daemon("after", (a, b) => a.After.SequenceEqual(b.After)),
        Daemon("start", (a, b) => a.Start == b.Start),
        Daemon("max_connections", (a, b) => a.Connections.Max == b.Connections.Max),
        Daemon("max_connections_per_source", (a, b) => a.Connections.MaxPerSource == b.Connections.MaxPerSource),
        Daemon("connection_rate.limit", (a, b) => a.Connections.RateLimit == b.Connections.RateLimit),
        Daemon("connection_rate.interval", (a, b) => a.Connections.RateInterval == b.Connections.RateInterval),
        Daemon("stop_when_idle", (a, b) => a.StopWhenIdle == b.StopWhenIdle),
        Daemon("start_timeout", (a, b) => a.StartTimeout == b.StartTimeout),
        Daemon("stop_signal", (a, b) => a.StopSignal == b.StopSignal),
        Daemon("stop_mode", (a, b) => a.StopMode == b.StopMode),
        Daemon("stop_timeout", (a, b) => a.StopTimeout == b.StopTimeout),
        Daemon("rollout", (a, b) => a.Rollout == b.Rollout),
        Daemon("restart", (a, b) => a.Restart == b.Restart),
        Daemon("liveness", (a, b) => a.Liveness == b.Liveness),
        Daemon("recycle", (a, b) => a.Recycle == b.Recycle),
        Daemon("autoscale", (a, b) => a.Autoscale == b.Autoscale),

        // Written to the cgroups of running workers.
        .. CgroupLimits.All.Select(limit => Daemon(limit.Setting, (a, b) => limit.Spelled(a.Cgroup) == limit.Spelled(b.Cgroup))),
        Daemon("log", (a, b) => a.Log == b.Log),
        Daemon("hooks.pre_start", (a, b) => a.Hooks.PreStart.SequenceEqual(b.Hooks.PreStart)),
        Daemon("hooks.post_ready", (a, b) => a.Hooks.PostReady.SequenceEqual(b.Hooks.PostReady)),
        Daemon("hooks.post_stop", (a, b) => a.Hooks.PostStop.SequenceEqual(b.Hooks.PostStop)),
    ];

    /// <summary>The settings in which two specifications differ, except for names.</summary>
    public static ImmutableArray<ServiceTerm> Changed(ServiceSpec before, ServiceSpec after) =>
        ReferenceEquals(before, after) ? [] : [.. All.Where(term => !term.Same(before, after))];

    /// <summary>
    /// Whether a worker of one specification can serve for the other: they agree in everything that a worker gets.
    /// </summary>
    public static bool SameWorker(ServiceSpec before, ServiceSpec after) =>
        All.All(term => !term.NeedsNewWorker || term.Same(before, after));

    private static ServiceTerm Worker(string setting, Func<ServiceSpec, ServiceSpec, bool> same) => new(setting, true, same);

    private static ServiceTerm Daemon(string setting, Func<ServiceSpec, ServiceSpec, bool> same) => new(setting, false, same);
}
