using System.Collections.Immutable;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.State;

/// <summary>A listener in the manifest; its socket travels as <see cref="DescriptorKey.Listener"/>.</summary>
public sealed record ListenerEntry
{
    /// <summary>What was asked for.</summary>
    public required ListenerSpec Spec { get; init; }

    /// <summary>The address from getsockname(); null where there is no socket.</summary>
    public ListenAddress? Effective { get; init; }

    /// <summary>The socket's family.</summary>
    public SocketDomain Domain { get; init; }

    /// <summary>The socket's inode number: which socket it is, whoever brings it.</summary>
    public ulong Inode { get; init; }

    /// <summary>Where it came from.</summary>
    public HandleOrigin Origin { get; init; }

    /// <summary>Whether a client of the broker put it.</summary>
    public bool IsGiven { get; init; }

    /// <summary>Whether it is a given socket that nobody has called listen() on.</summary>
    public bool IsIdle { get; init; }

    /// <summary>Whether O_NONBLOCK was set when this was written, by the daemon or by a worker; false where that is not known.</summary>
    public bool IsNonBlocking { get; init; }

    /// <summary>The refused call that left it without a socket; null where it has one.</summary>
    public SystemCallFailure? Failure { get; init; }

    /// <summary>Until when a refused bind is retried; null where it is not.</summary>
    public TimeSpan? GivesUp { get; init; }

    /// <summary>Device of the socket file that bind() made; null where there is none.</summary>
    public ulong? PathDevice { get; init; }

    /// <summary>Inode of that file.</summary>
    public ulong? PathInode { get; init; }

    /// <summary>What was asked of each option, and what came of it.</summary>
    public ImmutableArray<AskedEntry> Asked { get; init; } = [];

    /// <summary>How its shards stand to each other; null where there are none, or a predecessor did not say.</summary>
    public ShardsEntry? Shards { get; init; }

    /// <summary>The history.</summary>
    public required HistorySnapshot History { get; init; }
}

/// <summary>What was asked of a socket option, and what came of it.</summary>
/// <param name="Option">The kernel's name.</param>
/// <param name="Requested">As asked for.</param>
/// <param name="Effective">As read back.</param>
/// <param name="Verdict">How the two compare.</param>
public sealed record AskedEntry(string Option, OptionValue Requested, OptionValue? Effective, Verdict Verdict);

/// <summary>The shards of a listener, by inode numbers.</summary>
/// <param name="Places">Their order in the kernel's group; null where it is not known.</param>
/// <param name="Unchosen">Those that get no new connections yet, since nobody serves them.</param>
/// <param name="Leaving">Those that are on their way out; their sockets travel as <see cref="DescriptorKey.LeavingShard"/>.</param>
/// <param name="IsSteered">Whether a program chooses between them.</param>
public sealed record ShardsEntry(ImmutableArray<ulong>? Places, ImmutableArray<ulong> Unchosen, ImmutableArray<LeavingEntry> Leaving, bool IsSteered);

/// <summary>A shard that is on its way out.</summary>
/// <param name="Shard">The number that it had.</param>
/// <param name="Inode">Its inode number.</param>
public sealed record LeavingEntry(int Shard, ulong Inode);
