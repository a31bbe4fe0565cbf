using System.Collections.Immutable;
using Supervisor.Core.Listeners.History;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>Why an address cannot be bound, or that it can: FAILURE of the public interface.</summary>
public sealed record BindDiagnosis
{
    /// <summary>The address asked for.</summary>
    public required string Address { get; init; }

    /// <summary>The kernel's answer by name; null where it agrees.</summary>
    public required string? Errno { get; init; }

    /// <summary>The cause; null where the kernel agrees.</summary>
    public required BindCause? Cause { get; init; }

    /// <summary>Whether it can clear by itself.</summary>
    public bool Retry => Cause?.CanClear() == true;

    /// <summary>The sockets that stand in the way, each with its processes.</summary>
    public ImmutableArray<SocketHolder> Holders { get; init; } = [];

    /// <summary>One sentence: what is so, with names.</summary>
    public required string Verdict { get; init; }

    /// <summary>What to do, and what could not be seen.</summary>
    public required string Advice { get; init; }

    /// <summary>
    /// A row for each process that holds one of <see cref="Holders"/>, and one for each socket whose processes cannot be seen.
    /// TIME_WAIT is nobody's.
    /// </summary>
    public IEnumerable<BindOwner> Owners
    {
        get
        {
            foreach (var holder in Holders.Where(holder => holder.Inode != 0))
            {
                foreach (var process in holder.Processes)
                {
                    yield return new BindOwner(
                        process.Pid, process.Command, process.Unit, process.Uid, holder.Address, holder.StateName, holder.Inode);
                }

                if (holder.Processes.IsEmpty)
                {
                    yield return new BindOwner(null, null, null, holder.Uid, holder.Address, holder.StateName, holder.Inode);
                }
            }
        }
    }

    /// <summary>Where it can be bound: what is worth knowing all the same.</summary>
    public ImmutableArray<string> Warnings { get; init; } = [];

    /// <summary>When the last of the TIME_WAIT connections ends: time to wait from now; null otherwise.</summary>
    public TimeSpan? ClearsIn { get; init; }

    /// <summary>
    /// Whether the time for looking was over before everything had been looked at: holders may be missing, and the cause may be
    /// another one.
    /// </summary>
    public bool IsPartial { get; init; }

    /// <summary>Whether it can be bound.</summary>
    public bool Bindable => Errno is null;
}
