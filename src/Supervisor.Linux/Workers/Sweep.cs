using System.Collections.Immutable;
using Supervisor.Core.Workers;

namespace Supervisor.Linux.Workers;

/// <summary>
/// What is left of one worker or hook and is to be killed: the members of its cgroup, or of its sessions, and with
/// <see cref="Worker"/> also what left these. <see cref="Sweeper"/> carries it out.
/// </summary>
internal sealed class Sweep
{
    /// <summary>How long a sweep may take; a worker that forks faster than it is killed needs a cgroup.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Its cgroup's directory; null where it has none.</summary>
    public string? Cgroup { get; init; }

    /// <summary>Its sessions, whose numbers no other process can get until <see cref="OnDone"/> is called.</summary>
    public ImmutableArray<int> Sessions { get; init; } = [];

    /// <summary>Processes that are killed elsewhere and stay zombies: they lead the sessions.</summary>
    public ImmutableArray<int> Leaders { get; init; } = [];

    /// <summary>The worker that has ended, whose strays are looked for; null where only the sessions are swept.</summary>
    public WorkerFacts? Worker { get; init; }

    /// <summary>
    /// Whether its service is stopped and no worker of it is left: then every orphan of its user goes that no other
    /// worker may have.
    /// </summary>
    public bool IsLast { get; init; }

    /// <summary>Inode numbers of its listeners, with their names.</summary>
    public IReadOnlyDictionary<ulong, string> Listeners { get; init; } = ImmutableDictionary<ulong, string>.Empty;

    /// <summary>
    /// On the loop, before a stray is killed: its id, its command, and the listener that it holds where nothing but
    /// that, or its user, tells whose it is.
    /// </summary>
    public Action<int, string?, string?, bool>? OnStray { get; init; }

    /// <summary>On the loop, when nothing is left or the time is over, which the argument says.</summary>
    public Action<bool>? OnDone { get; init; }

    /// <summary>Who was killed; the sweeper's.</summary>
    internal HashSet<int> Killed { get; } = [];

    /// <summary>Strays that were decided upon; the sweeper's.</summary>
    internal HashSet<(int Pid, ulong StartTime)> Decided { get; } = [];

    /// <summary>When it began, of <see cref="System.Diagnostics.Stopwatch"/>; the sweeper's.</summary>
    internal long Began { get; set; }
}
