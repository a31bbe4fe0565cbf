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
///    Killed ── stop_timeout again ──▶ (abandoned)
///    any of them ── all its processes have ended ──▶ (removed)
/// </code>
/// When only its main process has ended, it is Draining or Stopping until the others have.
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

    /// <summary>
    /// Its processes were killed. Its deadline is stop_timeout once more; then the daemon continues without it.
    /// </summary>
    Killed,
}
