using System.Text.Json.Serialization;

namespace Supervisor.Core.Services;

/// <summary>
/// Where a worker is in its life:
/// <code>
///            Ready                Stop, or it says so itself
/// Starting ─────────▶ Ready ─────────────────────────▶ Draining
///    │ Stop, start_timeout │ watchdog                     │ stop_timeout
///    ▼                     ▼  stop_timeout                ▼
/// Stopping ◀───────────────┘ ────────────────────────▶ Killed
///    any of them ── its process ends ──▶ (removed)
/// </code>
/// </summary>
[JsonConverter(typeof(JsonStringEnumConverter<WorkerPhase>))]
public enum WorkerPhase
{
    /// <summary>Spawned, not ready yet; its deadline is start_timeout.</summary>
    Starting,

    /// <summary>Serves; its deadline is rollout.settle, after which it has none. Its watchdog runs.</summary>
    Ready,

    /// <summary>Was ready and finishes its connections; its deadline is stop_timeout.</summary>
    Draining,

    /// <summary>Was never ready and got its stop signal, or hung and got SIGABRT; its deadline is stop_timeout.</summary>
    Stopping,

    /// <summary>SIGKILL was sent to its whole session.</summary>
    Killed,
}
