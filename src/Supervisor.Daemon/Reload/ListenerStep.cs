using Supervisor.Core.Listeners;
using Supervisor.Core.Reload;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Reload;

/// <summary>The step of a reload for one listener, with its handles.</summary>
/// <param name="Planned">The plan.</param>
/// <param name="Handle">The existing handle; null for a new listener.</param>
/// <param name="Bridge">Open sockets that share their address with the new socket for a while.</param>
internal sealed record ListenerStep(PlannedListener Planned, ListenerHandle? Handle, IReadOnlyList<ListenerHandle> Bridge)
{
    /// <summary>What changes.</summary>
    public ListenerDiff Diff => Planned.Diff;

    /// <summary>How the listener gets another socket.</summary>
    public ListenerMove Move => Planned.Move;

    /// <summary>The address that is bound.</summary>
    public ListenAddress At => Planned.At;
}
