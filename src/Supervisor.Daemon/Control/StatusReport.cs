using Supervisor.Control;
using Supervisor.Core.State;
using Supervisor.Daemon.Model;
using Supervisor.Native;

namespace Supervisor.Daemon.Control;

/// <summary>The daemon's part of the document of <c>GET /v1/status</c>.</summary>
internal static class StatusReport
{
    /// <summary>The daemon now. On the loop.</summary>
    public static DaemonDocument Daemon(ControlContext daemon)
    {
        daemon.Listeners.RefreshFailures();
        var info = daemon.Info;
        return new DaemonDocument(
            Processes.CurrentPid, DaemonInfo.Version, info.StartedAt, info.Upgrades, info.Paths.Directory, info.ConfigFile)
        {
            IsUpgrading = daemon.Lifecycle.Succession == SuccessionPhase.ReExecuting,
            Stopping = daemon.Lifecycle.Stop is { } stop ? new StopDocument(stop.At, stop.At + stop.Delay) : null,
            AtRisk = daemon.AtRisk(),
            Config = Config(info.ConfigFile, daemon.Config.Origin),
        };
    }

    private static ConfigDocument Config(string? file, ConfigOrigin origin) => new(
        file, origin.Hash, origin.LoadedAt, Differs: false,
        origin.LastReload is { } last ? new ReloadOutcomeDocument(last.At, last.Outcome, last.Error) : null);
}
