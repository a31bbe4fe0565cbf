using Supervisor.Control;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Native;

namespace Supervisor.Daemon.Control;

/// <summary>The document of <c>GET /v1/status</c>.</summary>
internal static class StatusReport
{
    /// <summary>The current document, without the fields that other threads fill in. On the loop.</summary>
    public static StatusDocument Of(ControlContext daemon)
    {
        daemon.Listeners.RefreshFailures();
        var info = daemon.Info;
        var self = new DaemonDocument(
            Processes.CurrentPid, DaemonInfo.Version, info.StartedAt, info.Upgrades, info.Paths.Directory, info.ConfigFile)
        {
            IsUpgrading = daemon.Lifecycle.Succession == SuccessionPhase.ReExecuting,
            AtRisk = daemon.AtRisk(),
        };
        var (now, wall) = (daemon.Loop.Now, daemon.Loop.Time.GetUtcNow());
        return new StatusDocument(self, [.. daemon.Services.Select(runner => ServiceDocuments.Service(runner, now, wall))]);
    }
}
