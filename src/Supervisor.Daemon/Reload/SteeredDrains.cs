using Supervisor.Core.Services;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Reload;

/// <summary>
/// Holds back the stop signal of a worker whose socket of a steered listener gets nothing new, until the worker has served what waits
/// there, and with affinity until its flows are idle. On the loop.
/// </summary>
internal sealed class SteeredDrains(ReloadContext daemon)
{
    /// <summary>
    /// Sends the signal later. False if there is nothing to wait for: the service stops, or no other worker gets new connections.
    /// </summary>
    public bool Holds(ServiceRunner runner, WorkerState worker, Action ask)
    {
        var own = runner.Steering.Of(worker).Where(one => IsLeft(one.Handle, one.Socket)).ToArray();
        if (own.Length == 0 || !runner.State.IsStarted)
        {
            return false;
        }

        _ = new SteeredDrain(daemon, runner, worker, own, ask);
        return true;
    }

    /// <summary>Whether the kernel gives new connections to other sockets only.</summary>
    private static bool IsLeft(ListenerHandle handle, ListenerSocket socket) =>
        handle.Steering is { Targets: { Count: > 0 } targets } && !targets.Any(target => target.Slot == socket.Shard);
}
