using System.Collections.Immutable;
using Supervisor.Core.Workers;

namespace Supervisor.Linux.Workers;

/// <summary>
/// A search for the remaining processes of one worker or hook: the members of its cgroup or of its sessions, the descendants of its
/// living processes, and with <see cref="Worker"/> also its strays outside of them. They are killed, or with
/// <see cref="StopSignal"/> signalled and reported. <see cref="Sweeper"/> carries it out.
/// </summary>
internal sealed class Sweep
{
    /// <summary>How long a kill may take; a worker that forks faster than it is killed needs a cgroup.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private volatile bool _isFinal;
    private volatile bool _isCancelled;

    /// <summary>
    /// The signal for each process that did not get it yet; 0: none. If there are such processes, they are reported to
    /// <see cref="OnRest"/>, which ends the sweep. Null: they are killed.
    /// </summary>
    public int? StopSignal { get; init; }

    /// <summary>The only process that gets <see cref="StopSignal"/>; null: all get it.</summary>
    public int? OnlyPid { get; init; }

    /// <summary>Whether the sweep ends after that, also if nothing was found: the main process lives.</summary>
    public bool IsAnnouncement { get; init; }

    /// <summary>The directory of its cgroup; null if it has none.</summary>
    public string? Cgroup { get; init; }

    /// <summary>Its sessions. No other process can get these numbers until <see cref="OnDone"/> is called.</summary>
    public ImmutableArray<int> Sessions { get; init; } = [];

    /// <summary>Processes that other code signals and reaps: they are not among the remaining ones.</summary>
    public ImmutableArray<int> Leaders { get; init; } = [];

    /// <summary>Its living processes that are known: their descendants are its processes in any session.</summary>
    public ImmutableArray<int> Roots { get; init; } = [];

    /// <summary>The worker, whose strays are searched; null if only the sessions are swept.</summary>
    public WorkerFacts? Worker { get; init; }

    /// <summary>
    /// For a worker whose daemon has died: the process that gets the children of its exited processes (find_new_reaper, kernel/exit.c);
    /// 0 if it is not known.
    /// </summary>
    public int Reaper { get; init; }

    /// <summary>Its process, which no longer owns strays once the sweep is final; null for a hook.</summary>
    public WorkerProcess? Process { get; init; }

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

    /// <summary>The remaining processes that earlier sweeps found, also in other sessions. Only the sweeper's thread uses it.</summary>
    public HashSet<(int Pid, ulong StartTime)> Known { get; init; } = [];

    /// <summary>The processes that got the stop signal. Only the sweeper's thread uses it.</summary>
    public HashSet<(int Pid, ulong StartTime)> Signalled { get; init; } = [];

    /// <summary>
    /// Called on the loop before a stray is killed, with its id and its command. Also with the listener that it holds, if only
    /// the listener or the user identified it.
    /// </summary>
    public Action<int, string?, string?, bool>? OnStray { get; init; }

    /// <summary>Called on the loop with the remaining processes, instead of <see cref="OnDone"/>. The receiver owns them.</summary>
    public Action<IReadOnlyList<RemainingProcess>>? OnRest { get; init; }

    /// <summary>The accepted connections of its listeners; null if none can be cut.</summary>
    public AcceptedConnections? Connections { get; init; }

    /// <summary>Called on the loop with the connections of processes that the stop signal has ended.</summary>
    public Action<IReadOnlyList<AcceptedConnection>>? OnCut { get; init; }

    /// <summary>Called on the loop when nothing is left, or the time is over; the argument tells which.</summary>
    public Action<bool>? OnDone { get; init; }

    /// <summary>Called on the loop for a signal that could not be sent, with the process and the error.</summary>
    public Action<int, Native.SystemCallError>? OnRefused { get; init; }

    /// <summary>Whether the processes are killed now.</summary>
    internal bool IsFinal
    {
        get => _isFinal || StopSignal is null;
        set => _isFinal = value;
    }

    /// <summary>Whether nobody waits for it any more. Set on the loop.</summary>
    internal bool IsCancelled
    {
        get => _isCancelled;
        set => _isCancelled = value;
    }

    /// <summary>
    /// Whether it may wait for the next look at the daemon's children: the worker has crashed, and its replacement does not wait for the
    /// sweep. After <see cref="Sweeper.Begin"/> only the sweeper's thread uses it.
    /// </summary>
    internal bool CanWait { get; set; }

    /// <summary>The strays that were decided upon; used by the sweeper.</summary>
    internal HashSet<(int Pid, ulong StartTime)> Decided { get; } = [];

    /// <summary>When it began, a timestamp of <see cref="System.Diagnostics.Stopwatch"/>; used by the sweeper.</summary>
    internal long Began { get; set; }
}
