using Supervisor.Control;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Control;

/// <summary>
/// What the control interface sees of the daemon. All but <see cref="Loop"/> and <see cref="Info"/> is used on the loop only.
/// </summary>
/// <param name="Loop">The loop.</param>
/// <param name="Info">What the daemon was started as.</param>
/// <param name="Lifecycle">Whether it shuts down or is being replaced.</param>
/// <param name="Listeners">The listeners.</param>
/// <param name="Services">The services.</param>
/// <param name="Events">What has happened.</param>
/// <param name="Drift">Compares a listener with its socket.</param>
/// <param name="AtRisk">What would be lost if the daemon died now, for people; null where nothing would.</param>
internal sealed record ControlContext(
    EventLoop Loop,
    DaemonInfo Info,
    Lifecycle Lifecycle,
    ListenerTable Listeners,
    ServiceTable Services,
    EventLog Events,
    DriftWatch Drift,
    Func<string?> AtRisk);

/// <summary>What the control interface can have the daemon do as a whole.</summary>
/// <param name="ReloadAsync">Reloads the configuration, or with true only plans it. Reads files: any thread but the loop's.</param>
/// <param name="BeginUpgradeAsync">Begins to re-execute the daemon; gives the new version, or the reason why not. On the loop.</param>
internal sealed record ControlVerbs(Func<bool, Task<ReloadDocument>> ReloadAsync, Func<Task<(string? Version, string? Refusal)>> BeginUpgradeAsync);
