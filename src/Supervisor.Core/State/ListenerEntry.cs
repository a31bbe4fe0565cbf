using System.Collections.Immutable;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.State;

/// <summary>A listener in the manifest; its socket's key is <see cref="DescriptorKey.Listener"/>.</summary>
public sealed record ListenerEntry
{
    /// <summary>The configured listener.</summary>
    public required ListenerSpec Spec { get; init; }

    /// <summary>The address from getsockname(); null if there is no socket.</summary>
    public ListenAddress? Effective { get; init; }

    /// <summary>The socket's family.</summary>
    public SocketDomain Domain { get; init; }

    /// <summary>The socket's inode number, which identifies the socket.</summary>
    public ulong Inode { get; init; }

    /// <summary>Where the socket came from.</summary>
    public HandleOrigin Origin { get; init; }

    /// <summary>Whether a client of the broker put it.</summary>
    public bool IsGiven { get; init; }

    /// <summary>Whether it is a given socket on which listen() was not called.</summary>
    public bool IsIdle { get; init; }

    /// <summary>Whether O_NONBLOCK was set when this was written, by the daemon or by a worker; false if not known.</summary>
    public bool IsNonBlocking { get; init; }

    /// <summary>The failed call, if the listener has no socket; null if it has one.</summary>
    public SystemCallFailure? Failure { get; init; }

    /// <summary>Until when a failed bind is retried; null if it is not.</summary>
    public TimeSpan? GivesUp { get; init; }

    /// <summary>Device of the socket file that bind() made; null if there is none.</summary>
    public ulong? PathDevice { get; init; }

    /// <summary>Inode of the socket file; null if there is none.</summary>
    public ulong? PathInode { get; init; }

    /// <summary>The requested options and their results.</summary>
    public ImmutableArray<AskedEntry> Asked { get; init; } = [];

    /// <summary>The order and state of its shards; null if there are none, or if a predecessor did not record it.</summary>
    public ShardsEntry? Shards { get; init; }

    /// <summary><see cref="HandleHistory.Drifts"/>.</summary>
    public long Drifts { get; init; }

    /// <summary><see cref="HandleHistory.Repairs"/>.</summary>
    public long Repairs { get; init; }

    /// <summary>Whose its sockets are, if the kernel selects among them; null if it does not.</summary>
    public SteeringEntry? Steering { get; init; }

    /// <summary>
    /// Names of files of its former sockets that are still open; null if there are none. A daemon that is killed leaves them.
    /// </summary>
    public ImmutableArray<AsideEntry>? Aside { get; init; }

    /// <summary>The history.</summary>
    public required HistorySnapshot History { get; init; }
}

/// <summary>A name of a former socket's file.</summary>
/// <param name="Path">The name, with its directory.</param>
/// <param name="Device">The file's device.</param>
/// <param name="Inode">The file's inode: no other file with the name is removed.</param>
public sealed record AsideEntry(string Path, ulong Device, ulong Inode);

/// <summary>A requested socket option and its result.</summary>
/// <param name="Option">The option's C name.</param>
/// <param name="Requested">The requested value.</param>
/// <param name="Effective">The value as read back; null if it was not read.</param>
/// <param name="Verdict">The result of the comparison.</param>
public sealed record AskedEntry(string Option, OptionValue Requested, OptionValue? Effective, Verdict Verdict);

/// <summary>The shards of a listener, by inode number.</summary>
/// <param name="Places">Their order in the kernel's group; null if not known.</param>
/// <param name="Unchosen">Shards that get no new connections yet, because no worker serves them.</param>
/// <param name="Leaving">Shards that are draining; their sockets' key is <see cref="DescriptorKey.LeavingShard"/>.</param>
/// <param name="IsSteered">Whether a BPF program distributes connections among them.</param>
public sealed record ShardsEntry(
    ImmutableArray<ulong>? Places, ImmutableArray<ulong> Unchosen, ImmutableArray<LeavingEntry> Leaving, bool IsSteered);

/// <summary>A shard that is draining.</summary>
/// <param name="Shard">Its former number.</param>
/// <param name="Inode">Its inode number.</param>
public sealed record LeavingEntry(int Shard, ulong Inode);

/// <summary>The sockets of a steered listener. The descriptors of its program and maps have keys of their own.</summary>
/// <param name="Sockets">The sockets, the listener's own first.</param>
/// <param name="Past">What was given to generations, as far as their sockets no longer count it.</param>
/// <param name="RecordedBefore">How many flows were recorded for sockets that are closed.</param>
/// <param name="IsEnding">Whether the configuration has turned steering off.</param>
public sealed record SteeringEntry(
    ImmutableArray<SteeredEntry> Sockets, ImmutableArray<SelectedEntry> Past, long RecordedBefore, bool IsEnding);

/// <summary>A socket of a steered listener; its key is <see cref="DescriptorKey.Steered"/>, or that of the listener.</summary>
/// <param name="Slot">Its slot in the kernel.</param>
/// <param name="Inode">Its inode number.</param>
/// <param name="WorkerSlot">The slot of the worker that has or had it; -1 for none.</param>
/// <param name="Generation">The generation of that worker; 0 for none.</param>
/// <param name="SelectedBefore">What the kernel had counted for the slot before that generation.</param>
public sealed record SteeredEntry(int Slot, ulong Inode, int WorkerSlot, int Generation, long SelectedBefore);

/// <summary>What a generation was given.</summary>
/// <param name="Generation">The generation.</param>
/// <param name="Selected">Connections, or flows with affinity.</param>
public sealed record SelectedEntry(int Generation, long Selected);
