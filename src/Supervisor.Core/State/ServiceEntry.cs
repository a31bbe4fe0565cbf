using System.Collections.Immutable;
using Supervisor.Core.Services;

namespace Supervisor.Core.State;

/// <summary>A service in the manifest.</summary>
public sealed record ServiceEntry
{
    /// <summary>The machine's state, whole: the roll-out that is under way, back-off, deadlines.</summary>
    public required ServiceState State { get; init; }

    /// <summary>Why it cannot be started; null where it can.</summary>
    public string? Blocked { get; init; }

    /// <summary>Whom its workers run as; null where that has not been looked up.</summary>
    public IdentityEntry? Identity { get; init; }

    /// <summary>The workers' processes.</summary>
    public ImmutableArray<WorkerEntry> Workers { get; init; } = [];

    /// <summary>What workers have stored by FDSTORE=1, in the order of <see cref="DescriptorKey.Stored"/> within each slot.</summary>
    public ImmutableArray<StoredEntry> Stored { get; init; } = [];

    /// <summary>The hook that runs; null where none does.</summary>
    public HookEntry? Hook { get; init; }

    /// <summary>The hooks that wait for it.</summary>
    public ImmutableArray<HookEffect> WaitingHooks { get; init; } = [];

    /// <summary>What its workers have written; null where it stays behind.</summary>
    public StreamEntry? Output { get; init; }

    /// <summary>The name.</summary>
    public string Name => State.Spec.Name;
}

/// <summary>Whom a service's workers run as.</summary>
public sealed record IdentityEntry
{
    /// <summary>User id; null: the daemon's own.</summary>
    public uint? Uid { get; init; }

    /// <summary>Group id; null: the daemon's own.</summary>
    public uint? Gid { get; init; }

    /// <summary>Supplementary groups; null: the daemon's own.</summary>
    public uint[]? Groups { get; init; }

    /// <summary>NAME=VALUE each, of another user.</summary>
    public ImmutableArray<string> Variables { get; init; } = [];
}

/// <summary>A worker's process.</summary>
public sealed record WorkerEntry
{
    /// <summary>The worker's number within the service.</summary>
    public required int Id { get; init; }

    /// <summary>The process that counts.</summary>
    public required int Pid { get; init; }

    /// <summary>Field 22 of its /proc/PID/stat: with the process id it names one process for ever. 0 where it was not known.</summary>
    public ulong StartTime { get; init; }

    /// <summary>The process that was spawned, and its session.</summary>
    public required int Session { get; init; }

    /// <summary>The session of a process that was named by MAINPID=; 0 where none was.</summary>
    public int MainSession { get; init; }

    /// <summary>Whether the spawned process has been reaped.</summary>
    public bool IsFirstReaped { get; init; }

    /// <summary>Whether the spawned process is gone, and the one that will count has not been named.</summary>
    public bool AwaitsMain { get; init; }

    /// <summary>Whether it is the child of an earlier daemon, which has died, so that nobody but init can reap it.</summary>
    public bool IsForeign { get; init; }

    /// <summary>Whether it is to get a stop signal that has been held back, since somebody waits in a queue that it alone serves.</summary>
    public bool IsHeldBack { get; init; }

    /// <summary>When it was spawned.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it got ready.</summary>
    public DateTimeOffset? ReadyAt { get; init; }

    /// <summary>Its last STATUS=.</summary>
    public string? Status { get; init; }

    /// <summary>Its last ERRNO=.</summary>
    public int Errno { get; init; }

    /// <summary>RELOADING=1.</summary>
    public bool IsReloading { get; init; }

    /// <summary>
    /// Inode numbers of the listening sockets that it was given at its exec; null where that is not known, and it may have any.
    /// </summary>
    public ImmutableArray<ulong>? Sockets { get; init; }

    /// <summary>The directory of the cgroup of its own; null where it has none.</summary>
    public string? Cgroup { get; init; }

    /// <summary>Field 22 of the /proc/PID/stat of the process that was spawned; 0 where it was not known.</summary>
    public ulong FirstStartTime { get; init; }

    /// <summary>The user id that it was started with; null where an older version started it.</summary>
    public uint? Uid { get; init; }

    /// <summary>The token that it was given, a secret; null where an older version started it without one.</summary>
    public string? Token { get; init; }

    /// <summary>The path of its notify socket.</summary>
    public required string NotifyPath { get; init; }

    /// <summary>What it has written of a line on standard output that has not ended.</summary>
    public byte[]? OutputRest { get; init; }

    /// <summary>The same of standard error.</summary>
    public byte[]? ErrorRest { get; init; }
}

/// <summary>A descriptor that a worker stored.</summary>
/// <param name="Slot">Its slot.</param>
/// <param name="Name">FDNAME.</param>
public sealed record StoredEntry(int Slot, string Name);

/// <summary>A hook that runs.</summary>
public sealed record HookEntry
{
    /// <summary>Which, and for which generation.</summary>
    public required HookEffect Hook { get; init; }

    /// <summary>Its process.</summary>
    public required int Pid { get; init; }

    /// <summary>Field 22 of its /proc/PID/stat.</summary>
    public ulong StartTime { get; init; }

    /// <summary>How long it may take.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>When it will have taken too long; null where it was killed for it.</summary>
    public TimeSpan? Deadline { get; init; }
}
