using Serilog;
using Supervisor.Config;
using Supervisor.Core.State;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Model;

namespace Supervisor.Daemon.Runtime;

/// <summary>The input of a start.</summary>
/// <param name="Config">The configuration to start with; a previous daemon's if there is one.</param>
/// <param name="Origin">When and from what it was loaded.</param>
/// <param name="Info">What the daemon was started as.</param>
/// <param name="Lock">The lock of the runtime directory. The caller owns it.</param>
/// <param name="Executable">What a re-execution executes.</param>
/// <param name="System">The operating system.</param>
/// <param name="Log">The log.</param>
/// <param name="LogsToJournal">Whether the log goes to the journal.</param>
/// <param name="FlushLog">Writes what was logged.</param>
internal sealed record StartRequest(
    ListendConfig Config, ConfigOrigin Origin, DaemonInfo Info, InstanceLock Lock, Executable Executable, IDaemonSystem System,
    ILogger Log, bool LogsToJournal, Action FlushLog);
