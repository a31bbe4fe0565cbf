using Supervisor.Core;

namespace Supervisor.Control;

/// <summary>The answer to <c>GET /v1/status</c>.</summary>
public sealed record StatusDocument(DaemonDocument Daemon, IReadOnlyList<ServiceDocument> Services);

/// <summary>The daemon itself.</summary>
/// <param name="Pid">The process id.</param>
/// <param name="Version">The version.</param>
/// <param name="StartedAt">When the daemon started.</param>
/// <param name="Upgrades">How often the daemon has re-executed itself since then.</param>
/// <param name="RuntimeDirectory">The directory of the daemon's sockets.</param>
/// <param name="ConfigFile">The absolute path of the main configuration file; null if the command line configures the daemon.</param>
public sealed record DaemonDocument(
    int Pid,
    string Version,
    DateTimeOffset StartedAt,
    int Upgrades,
    string RuntimeDirectory,
    string? ConfigFile)
{
    /// <summary>Whether a successor is about to take over.</summary>
    public bool IsUpgrading { get; init; }

    /// <summary>The request to stop the daemon; null if there was none.</summary>
    public StopDocument? Stopping { get; init; }

    /// <summary>What would be lost if the daemon died now; null if nothing would.</summary>
    public string? AtRisk { get; init; }

    /// <summary>Where the configuration in force comes from.</summary>
    public ConfigDocument? Config { get; init; }

    /// <summary>The daemon's managed memory.</summary>
    public DaemonMemoryDocument? Memory { get; init; }
}

/// <summary>Managed memory of the daemon, without its code, its stacks and its sockets.</summary>
/// <param name="HeapBytes">How much objects take now, garbage that was not collected yet included.</param>
/// <param name="AllocatedBytes">
/// How much has been allocated since this executable started: what requests and changes cost. Counted in pieces of 8 KiB for each thread.
/// </param>
public sealed record DaemonMemoryDocument(long HeapBytes, long AllocatedBytes);

/// <summary>A request to stop the daemon.</summary>
/// <param name="RequestedAt">When the signal came. The daemon is not ready from then on.</param>
/// <param name="WorkersStopAt">When the workers are stopped, unless a second signal comes earlier.</param>
public sealed record StopDocument(DateTimeOffset RequestedAt, DateTimeOffset WorkersStopAt);

/// <summary>Where the configuration in force comes from, and whether its files have changed since.</summary>
/// <param name="File">The absolute path of the main file; null if the command line configures the daemon.</param>
/// <param name="Hash">
/// A hash of the bytes of the files that were loaded (CRC-32C, hexadecimal); null without files, or if an older version loaded
/// them.
/// </param>
/// <param name="LoadedAt">When they were loaded; null if that is not known.</param>
/// <param name="Differs">Whether the files are others now; null if that is not known.</param>
/// <param name="LastReload">The last reload, also one that a start began; null if there was none.</param>
public sealed record ConfigDocument(
    string? File, string? Hash, DateTimeOffset? LoadedAt, bool? Differs, ReloadOutcomeDocument? LastReload)
{
    /// <summary>Why the files cannot be read now; null if they can.</summary>
    public string? FileError { get; init; }
}

/// <summary>How a reload ended.</summary>
/// <param name="At">When.</param>
/// <param name="Outcome"><c>applied</c>, or <c>refused</c>: nothing was changed.</param>
/// <param name="Error">The first error of a refused one, and how many more there are; null otherwise.</param>
public sealed record ReloadOutcomeDocument(DateTimeOffset At, string Outcome, string? Error);

/// <summary>One service.</summary>
/// <param name="Name">The service's name.</param>
/// <param name="State">One of starting, running, degraded, rolling, stopping, stopped, failed.</param>
/// <param name="Reason">Why the service is in that state; null if it needs no explanation.</param>
/// <param name="Generation">The generation that serves.</param>
/// <param name="Desired">The configured number of workers.</param>
/// <param name="Ready">How many workers are ready.</param>
/// <param name="Listeners">The names of the service's listeners, in descriptor order.</param>
/// <param name="Rollout">The roll-out in progress, or the last one while its outcome matters.</param>
/// <param name="Workers">The workers by slot, old generations first.</param>
public sealed record ServiceDocument(
    string Name,
    string State,
    string? Reason,
    int Generation,
    int Desired,
    int Ready,
    IReadOnlyList<string> Listeners,
    RolloutDocument? Rollout,
    IReadOnlyList<WorkerDocument> Workers)
{
    /// <summary>What a client has changed, next to the configuration; null if nothing.</summary>
    public ManualDocument? Manual { get; init; }

    /// <summary>The connections of a service with <c>start = "per-connection"</c>; null for others.</summary>
    public ServiceConnectionsDocument? Connections { get; init; }

    /// <summary>The configured limits of each worker's cgroup, and which are not in force; null if none is configured.</summary>
    public ServiceLimitsDocument? Limits { get; init; }

    /// <summary>The bounds between which the number of workers changes automatically; null without <c>autoscale</c>.</summary>
    public AutoscaleDocument? Autoscale { get; init; }

    /// <summary>The services that the start or the roll-out waits for (<c>after</c>).</summary>
    public IReadOnlyList<string> WaitsFor { get; set; } = [];

    /// <summary>Processes that do not exit after SIGKILL: the service continues without them.</summary>
    public IReadOnlyList<AbandonedDocument> Abandoned { get; set; } = [];

    /// <summary>The service's listeners at which the kernel has dropped connections or datagrams.</summary>
    public IReadOnlyList<DropsDocument> Drops { get; set; } = [];

    /// <summary>The living flows of each generation at listeners with affinity.</summary>
    public IReadOnlyList<ServiceFlowsDocument> Flows { get; set; } = [];
}

