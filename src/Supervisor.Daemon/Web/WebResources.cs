using Supervisor.Daemon.Control;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Kernel;

namespace Supervisor.Daemon.Web;

/// <summary>What <c>daemon.metrics</c> serves.</summary>
/// <param name="Samples">Reads the metrics. Any thread except the loop's.</param>
/// <param name="Readiness">Reads why clients should be sent elsewhere, at most five times a second. Any thread except the loop's.</param>
/// <param name="Live">What the web page shows.</param>
internal sealed record WebResources(Func<Task<MetricSamples>> Samples, Func<Task<string[]>> Readiness, LiveSources Live);

/// <summary>
/// The parts of the daemon that the web page shows. All but <see cref="Loop"/>, <see cref="Info"/>, <see cref="Files"/> and
/// <see cref="Events"/> is used on the loop only.
/// </summary>
/// <param name="Loop">The loop.</param>
/// <param name="Info">The daemon's version and start.</param>
/// <param name="Lifecycle">Whether it is being replaced.</param>
/// <param name="Config">The configuration in force.</param>
/// <param name="Files">Whether its files have changed.</param>
/// <param name="Listeners">The listeners.</param>
/// <param name="Services">The services.</param>
/// <param name="Overflows">Notices what the kernel drops.</param>
/// <param name="Events">The event stream.</param>
internal sealed record LiveSources(
    EventLoop Loop, DaemonInfo Info, Lifecycle Lifecycle, ConfigInForce Config, ConfigFileCheck Files, ListenerTable Listeners,
    ServiceTable Services, OverflowWatch Overflows, EventLog Events);
