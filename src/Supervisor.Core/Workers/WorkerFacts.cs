namespace Supervisor.Core.Workers;

/// <summary>What identifies the processes of one worker. Pure data; 0 for a process or session that does not exist (any more).</summary>
public sealed record WorkerFacts
{
    /// <summary>The main process.</summary>
    public required int Main { get; init; }

    /// <summary>Its start time, in clock ticks since boot; 0 where it is unknown.</summary>
    public required ulong MainStart { get; init; }

    /// <summary>The process that was spawned, until it is reaped.</summary>
    public required int First { get; init; }

    /// <summary>Its start time, also after it was reaped; 0 where it is unknown. No process of the worker is older.</summary>
    public required ulong FirstStart { get; init; }

    /// <summary>The session of the spawned process, while its number cannot be given to another one.</summary>
    public required int Session { get; init; }

    /// <summary>The session of a main process that was named by MAINPID=.</summary>
    public required int MainSession { get; init; }

    /// <summary>The user id that the worker was started with.</summary>
    public required uint Uid { get; init; }

    /// <summary>The path of its own cgroup, as /proc/PID/cgroup has it; null where it has none.</summary>
    public required string? Cgroup { get; init; }

    /// <summary>Its token; empty where an older daemon started it without one.</summary>
    public required string Token { get; init; }

    /// <summary>Whether an earlier daemon was its parent, so that its orphans are not this daemon's children.</summary>
    public required bool IsForeign { get; init; }
}
