using System.Collections.Immutable;
using System.Text.Json.Serialization;

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

/// <summary><c>start</c>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StartMode>))]
public enum StartMode
{
    /// <summary>With the daemon.</summary>
    Now,

    /// <summary>At the first connection.</summary>
    OnDemand,

    /// <summary>A process for each connection, which the daemon accepts.</summary>
    PerConnection,
}

/// <summary>The limits of a service that starts a process for each connection.</summary>
public sealed record ConnectionSpec
{
    /// <summary>The most processes at the same time; further connections wait in the accept queue. 1 or more.</summary>
    public int Max { get; init; } = 64;

    /// <summary>
    /// The most processes of one source (<see cref="WorkerConnection.Source"/>); further connections are closed. 0: no limit.
    /// </summary>
    public int MaxPerSource { get; init; }

    /// <summary>The most connections accepted in <see cref="RateInterval"/>; further ones wait in the accept queue. 0: no limit.</summary>
    public int RateLimit { get; init; }

    /// <summary>The time over which <see cref="RateLimit"/> counts.</summary>
    public TimeSpan RateInterval { get; init; } = TimeSpan.FromSeconds(1);
}

/// <summary><c>handoff</c>: the protocol by which a worker takes its listeners.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<HandoffKind>))]
public enum HandoffKind
{
    /// <summary>LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES; descriptors from 3. sd_listen_fds(3).</summary>
    ListenFds,

    /// <summary>SCM_RIGHTS from the broker, on request.</summary>
    ScmRights,

    /// <summary>EINHORN_FD_*.</summary>
    Einhorn,

    /// <summary>SERVER_STARTER_PORT.</summary>
    ServerStarter,

    /// <summary>NGINX.</summary>
    Nginx,

    /// <summary>GUNICORN_FD.</summary>
    Gunicorn,

    /// <summary>The listener as descriptor 0.</summary>
    Stdin,

    /// <summary>No descriptors.</summary>
    None,
}

/// <summary>The condition for a ready worker.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ReadinessKind>))]
public enum ReadinessKind
{
    /// <summary>READY=1.</summary>
    Notify,

    /// <summary>The exec of its program.</summary>
    Started,

    /// <summary>A probe sees it wait for connections.</summary>
    Accepting,

    /// <summary>It answers a probe with 2xx.</summary>
    Http,

    /// <summary>It accepts a connection of a probe.</summary>
    Tcp,

    /// <summary>It writes a newline to a descriptor.</summary>
    Descriptor,

    /// <summary>It writes a line with a text to its output.</summary>
    Log,

    /// <summary>A program exits with status 0.</summary>
    Exec,
}

/// <summary><c>ready</c>.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Path">The probed path of <see cref="ReadinessKind.Http"/>.</param>
public sealed record Readiness(ReadinessKind Kind, string? Path = null)
{
    /// <summary>The lowest number of <see cref="Descriptor"/>: the ones below are the standard descriptors.</summary>
    public const int LowestDescriptor = 3;

    /// <summary>The highest number of <see cref="Descriptor"/>: most processes may have 1024 descriptors.</summary>
    public const int HighestDescriptor = 1023;

    /// <summary>The number of the worker's descriptor, with <see cref="ReadinessKind.Descriptor"/>; otherwise 0.</summary>
    public int Descriptor { get; init; }

    /// <summary>What a line contains, with <see cref="ReadinessKind.Log"/>; otherwise null.</summary>
    public string? Text { get; init; }

    /// <summary>The program and its arguments, with <see cref="ReadinessKind.Exec"/>; otherwise empty.</summary>
    public ImmutableArray<string> Command { get; init; } = [];

    /// <summary>As the configuration has it; a command only by its program.</summary>
    public string Spelled() => Kind switch
    {
        ReadinessKind.Notify => "notify",
        ReadinessKind.Started => "started",
        ReadinessKind.Accepting => "accepting",
        ReadinessKind.Http => $"http:{Path}",
        ReadinessKind.Tcp => "tcp",
        ReadinessKind.Descriptor => $"fd:{Descriptor}",
        ReadinessKind.Log => $"log:{Text}",
        ReadinessKind.Exec => $"exec:{Command[0]}",
        _ => throw new ArgumentOutOfRangeException(nameof(Kind), Kind, null),
    };

