using System.Collections.Immutable;
using Supervisor.Core.Protocols;
using Supervisor.Core.Services;

namespace Supervisor.Core.State;

/// <summary>A service in the manifest.</summary>
public sealed record ServiceEntry
{
    /// <summary>The complete state of the service's machine: the current roll-out, back-off, deadlines.</summary>
    public required ServiceState State { get; init; }

    /// <summary>Why the service cannot be started; null if it can.</summary>
    public string? Blocked { get; init; }

    /// <summary>What clients have changed; null if an older version wrote the state.</summary>
    public ManualChanges? Manual { get; init; }

    /// <summary>The user of its workers; null if it was not looked up.</summary>
    public IdentityEntry? Identity { get; init; }

    /// <summary>The workers' processes.</summary>
    public ImmutableArray<WorkerEntry> Workers { get; init; } = [];

    /// <summary>
    /// Descriptors that workers stored by FDSTORE=1, in the order of <see cref="DescriptorKey.Stored"/> within each slot.
    /// </summary>
    public ImmutableArray<StoredEntry> Stored { get; init; } = [];

    /// <summary>The running hook; null if there is none.</summary>
    public HookEntry? Hook { get; init; }

    /// <summary>The hooks that wait for the running one.</summary>
    public ImmutableArray<HookEffect> WaitingHooks { get; init; } = [];

    /// <summary>What its generations are pinned to.</summary>
    public ImmutableArray<PinEntry> Pins { get; init; } = [];

    /// <summary>The output of its workers; null if it is not passed on.</summary>
    public StreamEntry? Output { get; init; }

    /// <summary>The name.</summary>
    public string Name => State.Spec.Name;
}

/// <summary>The user of a service's workers.</summary>
public sealed record IdentityEntry
{
    /// <summary>User id; null: the daemon's own.</summary>
    public uint? Uid { get; init; }

    /// <summary>Group id; null: the daemon's own.</summary>
    public uint? Gid { get; init; }

    /// <summary>Supplementary groups; null: the daemon's own.</summary>
    public uint[]? Groups { get; init; }

    /// <summary>The variables of another user (HOME and others), NAME=VALUE each.</summary>
    public ImmutableArray<string> Variables { get; init; } = [];
}

/// <summary>A worker's process.</summary>
public sealed record WorkerEntry
{
    /// <summary>The worker's number within the service.</summary>
    public required int Id { get; init; }

    /// <summary>The main process.</summary>
    public required int Pid { get; init; }

    /// <summary>
    /// Field 22 of the main process's /proc/PID/stat, which identifies it together with the process id. 0 if not known.
    /// </summary>
    public ulong StartTime { get; init; }

    /// <summary>The spawned process, which leads the worker's session.</summary>
    public required int Session { get; init; }

    /// <summary>The session of a process named by MAINPID=; 0 if none was named.</summary>
    public int MainSession { get; init; }

    /// <summary>Whether the spawned process has been reaped.</summary>
    public bool IsFirstReaped { get; init; }

    /// <summary>Whether the spawned process has exited and no main process was named yet.</summary>
    public bool AwaitsMain { get; init; }

    /// <summary>Whether it is the child of a previous daemon that died, so only init can reap it.</summary>
    public bool IsForeign { get; init; }

    /// <summary>Whether a stop signal was held back, because connections wait in a queue that only this worker serves.</summary>
    public bool IsHeldBack { get; init; }

    /// <summary>Its processes besides the main process, as far as they were looked for.</summary>
    public ImmutableArray<ProcessEntry> Rest { get; init; } = [];

    /// <summary>Whether these got the stop signal, as far as <c>stop_mode</c> says so.</summary>
    public bool IsRestTold { get; init; }

    /// <summary>When it was spawned.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it became ready; null if it did not yet.</summary>
    public DateTimeOffset? ReadyAt { get; init; }

    /// <summary>Its last STATUS=.</summary>
    public string? Status { get; init; }

    /// <summary>Its last ERRNO=.</summary>
    public int Errno { get; init; }

    /// <summary>Whether it has sent RELOADING=1 and is reloading.</summary>
    public bool IsReloading { get; init; }

    /// <summary>Whose notify messages count.</summary>
    public NotifyAccess NotifyAccess { get; init; }

    /// <summary>Inode numbers of the listening sockets that it received at exec; null if not known, so it may have any.</summary>
    public ImmutableArray<ulong>? Sockets { get; init; }

    /// <summary>The directory of its own cgroup; null if it has none.</summary>
    public string? Cgroup { get; init; }

    /// <summary>The controllers that its own cgroup has had from the beginning.</summary>
    public CgroupController Controllers { get; init; }

    /// <summary>The limits in force in its own cgroup.</summary>
    public CgroupLimits Limits { get; init; } = new();

    /// <summary>How many of its processes the kernel has killed for lack of memory, as far as that was reported.</summary>
    public long OomKills { get; init; }

    /// <summary>Field 22 of the spawned process's /proc/PID/stat; 0 if not known.</summary>
    public ulong FirstStartTime { get; init; }

    /// <summary>The user id with which it was started; null if an older version started it.</summary>
    public uint? Uid { get; init; }

    /// <summary>Its token, a secret; null if an older version started it without one.</summary>
    public string? Token { get; init; }

    /// <summary>The path of its notify socket; empty for the process of a connection, which has none.</summary>
    public required string NotifyPath { get; init; }

    /// <summary>The unfinished line of its standard output.</summary>
    public byte[]? OutputRest { get; init; }

    /// <summary>The unfinished line of its standard error.</summary>
    public byte[]? ErrorRest { get; init; }
}

/// <summary>A process.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="StartTime">Field 22 of its /proc/PID/stat.</param>
public sealed record ProcessEntry(int Pid, ulong StartTime);

/// <summary>A descriptor that a worker stored.</summary>
/// <param name="Slot">Its slot.</param>
/// <param name="Name">FDNAME.</param>
public sealed record StoredEntry(int Slot, string Name, bool KeepsHungUp = false);

/// <summary>A running hook.</summary>
public sealed record HookEntry
{
    /// <summary>The hook and its generation.</summary>
    public required HookEffect Hook { get; init; }

    /// <summary>Its process id.</summary>
    public required int Pid { get; init; }

    /// <summary>Field 22 of its /proc/PID/stat.</summary>
    public ulong StartTime { get; init; }

    /// <summary>Its time limit.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>When it times out; null if it was killed for that.</summary>
    public TimeSpan? Deadline { get; init; }
}
