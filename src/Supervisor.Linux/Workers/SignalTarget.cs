using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Workers;

/// <summary>A worker that a client's signal is meant for.</summary>
/// <param name="WorkerId">The worker's number within the service.</param>
/// <param name="Pid">Its main process when the client asked.</param>
/// <param name="Name">Its name in texts.</param>
public sealed record SignalTarget(int WorkerId, int Pid, string Name)
{
    /// <summary>
    /// Whether the signal does not take its default action; null if that is unknown, because the process has exited or is hidden.
    /// Reads /proc: not on the loop.
    /// </summary>
    public bool? Handles(int signal) => ProcFile.SignalsOf(Pid)?.Handles(signal);
}