    /// <summary>By value, the command included.</summary>
    public bool Equals(Readiness? other) =>
        other is not null && (Kind, Path, Descriptor, Text) == (other.Kind, other.Path, other.Descriptor, other.Text)
        && Command.SequenceEqual(other.Command);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Kind, Path, Descriptor, Text, Command.Length);

    /// <summary>READY=1.</summary>
    public static readonly Readiness Notify = new(ReadinessKind.Notify);

    /// <summary>At exec.</summary>
    public static readonly Readiness Started = new(ReadinessKind.Started);
}

/// <summary><c>stop_mode</c>. In both modes all processes of the worker are waited for until <c>stop_timeout</c>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StopMode>))]
public enum StopMode
{
    /// <summary>All processes of the worker get the stop signal.</summary>
    Group,

    /// <summary>Only its main process gets it.</summary>
    Main,
}

/// <summary><c>rollout.strategy</c>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RolloutStrategy>))]
public enum RolloutStrategy
{
    /// <summary>A few slots at a time; an old worker drains when the new worker of its slot is ready.</summary>
    Rolling,

    /// <summary>A whole new generation next to the old one, which drains when all of the new one is ready.</summary>
    Overlap,

    /// <summary>The old worker of a slot exits before its new one starts.</summary>
    StopFirst,
}

/// <summary><c>rollout</c>.</summary>
public sealed record RolloutSpec
{
    /// <summary>The strategy.</summary>
    public RolloutStrategy Strategy { get; init; } = RolloutStrategy.Rolling;

    /// <summary>
    /// Rolling: how many new workers may start next to a full set; 0 if <see cref="MaxUnavailable"/> is 1 or more.
    /// </summary>
    public int MaxSurge { get; init; } = 1;

    /// <summary>How many ready workers a roll-out may take away at the same time.</summary>
    public int MaxUnavailable { get; init; }

    /// <summary>
    /// Whether a slot's old worker has to exit before its new one starts: stop-first, and rolling without a surge.
    /// </summary>
    public bool StopsFirst => Strategy == RolloutStrategy.StopFirst || this is { Strategy: RolloutStrategy.Rolling, MaxSurge: 0 };

    /// <summary>How long a new worker must stay ready before it counts.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How many workers are replaced first and then watched; 0: none.</summary>
    public int Canary { get; init; }

    /// <summary>How long the canary is watched.</summary>
    public TimeSpan CanaryHold { get; init; }

    /// <summary>
    /// How many of 1,000 new connections or flows the canary gets on steered listeners; null: as many as its workers' part of all.
    /// </summary>
    public int? CanaryShare { get; init; }

    /// <summary>Whether a failed roll-out is rolled back, or stops.</summary>
    public RolloutFailurePolicy OnFailure { get; init; } = RolloutFailurePolicy.Rollback;

    /// <summary>How many generations may be alive at the same time, draining ones included.</summary>
    public int MaxGenerations { get; init; } = 3;
}

/// <summary><c>rollout.on_failure</c>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RolloutFailurePolicy>))]
public enum RolloutFailurePolicy
{
    /// <summary>New workers drain; replaced workers are started again.</summary>
    Rollback,

    /// <summary>Ready new workers stay; no further worker is replaced.</summary>
    Stop,
}

/// <summary><c>restart.policy</c>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RestartPolicy>))]
public enum RestartPolicy
{
    /// <summary>After any exit.</summary>
    Always,

    /// <summary>Unless it exited with status 0, or by SIGHUP, SIGINT, SIGTERM or SIGPIPE.</summary>
    OnFailure,

    /// <summary>Never.</summary>
    Never,
}

/// <summary><c>restart</c>: for each worker slot.</summary>
public sealed record RestartSpec
{
    /// <summary>The policy.</summary>
    public RestartPolicy Policy { get; init; } = RestartPolicy.Always;

