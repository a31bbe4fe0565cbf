using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Control;

/// <summary>
/// The parts of the daemon that the control interface uses. All but <see cref="Loop"/>, <see cref="Info"/>, <see cref="Files"/> and
/// <see cref="Metrics"/> is used on the loop only.
/// </summary>
/// <param name="Loop">The loop.</param>
/// <param name="Info">The version, the command line and the paths of the daemon.</param>
/// <param name="Lifecycle">Whether it shuts down or is being replaced.</param>
/// <param name="Listeners">The listeners.</param>
/// <param name="Services">The services.</param>
/// <param name="Events">The event stream.</param>
/// <param name="Requests">Records who requested which change.</param>
/// <param name="Config">The configuration in force.</param>
/// <param name="Files">Whether its files have changed. Any thread.</param>
/// <param name="Metrics">Reads the metrics. Any thread but the loop's.</param>
/// <param name="Drift">Compares a listener with its socket.</param>
/// <param name="Overflows">Notices what the kernel drops at listeners.</param>
/// <param name="AtRisk">What would be lost if the daemon died now, as text; null if nothing would.</param>
internal sealed record ControlContext(
    EventLoop Loop,
    DaemonInfo Info,
    Lifecycle Lifecycle,
    ListenerTable Listeners,
    ServiceTable Services,
    EventLog Events,
    ChangeRequests Requests,
    ConfigInForce Config,
    ConfigFileCheck Files,
    Metrics Metrics,
    DriftWatch Drift,
    OverflowWatch Overflows,
    Func<string?> AtRisk);

/// <summary>The changes of the whole daemon that a client can request.</summary>
/// <param name="ReloadAsync">Reloads the configuration, or with true only plans it, for a requester, and calls the action on the loop when
/// it was applied. Reads files: any thread but the loop's.</param>
/// <param name="BeginUpgradeAsync">Begins to re-execute the daemon; returns the new version, or the reason of the refusal.
/// On the loop.</param>
internal sealed record ControlVerbs(
    Func<bool, Requester, Action<ReloadDocument>?, Task<ReloadDocument>> ReloadAsync,
    Func<Task<(string? Version, string? Refusal)>> BeginUpgradeAsync);