/// <summary>The connections of a service that has a process for each.</summary>
/// <param name="Live">How many processes there are.</param>
/// <param name="Limit"><c>max_connections</c>.</param>
/// <param name="Accepted">Connections accepted so far.</param>
/// <param name="Refused">Connections closed so far, because their source had too many.</param>
/// <param name="Failed">Processes that failed so far, or could not be started.</param>
public sealed record ServiceConnectionsDocument(int Live, int Limit, long Accepted, long Refused, long Failed);

/// <summary>The configured limits of each worker.</summary>
/// <param name="Configured">The limits.</param>
/// <param name="Refused">Those that are not in force.</param>
public sealed record ServiceLimitsDocument(LimitsDocument Configured, IReadOnlyList<RefusedLimitDocument> Refused);

/// <summary>Limits of a cgroup; null where there is none.</summary>
/// <param name="MemoryMax">Bytes of memory above which the kernel kills the worker.</param>
/// <param name="MemoryHigh">Bytes of memory above which the kernel slows the worker down.</param>
/// <param name="Cpu">A share of one processor, such as 150%.</param>
/// <param name="Tasks">How many processes and threads there may be.</param>
/// <param name="IoWeight">The weight for disk time, 1 to 10000.</param>
public sealed record LimitsDocument(long? MemoryMax, long? MemoryHigh, string? Cpu, long? Tasks, int? IoWeight);

/// <summary>A limit that is not in force.</summary>
/// <param name="Setting">Its setting, such as limits.memory_max.</param>
/// <param name="Errno">The name of the error.</param>
/// <param name="Message">The cause and a remedy.</param>
public sealed record RefusedLimitDocument(string Setting, string Errno, string Message);

/// <summary>The bounds of <c>autoscale</c>.</summary>
/// <param name="Min">The lowest number of workers.</param>
/// <param name="Max">The highest number of workers.</param>
public sealed record AutoscaleDocument(int Min, int Max);

/// <summary>The living flows of one generation at a listener.</summary>
/// <param name="Listener">The listener.</param>
/// <param name="Generation">The generation.</param>
/// <param name="Live">How many clients' flows had a datagram within <c>affinity.idle</c>.</param>
public sealed record ServiceFlowsDocument(string Listener, int Generation, int Live);

/// <summary>What the kernel has dropped at a listener.</summary>
/// <param name="Listener">The listener.</param>
/// <param name="Count">Connections or datagrams so far.</param>
public sealed record DropsDocument(string Listener, long Count);

/// <summary>What a client has changed, next to the configuration.</summary>
/// <param name="By">Who requested it.</param>
/// <param name="At">When.</param>
/// <param name="What"><c>stop</c>, <c>scale N</c>, or both.</param>
public sealed record ManualDocument(Requester By, DateTimeOffset At, string What);

/// <summary>A process of a worker that does not exit after SIGKILL.</summary>
/// <param name="Pid">Process id.</param>
/// <param name="Slot">The worker's slot.</param>
/// <param name="Generation">The worker's generation.</param>
/// <param name="State">Field 3 of its /proc/PID/stat, such as D.</param>
/// <param name="WaitChannel">Where it waits in the kernel (wchan); null if unknown.</param>
/// <param name="Since">When listend continued without it.</param>
/// <param name="Message">The same as text.</param>
public sealed record AbandonedDocument(
    int Pid, int Slot, int Generation, string State, string? WaitChannel, DateTimeOffset Since, string Message);

