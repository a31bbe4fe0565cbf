using Supervisor.Control;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Control;

/// <summary>
/// The parts of the daemon that the control interface uses. All but <see cref="Loop"/> and <see cref="Info"/> is used on the loop only.
/// </summary>
/// <param name="Loop">The loop.</param>
/// <param name="Info">The version, the command line and the paths of the daemon.</param>
/// <param name="Lifecycle">Whether it shuts down or is being replaced.</param>
/// <param name="Listeners">The listeners.</param>
/// <param name="Services">The services.</param>
/// <param name="Events">The event stream.</param>
/// <param name="Drift">Compares a listener with its socket.</param>
/// <param name="AtRisk">What would be lost if the daemon died now, as text; null if nothing would.</param>
internal sealed record ControlContext(
    EventLoop Loop,
    DaemonInfo Info,
    Lifecycle Lifecycle,
    ListenerTable Listeners,
    ServiceTable Services,
    EventLog Events,
    DriftWatch Drift,
    Func<string?> AtRisk);

/// <summary>The changes of the whole daemon that a client can request.</summary>
/// <param name="ReloadAsync">Reloads the configuration, or with true only plans it. Reads files: any thread but the loop's.</param>
/// <param name="BeginUpgradeAsync">Begins to re-execute the daemon; returns the new version, or the reason of the refusal.
/// On the loop.</param>
internal sealed record ControlVerbs(
    Func<bool, Task<ReloadDocument>> ReloadAsync, Func<Task<(string? Version, string? Refusal)>> BeginUpgradeAsync);
