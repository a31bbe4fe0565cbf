using Supervisor.Core;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Sends signals to processes. A filter (seccomp(2)) of an older container runtime may refuse pidfd_send_signal(2), which is younger
/// than the filter. Then kill(2) sends the signal.
/// </summary>
internal static class SignalDelivery
{
    /// <summary>What lets the daemon signal workers of other users.</summary>
    public const string Remedy = "listend needs CAP_KILL for workers of another user; add it to CapabilityBoundingSet= and "
        + "AmbientCapabilities= of the unit, or run listend as root";

    /// <summary>
    /// Sends a stop signal, then SIGCONT, as systemd does (src/core/unit.c, unit_kill_context): a stopped process, whether by SIGSTOP or
    /// by its terminal, acts on its stop signal only when it continues. The result is that of the stop signal.
    /// </summary>
    public static SystemCallError? SendStop(DescriptorHandle pidfd, int pid, int signal)
    {
        if (Send(pidfd, pid, signal) is { } error)
        {
            return error;
        }

        Send(pidfd, pid, Signals.Continue);
        return null;
    }

    /// <summary>
    /// Sends a signal to the process behind <paramref name="pidfd"/>, whose id is <paramref name="pid"/>. Null if it was sent, or the
    /// process has exited.
    /// </summary>
    public static SystemCallError? Send(DescriptorHandle pidfd, int pid, int signal)
    {
        if (Processes.Signal(pidfd, signal) is not { } error || error.Name == "ESRCH")
        {
            return null;
        }

        if (error.Name is not ("EPERM" or "ENOSYS" or "EACCES"))
        {
            return error;
        }

        // The id is not reused while the process lives, and a dead one stays a zombie until the daemon reaps it.
        return Processes.HasExited(pidfd) || Processes.Kill(pid, signal) is not { } refused || refused.Name == "ESRCH" ? null : refused;
    }
}
