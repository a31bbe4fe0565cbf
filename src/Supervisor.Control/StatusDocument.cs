namespace Supervisor.Control;

/// <summary>The answer to <c>GET /v1/status</c>.</summary>
public sealed record StatusDocument(DaemonDocument Daemon, IReadOnlyList<ServiceDocument> Services);

/// <summary>The daemon itself.</summary>
/// <param name="Pid">Its process id.</param>
/// <param name="Version">Its version.</param>
/// <param name="StartedAt">When it started.</param>
/// <param name="Upgrades">How often it has replaced itself since.</param>
/// <param name="RuntimeDirectory">Where its sockets lie.</param>
/// <param name="ConfigFile">The absolute path of the main configuration file; null when it runs from a command line.</param>
public sealed record DaemonDocument(
    int Pid,
    string Version,
    DateTimeOffset StartedAt,
    int Upgrades,
    string RuntimeDirectory,
    string? ConfigFile)
{
    /// <summary>Whether another executable is about to take over.</summary>
    public bool IsUpgrading { get; init; }

    /// <summary>What would be lost if the daemon died now; null where nothing would.</summary>
    public string? AtRisk { get; init; }
}

/// <summary>One service.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">One of starting, running, degraded, rolling, stopping, stopped, failed.</param>
/// <param name="Reason">Why it is in that state, where that needs saying.</param>
/// <param name="Generation">The generation that serves.</param>
/// <param name="Desired">How many workers there should be.</param>
/// <param name="Ready">How many of them are ready.</param>
/// <param name="Listeners">The names of its listeners, in descriptor order.</param>
/// <param name="Rollout">The roll-out that is under way, or the last one while its end is worth knowing.</param>
/// <param name="Workers">Its workers, by slot, old generations first.</param>
public sealed record ServiceDocument(
    string Name,
    string State,
    string? Reason,
    int Generation,
    int Desired,
    int Ready,
    IReadOnlyList<string> Listeners,
    RolloutDocument? Rollout,
    IReadOnlyList<WorkerDocument> Workers);

/// <summary>A roll-out.</summary>
/// <param name="State">One of replacing, canary, draining, rolling-back, done, rolled-back, superseded, failed.</param>
/// <param name="From">The generation that is replaced.</param>
/// <param name="To">The generation that replaces it.</param>
/// <param name="Replaced">How many slots are served by the new generation.</param>
/// <param name="Total">How many slots there are.</param>
/// <param name="Reason">Why it failed; null while it does not.</param>
/// <param name="Strategy">One of rolling, overlap, stop-first.</param>
/// <param name="Draining">How many workers of an older generation are still leaving.</param>
/// <param name="ElapsedMs">Milliseconds since it began, until now or its end.</param>
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
    /// <summary>How many slots are replaced first and watched; null where the roll-out has no canary.</summary>
    public int? Canary { get; init; }

    /// <summary>How many connections workers that leave have left; null where that is not known.</summary>
    public int? DrainingConnections { get; init; }

    /// <summary>In the state canary: when the other slots follow by themselves; null where that waits for promote.</summary>
    public DateTimeOffset? PromotedAt { get; init; }

    /// <summary>What it waits for besides its own workers, for people; null where it waits for nothing.</summary>
    public string? Waits { get; init; }
}

/// <summary>One worker.</summary>
/// <param name="Pid">Process id; null where none is alive (back-off, a failed spawn).</param>
/// <param name="Slot">Slot, from 0.</param>
/// <param name="Generation">Generation.</param>
/// <param name="State">One of starting, ready, draining, stopping, exited, backoff.</param>
/// <param name="StartedAt">When it was started.</param>
/// <param name="ReadyAt">When it got ready; null before.</param>
/// <param name="Restarts">How often a worker of this slot was replaced because it ended by itself.</param>
/// <param name="Connections">Connections in its hands; null where that is not known.</param>
/// <param name="StatusText">Its last STATUS=.</param>
/// <param name="LastExit">How the last worker of this slot ended; null where none has.</param>
/// <param name="NextTry">In back-off: when it is started again.</param>
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
    /// <summary>Of a worker that leaves: what it has left; null of any other.</summary>
    public DrainDocument? Drain { get; init; }

    /// <summary>Since when it is in its state; null where the daemon does not say.</summary>
    public DateTimeOffset? StateSince { get; init; }

    /// <summary>The directory of the cgroup of its own; null where it has none.</summary>
    public string? Cgroup { get; init; }

    /// <summary>Processor time of its cgroup, in microseconds; null where it has none.</summary>
    public long? CpuUsec { get; init; }

    /// <summary>
    /// Memory of its cgroup, in bytes: as the kernel charges it, or the resident sets of its processes; null where it has none.
    /// </summary>
    public long? MemoryBytes { get; init; }
}
