using System.Collections.Immutable;

namespace Supervisor.Core.Services;

/// <summary>The specification of one service: <c>[service.NAME]</c>.</summary>
public sealed record ServiceSpec
{
    /// <summary>The name in the configuration.</summary>
    public required string Name { get; init; }

    /// <summary>The program and its arguments. The program is an absolute path, or a name that is found in PATH.</summary>
    public required ImmutableArray<string> Command { get; init; }

    /// <summary>Names of the listeners, in descriptor order.</summary>
    public ImmutableArray<string> Listeners { get; init; } = [];

    /// <summary>How many workers serve at the same time; 1 or more.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Services that have to be ready before this one starts or rolls out.</summary>
    public ImmutableArray<string> After { get; init; } = [];

    /// <summary>When the workers are started.</summary>
    public StartMode Start { get; init; } = StartMode.Now;

    /// <summary>
    /// With <see cref="StartMode.OnDemand"/>: stops the workers after that time without a connection; zero: never.
    /// </summary>
    public TimeSpan StopWhenIdle { get; init; }

    /// <summary>With <see cref="StartMode.PerConnection"/>: its limits.</summary>
    public ConnectionSpec Connections { get; init; } = new();

    /// <summary>How many workers serve at the same time at first, without a connection of their own.</summary>
    public int Slots => Start == StartMode.PerConnection ? 0 : Autoscale.Clamp(Workers);

    /// <summary>How the workers take their listeners.</summary>
    public HandoffKind Handoff { get; init; } = HandoffKind.ListenFds;

    /// <summary>The condition for a ready worker.</summary>
    public Readiness Readiness { get; init; } = Readiness.Notify;

    /// <summary>How long a worker may take to become ready.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The number of the signal at which a worker drains and exits.</summary>
    public int StopSignal { get; init; } = 15;

    /// <summary>Which processes of a worker get the stop signal.</summary>
    public StopMode StopMode { get; init; }

    /// <summary>How long a worker may drain before SIGKILL.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How workers are replaced.</summary>
    public RolloutSpec Rollout { get; init; } = new();

    /// <summary>What happens when a worker exits without a stop signal.</summary>
    public RestartSpec Restart { get; init; } = new();

    /// <summary>The longest interval between two WATCHDOG=1; zero: no watchdog.</summary>
    public TimeSpan Watchdog { get; init; }

    /// <summary>Probes of a worker while it serves.</summary>
    public LivenessSpec Liveness { get; init; } = new();

    /// <summary>When a worker that serves is replaced although nothing is wrong with it.</summary>
    public RecycleSpec Recycle { get; init; } = new();

    /// <summary>How the number of workers changes automatically.</summary>
    public AutoscaleSpec Autoscale { get; init; } = new();

    /// <summary>
    /// How many workers it has after a change of the specification. What autoscale or a client has set stays, if the bounds allow it.
    /// </summary>
    /// <param name="before">The specification before.</param>
    /// <param name="desired">The number of workers before.</param>
    public int WorkersAfter(ServiceSpec before, int desired) =>
        Workers != before.Workers || (Start == StartMode.PerConnection) != (before.Start == StartMode.PerConnection)
        || (before.Autoscale.IsOn && !Autoscale.IsOn)
            ? Slots
            : Start == StartMode.PerConnection ? 0 : Autoscale.Clamp(desired);

    /// <summary>User, by name or number; null: the daemon's own.</summary>
    public string? User { get; init; }

    /// <summary>Group, by name or number; null: the user's primary group, or the daemon's own.</summary>
    public string? Group { get; init; }

    /// <summary>Further groups.</summary>
    public ImmutableArray<string> SupplementaryGroups { get; init; } = [];

    /// <summary>The worker's directory; null: the daemon's own.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Variables, which override those of <see cref="EnvironmentFiles"/>.</summary>
    public ImmutableSortedDictionary<string, string> Environment { get; init; } =
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>Variables that <see cref="EnvironmentFiles"/> and <see cref="Environment"/> override.</summary>
    public ImmutableSortedDictionary<string, string> EnvironmentDefaults { get; init; } =
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>Environment files in systemd's EnvironmentFile= syntax; with a leading <c>-</c> a file may be missing.</summary>
    public ImmutableArray<string> EnvironmentFiles { get; init; } = [];

    /// <summary>
    /// File mode creation mask, 0 to 0x1FF. The default is systemd's and supervisord's, not the daemon's own mask.
    /// </summary>
    public int Umask { get; init; } = 0x12;

    /// <summary>Nice level, -20 to 19; null: the daemon's own.</summary>
    public int? Nice { get; init; }

    /// <summary>Resource limits.</summary>
    public ImmutableArray<ResourceLimit> Limits { get; init; } = [];

    /// <summary>Limits of each worker's cgroup.</summary>
    public CgroupLimits Cgroup { get; init; } = new();

    /// <summary>PR_SET_NO_NEW_PRIVS.</summary>
    public bool NoNewPrivileges { get; init; } = true;

    /// <summary>Whether SIGPIPE is ignored, as systemd does by default; else it has its default action.</summary>
    public bool IgnoreSigpipe { get; init; }

    /// <summary>Ambient capabilities, as CAP_* names.</summary>
    public ImmutableArray<string> Capabilities { get; init; } = [];

    /// <summary>Where output goes.</summary>
    public LogTarget Log { get; init; } = LogTarget.Default;

    /// <summary>Programs that run at events of the service.</summary>
    public HookSpec Hooks { get; init; } = new();

    /// <summary>By value, lists and variables included: a reload does not touch an unchanged service.</summary>
    public bool Equals(ServiceSpec? other) =>
        other is not null && Name == other.Name && ServiceReloadImpact.All.All(term => term.Same(this, other));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Workers, Handoff, Readiness, Rollout);
}
