using System.Collections.Immutable;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>An existing socket, as far as this process can see it.</summary>
public sealed record SocketHolder
{
    /// <summary>Its local address, with the scheme.</summary>
    public required string Address { get; init; }

    /// <summary>
    /// The input of the conflict rules; null for a UNIX or vsock socket. Flags that cannot be seen are false: see
    /// <see cref="FlagsKnown"/>.
    /// </summary>
    public BoundSocket? Socket { get; init; }

    /// <summary>Its state.</summary>
    public required BoundState State { get; init; }

    /// <summary>The state's name in sock_diag and ss: listen, bound, established, time-wait, close-wait...</summary>
    public required string StateName { get; init; }

    /// <summary>The other end of a connection; null without one.</summary>
    public string? Peer { get; init; }

    /// <summary>The socket's inode number; 0 if no process has it any more.</summary>
    public ulong Inode { get; init; }

    /// <summary>Its owner.</summary>
    public uint Uid { get; init; }

    /// <summary>The name of the interface that it is bound to; null for none.</summary>
    public string? Device { get; init; }

    /// <summary>Whether SO_REUSEADDR and SO_REUSEPORT in <see cref="Socket"/> were read or found by a trial bind.</summary>
    public bool FlagsKnown { get; init; }

    /// <summary>TIME_WAIT: when it ends.</summary>
    public TimeSpan? Expires { get; init; }

    /// <summary>The name of the listener, if a listend holds it as one; null if not, or if that daemon did not say so.</summary>
    public string? Listener { get; init; }

    /// <summary>The services of that listend which use the listener.</summary>
    public ImmutableArray<string> Services { get; init; } = [];

    /// <summary>The processes that hold it, as far as they can be seen.</summary>
    public ImmutableArray<HolderProcess> Processes { get; init; } = [];
}
