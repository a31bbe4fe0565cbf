using Supervisor.Core.Listeners;
using Supervisor.Core.Reload;

namespace Supervisor.Daemon.Reload;

/// <summary>Which of two sockets of one address gets the new connections.</summary>
internal static class SocketSteering
{
    /// <summary>Whether the kernel can be told: not yet.</summary>
    public static bool CanSteer(ListenerStep step) => false && step.Move is ListenerMove.Beside or ListenerMove.Bridge && step.At.Kind.Listens();
}