/// <summary>A roll-out.</summary>
/// <param name="State">One of replacing, canary, draining, rolling-back, done, rolled-back, superseded, failed.</param>
/// <param name="From">The generation that is replaced.</param>
/// <param name="To">The generation that replaces it.</param>
/// <param name="Replaced">How many slots the new generation serves.</param>
/// <param name="Total">The number of slots.</param>
/// <param name="Reason">Why the roll-out failed; null unless it failed.</param>
/// <param name="Strategy">One of rolling, overlap, stop-first.</param>
/// <param name="Draining">How many workers of an older generation drain.</param>
/// <param name="ElapsedMs">The roll-out's duration so far, or in total, in milliseconds.</param>
public sealed record RolloutDocument(
    string State,
    int From,
    int To,
    int Replaced,
    int Total,
    string? Reason,
    string Strategy,
    int Draining,
    long ElapsedMs)
{
    /// <summary>The number of canary slots, which are replaced first and watched; null without a canary.</summary>
    public int? Canary { get; init; }

    /// <summary>The connections that draining workers still have; null if unknown.</summary>
    public int? DrainingConnections { get; init; }

    /// <summary>How many connections were cut since it began: connections of killed processes.</summary>
    public int Cut { get; init; }

    /// <summary>
    /// What a worker wrote last because of which the roll-out failed, oldest line first; null unless it failed because of one that
    /// wrote something.
    /// </summary>
    public IReadOnlyList<string>? LastLines { get; init; }

    /// <summary>In the state canary: when the roll-out continues automatically; null if it waits for promote.</summary>
    public DateTimeOffset? PromotedAt { get; init; }

    /// <summary>What the roll-out waits for, other than its workers, as text; null if it does not wait.</summary>
    public string? Waits { get; init; }
}

/// <summary>One worker.</summary>
/// <param name="Pid">Process id; null without a process (back-off, a failed spawn).</param>
/// <param name="Slot">Slot, from 0.</param>
/// <param name="Generation">Generation.</param>
/// <param name="State">One of starting, ready, draining, stopping, exited, backoff.</param>
/// <param name="StartedAt">When the worker was started.</param>
/// <param name="ReadyAt">When the worker became ready; null before.</param>
/// <param name="Restarts">How often a worker of this slot was replaced because it exited unexpectedly.</param>
/// <param name="Connections">The worker's open connections; null if unknown.</param>
/// <param name="StatusText">The worker's last STATUS= message.</param>
/// <param name="LastExit">How the last worker of this slot exited; null if none has.</param>
/// <param name="NextTry">In back-off: when the next worker starts.</param>
public sealed record WorkerDocument(
    int? Pid,
    int Slot,
    int Generation,
    string State,
    DateTimeOffset? StartedAt,
    DateTimeOffset? ReadyAt,
    int Restarts,
    int? Connections,
    string? StatusText,
    string? LastExit,
    DateTimeOffset? NextTry)
{
    /// <summary>The peer of its connection, with <c>start = "per-connection"</c>; otherwise null.</summary>
    public string? Peer { get; init; }

    /// <summary>Of a draining worker: what it still has to finish; null otherwise.</summary>
    public DrainDocument? Drain { get; init; }

    /// <summary>The last notify message or field for it that listend rejected, and why; null without one.</summary>
    public string? RejectedMessage { get; init; }

    /// <summary>
    /// What the worker of <see cref="LastExit"/> wrote last, oldest line first, with control characters escaped; at most ten lines.
    /// Null if it wrote nothing, or if an earlier daemon saw the exit.
    /// </summary>
    public IReadOnlyList<string>? LastLines { get; init; }

    /// <summary>When the worker entered its state; null if the daemon does not report it.</summary>
    public DateTimeOffset? StateSince { get; init; }

    /// <summary>
    /// Its known processes, each with its descendants, when its main process is not the only one: others remain after it has exited,
    /// or have left its descent. Null otherwise.
    /// </summary>
    public IReadOnlyList<int>? Processes { get; init; }

    /// <summary>The directory of the worker's own cgroup; null without one.</summary>
    public string? Cgroup { get; init; }

    /// <summary>
    /// Processor time in microseconds: of that cgroup; without one, of the worker's processes and of their exited children. Null if it
    /// cannot be read.
    /// </summary>
    public long? CpuUsec { get; init; }

    /// <summary>
    /// Memory in bytes: the kernel's accounting of that cgroup; without it, the resident sets of the worker's processes. Null if it cannot
    /// be read.
    /// </summary>
    public long? MemoryBytes { get; init; }

    /// <summary>The most memory that its cgroup has used, in bytes; null if the kernel does not count that.</summary>
    public long? MemoryPeak { get; init; }

    /// <summary>The limits of its cgroup as the kernel applies them; null if its cgroup has none.</summary>
    public LimitsDocument? Limits { get; init; }
}
