using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Plan;

namespace Supervisor.Core.Reload;

/// <summary>A listener that the daemon has, as a reload needs to know it.</summary>
/// <param name="Spec">What was last asked for.</param>
/// <param name="Domain">The family of its socket.</param>
public sealed record RunningListener(ListenerSpec Spec, SocketDomain Domain)
{
    /// <summary>Whether it has a socket: not where bind has failed.</summary>
    public bool HasSocket { get; init; } = true;

    /// <summary>The address of the socket; null where there is none.</summary>
    public ListenAddress? Effective { get; init; }

    /// <summary>The inode of the first socket; 0 without one.</summary>
    public ulong Inode { get; init; }

    /// <summary>The number of sockets.</summary>
    public int Sockets { get; init; } = 1;

    /// <summary>The name of the errno for which it has no socket; null where it has one.</summary>
    public string? Failure { get; init; }

    /// <summary>Why the kernel cannot be told which of several sockets gets a new connection; null where it can. Asked only where the number of sockets changes.</summary>
    public Func<string?> NotSteered { get; init; } = static () => null;

    /// <summary>The address that is bound, or else the address that is asked for.</summary>
    public ListenAddress Address => Effective ?? Spec.Address;
}
