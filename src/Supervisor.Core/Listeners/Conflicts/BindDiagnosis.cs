using System.Collections.Immutable;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>Whether an address can be bound, or why not: FAILURE of the public interface.</summary>
public sealed record BindDiagnosis
{
    /// <summary>The requested address.</summary>
    public required string Address { get; init; }

    /// <summary>The kernel's error by name; null if there is none.</summary>
    public required string? Errno { get; init; }

    /// <summary>The cause; null if there is no error.</summary>
    public required BindCause? Cause { get; init; }

    /// <summary>Whether it can clear automatically.</summary>
    public bool Retry => Cause?.CanClear() == true || IsWatched;

    /// <summary>
    /// Whether the daemon watches for the event that clears the cause, such as the exit of the holder, and tries again then.
    /// </summary>
    public bool IsWatched { get; init; }

    /// <summary>The conflicting sockets, each with its processes.</summary>
    public ImmutableArray<SocketHolder> Holders { get; init; } = [];

    /// <summary>The situation in one sentence, with names.</summary>
    public required string Verdict { get; init; }

    /// <summary>The remedy, and what could not be seen.</summary>
    public required string Advice { get; init; }

    /// <summary>
    /// One row for each process that holds one of <see cref="Holders"/>, and one for each socket whose processes cannot be
    /// seen. No process holds a TIME_WAIT socket.
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
                        process.Pid, process.Command, process.Unit, process.Uid, holder.Address, holder.StateName, holder.Inode)
                    {
                        Listener = holder.Listener,
                        Service = holder.Services.IsEmpty ? null : string.Join(", ", holder.Services),
                    };
                }

                if (holder.Processes.IsEmpty)
                {
                    yield return new BindOwner(null, null, null, holder.Uid, holder.Address, holder.StateName, holder.Inode);
                }
            }
        }
    }

    /// <summary>If it can be bound: warnings.</summary>
    public ImmutableArray<string> Warnings { get; init; } = [];

    /// <summary>The remaining time of the last TIME_WAIT connection; null if there is none.</summary>
    public TimeSpan? ClearsIn { get; init; }

    /// <summary>Whether the search ended early: holders may be missing, and the cause may be another one.</summary>
    public bool IsPartial { get; init; }

    /// <summary>Whether it can be bound.</summary>
    public bool Bindable => Errno is null || IsFree;

    /// <summary>Whether the last attempt failed, and the address could be bound by now.</summary>
    public bool IsFree { get; init; }

    /// <summary>
    /// The same failure after its cause has disappeared: how to bind the address now. It names no holders. A lack of descriptors or of
    /// memory stays: that one socket can be made does not show that it is over.
    /// </summary>
    public BindDiagnosis Freed() => IsFree || Cause is BindCause.DescriptorLimit or BindCause.KernelMemory ? this : this with
    {
        IsFree = true,
        Holders = [],
        IsPartial = false,
        Verdict = "the address can be bound now",
        Advice = "bind it: listenctl reload, or start or restart a service that uses it",
    };
}
