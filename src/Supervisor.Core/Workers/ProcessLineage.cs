using System.Collections.Immutable;

namespace Supervisor.Core.Workers;

/// <summary>One process in a chain of parents: fields of /proc/PID/stat, proc_pid_stat(5).</summary>
/// <param name="Pid">Field 1.</param>
/// <param name="ParentPid">Field 4.</param>
/// <param name="SessionId">Field 6.</param>
/// <param name="StartTime">Field 22: clock ticks since boot.</param>
public readonly record struct ProcessStep(int Pid, int ParentPid, int SessionId, ulong StartTime);

/// <summary>The kernel's facts about a process at one moment: enough to tell which worker it belongs to. Pure data.</summary>
/// <param name="Chain">The process itself, then its parents; it ends below the daemon, below init, or at the length
/// limit.</param>
/// <param name="Uid">Its effective user id.</param>
/// <param name="Cgroup">Its version 2 cgroup, as in /proc/PID/cgroup; null if there is none.</param>
/// <param name="IsBelowDaemon">Whether the parent of the last process of the chain is the daemon.</param>
public sealed record ProcessLineage(ImmutableArray<ProcessStep> Chain, uint Uid, string? Cgroup, bool IsBelowDaemon)
{
    /// <summary>The process.</summary>
    public int Pid => Chain[0].Pid;

    /// <summary>Its oldest ancestor below the daemon, or the process itself.</summary>
    public ProcessStep Top => Chain[^1];

    /// <summary>The token that <see cref="Top"/> was executed with; null if it has none or it was not read.</summary>
    public string? Token { get; init; }
}
