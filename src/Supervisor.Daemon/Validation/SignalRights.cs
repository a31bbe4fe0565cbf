using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Validation;

/// <summary>
/// Rule: this process may signal and watch the workers of a service. Only a warning, because the daemon may have other rights than the process
/// that checks.
/// </summary>
internal static class SignalRights
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) =>
        config.Readable.Services.SelectMany(service => Faults(service).Select(fault => config.Places.Diagnostic(
            "service", service.Name, fault.Setting, fault.Message, fault.Remedy) with
        { IsWarning = true }));

    private static IEnumerable<(string Setting, string Message, string Remedy)> Faults(ServiceSpec service)
    {
        if (service.User is { } user && UserDatabase.FindUser(user)?.Uid is { } uid && uid != Processes.EffectiveUid
            && !OwnRights.MaySignalAll)
        {
            yield return ("user",
                $"workers of \"{user}\" cannot be signalled: this process lacks CAP_KILL, so stop_signal and SIGKILL fail with EPERM",
                "run listend as root or add CAP_KILL to CapabilityBoundingSet= and AmbientCapabilities= of the unit");
        }

        using var self = Processes.OpenPidfd(Processes.CurrentPid, out var unopened);
        if (self is null && unopened.Name is "ENOSYS" or "EPERM")
        {
            yield return ("command",
                $"pidfd_open(2) is refused here ({unopened.Name}): if listend is killed, its successor cannot watch the workers; it starts "
                + "others, and the former ones stay until somebody ends them",
                "permit pidfd_open in the seccomp filter (SystemCallFilter=, or the container runtime's profile), or use Linux 5.3");
        }

        if (self is not null && Processes.Signal(self, 0) is { } refusal)
        {
            yield return ("stop_signal",
                $"pidfd_send_signal(2) is refused here ({refusal.Name}): listend falls back to kill(2)",
                "permit pidfd_send_signal in the seccomp filter (SystemCallFilter=, or the container runtime's profile)");
        }
    }
}
