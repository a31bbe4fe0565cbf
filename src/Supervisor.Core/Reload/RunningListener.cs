using System.Collections.Immutable;
using Supervisor.Core.Listeners;

namespace Supervisor.Core.Reload;

/// <summary>A listener of the daemon, as a reload sees it.</summary>
/// <param name="Spec">The present specification.</param>
/// <param name="Domain">The family of its socket.</param>
public sealed record RunningListener(ListenerSpec Spec, SocketDomain Domain)
{
    /// <summary>Whether it has a socket: not if bind failed.</summary>
    public bool HasSocket { get; init; } = true;

    /// <summary>The address of the socket; null if there is none.</summary>
    public ListenAddress? Effective { get; init; }

    /// <summary>The inode of the first socket; 0 without one.</summary>
    public ulong Inode { get; init; }

    /// <summary>The number of sockets.</summary>
    public int Sockets { get; init; } = 1;

    /// <summary>Whether the kernel selects among the sockets of its workers.</summary>
    public bool IsSteered { get; init; }

    /// <summary>The name of the errno for which it has no socket; null if it has one.</summary>
    public string? Failure { get; init; }

    /// <summary>What a reload mends on the open socket, although no setting has changed.</summary>
    public ImmutableArray<ListenerMend> Mends { get; init; } = [];

    /// <summary>
    /// Why the kernel cannot select among several sockets; null if it can. Read only if the number of sockets changes.
    /// </summary>
    public Func<string?> NotSteered { get; init; } = static () => null;

    /// <summary>
    /// Whether its socket stays open for workers when another socket replaces it. Read only if another socket does.
    /// </summary>
    public Func<bool> StaysOpen { get; init; } = static () => true;

    /// <summary>The address that is bound, or else the address that is asked for.</summary>
    public ListenAddress Address => Effective ?? Spec.Address;
}