    /// <summary>The wait before the second try in a row; it doubles from try to try.</summary>
    public TimeSpan Backoff { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest wait between two tries.</summary>
    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How many restarts a slot may have within <see cref="LimitInterval"/> before it waits for
    /// <see cref="BackoffMax"/>; 0: no limit.
    /// </summary>
    public int Limit { get; init; } = 5;

    /// <summary>The interval of <see cref="Limit"/>.</summary>
    public TimeSpan LimitInterval { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary><c>liveness</c>: a worker that fails is replaced.</summary>
public sealed record LivenessSpec
{
    /// <summary>What the worker has to do; null: it is not probed.</summary>
    public Readiness? Probe { get; init; }

    /// <summary>The pause between two probes.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long one probe may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How many probes in a row have to fail.</summary>
    public int Failures { get; init; } = 3;
}

/// <summary><c>recycle</c>: a worker is replaced when it is old or large.</summary>
public sealed record RecycleSpec
{
    /// <summary>The fractional part of the golden ratio: its multiples are spread evenly, however many there are.</summary>
    private const double Spread = 0.6180339887498949;

    /// <summary>The longest time for which a worker serves; zero: no limit.</summary>
    public TimeSpan MaxAge { get; init; }

    /// <summary>The most memory of all processes of a worker, in bytes; 0: no limit.</summary>
    public long MaxMemory { get; init; }

    /// <summary>By how many percent a limit is lower for some workers, so that not all are replaced together; 0 to 100.</summary>
    public int Jitter { get; init; } = 10;

    /// <summary>The limit of a worker's time, by its number.</summary>
    public TimeSpan AgeOf(int worker) => MaxAge * Share(worker);

    /// <summary>The limit of a worker's memory, by its number.</summary>
    public long MemoryOf(int worker) => (long)(MaxMemory * Share(worker));

    private double Share(int worker) => 1 - (Jitter / 100.0 * (worker * Spread % 1));
}

/// <summary>One resource limit; getrlimit(2).</summary>
/// <param name="Name">The name without RLIMIT_, in small letters.</param>
/// <param name="Resource">The Linux ABI's number.</param>
/// <param name="Value">The hard limit; <see cref="ulong.MaxValue"/> is RLIM_INFINITY, or the highest value that the worker may have.</param>
/// <param name="Soft">
/// The soft limit, not above the hard one; null: the same as the hard limit. With it, limits that are not permitted become the highest
/// permitted ones, as in systemd.
/// </param>
public sealed record ResourceLimit(string Name, int Resource, ulong Value, ulong? Soft = null)
{
    /// <summary>Whether its hard limit is "infinity".</summary>
    public bool IsInfinite() => Value == ulong.MaxValue;

    /// <summary>The value in the configuration's syntax: RLIM_INFINITY is "infinity".</summary>
    public string Spelled() => (Soft is { } soft ? Spelled(soft) + ":" : "") + Spelled(Value);

    private static string Spelled(ulong value) =>
        value == ulong.MaxValue ? "infinity" : value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary><c>log</c>.</summary>
/// <param name="Kind">Where.</param>
/// <param name="Path">The file of <see cref="LogTargetKind.File"/>.</param>
public sealed record LogTarget(LogTargetKind Kind, string? Path = null)
{
    /// <summary>The journal under systemd, else the daemon's own output.</summary>
    public static readonly LogTarget Default = new(LogTargetKind.Default);
}

/// <summary>Where a worker's output goes.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LogTargetKind>))]
public enum LogTargetKind
{
    /// <summary>The journal under systemd, else the daemon's own output.</summary>
    Default,

    /// <summary>The journal.</summary>
    Journal,

    /// <summary>The daemon's own output.</summary>
    Inherit,

    /// <summary>A file.</summary>
    File,
}

/// <summary><c>hooks</c>: a program and its arguments each; empty: none.</summary>
public sealed record HookSpec
{
    /// <summary>Before the first worker of a generation starts.</summary>
    public ImmutableArray<string> PreStart { get; init; } = [];

    /// <summary>When all workers of a generation are ready.</summary>
    public ImmutableArray<string> PostReady { get; init; } = [];

    /// <summary>When the last worker has exited.</summary>
    public ImmutableArray<string> PostStop { get; init; } = [];
}
