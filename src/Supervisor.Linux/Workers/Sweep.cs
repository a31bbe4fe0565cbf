using System.Collections.Immutable;
using Supervisor.Core.Workers;

namespace Supervisor.Linux.Workers;

/// <summary>
/// The remaining processes of one worker or hook that have to be killed: the members of its cgroup or of its sessions, and with
/// <see cref="Worker"/> also its strays outside of them. <see cref="Sweeper"/> carries it out.
/// </summary>
internal sealed class Sweep
{
    /// <summary>How long a sweep may take; a worker that forks faster than it is killed needs a cgroup.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The directory of its cgroup; null if it has none.</summary>
    public string? Cgroup { get; init; }

    /// <summary>Its sessions. No other process can get these numbers until <see cref="OnDone"/> is called.</summary>
    public ImmutableArray<int> Sessions { get; init; } = [];

    /// <summary>The session leaders: other code kills them, and they stay zombies.</summary>
    public ImmutableArray<int> Leaders { get; init; } = [];

    /// <summary>The worker that has exited, whose strays are searched; null if only the sessions are swept.</summary>
    public WorkerFacts? Worker { get; init; }

    /// <summary>
    /// Whether its leader was a child of the daemon and is dead: then all that is left are children of the daemon that the daemon did
    /// not spawn, and descendants of those.
    /// </summary>
    public bool IsLeaderDead { get; init; }

    /// <summary>
    /// Whether the service is stopped and has no other worker: then every orphan of its user is killed that cannot belong to a
    /// living worker.
    /// </summary>
    public bool IsLast { get; init; }

    /// <summary>The names of its listeners by inode number.</summary>
    public IReadOnlyDictionary<ulong, string> Listeners { get; init; } = ImmutableDictionary<ulong, string>.Empty;

    /// <summary>
    /// Called on the loop before a stray is killed, with its id and its command. Also with the listener that it holds, if only
    /// the listener or the user identified it.
    /// </summary>
    public Action<int, string?, string?, bool>? OnStray { get; init; }

    /// <summary>Called on the loop when nothing is left, or the time is over; the argument tells which.</summary>
    public Action<bool>? OnDone { get; init; }

    /// <summary>The killed processes; used by the sweeper.</summary>
    internal HashSet<int> Killed { get; } = [];

    /// <summary>The strays that were decided upon; used by the sweeper.</summary>
    internal HashSet<(int Pid, ulong StartTime)> Decided { get; } = [];

    /// <summary>When it began, a timestamp of <see cref="System.Diagnostics.Stopwatch"/>; used by the sweeper.</summary>
    internal long Began { get; set; }
}
