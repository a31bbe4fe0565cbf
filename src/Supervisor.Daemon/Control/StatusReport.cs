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
        return Daemon(daemon.Info, daemon.Lifecycle, daemon.Config.Origin) with
        {
            AtRisk = daemon.AtRisk(),
            Memory = new DaemonMemoryDocument(GC.GetTotalMemory(forceFullCollection: false), GC.GetTotalAllocatedBytes()),
        };
    }

    /// <summary>The same without its memory, and without what would be lost if it died now.</summary>
    public static DaemonDocument Daemon(DaemonInfo info, Lifecycle lifecycle, ConfigOrigin origin) => new(
        Processes.CurrentPid, DaemonInfo.Version, info.StartedAt, info.Upgrades, info.Paths.Directory, info.ConfigFile)
    {
        IsUpgrading = lifecycle.Succession == SuccessionPhase.ReExecuting,
        Stopping = lifecycle.Stop is { } stop ? new StopDocument(stop.At, stop.At + stop.Delay) : null,
        Config = Config(info.ConfigFile, origin),
    };

    private static ConfigDocument Config(string? file, ConfigOrigin origin) => new(
        file, origin.Hash, origin.LoadedAt, Differs: false,
        origin.LastReload is { } last ? new ReloadOutcomeDocument(last.At, last.Outcome, last.Error) : null);
}
