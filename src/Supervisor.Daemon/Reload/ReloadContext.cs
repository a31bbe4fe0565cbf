using Serilog;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Reload;

/// <summary>
/// The parts of the daemon that a reload reads and changes. On the loop, except for <see cref="Info"/> and
/// <see cref="ListenerTable.Given"/>.
/// </summary>
/// <param name="Loop">The loop.</param>
/// <param name="Info">The version, the command line and the paths of the daemon.</param>
/// <param name="Lifecycle">Whether it shuts down or is being replaced.</param>
/// <param name="Config">The configuration in force.</param>
/// <param name="Listeners">The listeners.</param>
/// <param name="Services">The services.</param>
/// <param name="Events">The event stream.</param>
/// <param name="Requests">Records who requested which change.</param>
/// <param name="Drift">Compares a listener with its socket.</param>
/// <param name="Factory">Creates and changes sockets.</param>
/// <param name="Conflicts">Listeners that wait for their address.</param>
/// <param name="StateChanged">Called when the state for a successor has changed.</param>
/// <param name="Log">The log.</param>
internal sealed record ReloadContext(
    EventLoop Loop,
    DaemonInfo Info,
    Lifecycle Lifecycle,
    ConfigInForce Config,
    ListenerTable Listeners,
    ServiceTable Services,
    EventLog Events,
    ChangeRequests Requests,
    DriftWatch Drift,
    ListenerFactory Factory,
    ConflictWatch Conflicts,
    Action StateChanged,
    ILogger Log);
