namespace Supervisor.Core.Workers;

/// <summary>
/// The facts that identify the processes of one worker. Pure data; 0 for a process or session that does not exist.
/// </summary>
public sealed record WorkerFacts
{
    /// <summary>The main process.</summary>
    public required int Main { get; init; }

    /// <summary>Its start time, in clock ticks since boot; 0 if unknown.</summary>
    public required ulong MainStart { get; init; }

    /// <summary>The process that was spawned, until it is reaped.</summary>
    public required int First { get; init; }

    /// <summary>Its start time, also after it was reaped; 0 if unknown. No process of the worker is older.</summary>
    public required ulong FirstStart { get; init; }

    /// <summary>The session of the spawned process, while no other session can have its number.</summary>
    public required int Session { get; init; }

    /// <summary>The session of a main process that was named by MAINPID=.</summary>
    public required int MainSession { get; init; }

    /// <summary>The user id that the worker was started with.</summary>
    public required uint Uid { get; init; }

    /// <summary>The path of its own cgroup, as in /proc/PID/cgroup; null if it has none.</summary>
    public required string? Cgroup { get; init; }

    /// <summary>Its token; empty if an older daemon started it without one.</summary>
    public required string Token { get; init; }

    /// <summary>Whether an earlier daemon was its parent, so that its orphans are not this daemon's children.</summary>
    public required bool IsForeign { get; init; }
}
