using Supervisor.Daemon.Model;

namespace Supervisor.Daemon.Continuity;

/// <summary>When no succession can begin, whichever way it is.</summary>
internal static class SuccessionRules
{
    /// <summary>The reason as text; null if a succession can begin.</summary>
    /// <param name="lifecycle">Whether the daemon shuts down or is being replaced already.</param>
    /// <param name="isReloading">Whether sockets or services of the previous configuration are still in use.</param>
    public static string? Refusal(Lifecycle lifecycle, bool isReloading) =>
        lifecycle.IsStopRequested ? "listend is shutting down"
        : lifecycle.Succession == SuccessionPhase.ReExecuting ? "an upgrade is in progress already"
        : lifecycle.Succession == SuccessionPhase.HandingOver ? "another listend is taking over"
        : isReloading ? "a reload is in progress: workers of the previous configuration are still draining; try again when they have exited"
        : null;
}
