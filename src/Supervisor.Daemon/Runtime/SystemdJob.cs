using Supervisor.Linux.Continuity;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Daemon.Runtime;

/// <summary>
/// Whether a SIGTERM from systemd is a stop or part of a restart: the signal is the same, only the unit's job type differs
/// (org.freedesktop.systemd1(5), Job.JobType). systemctl reads it, which is installed where systemd is.
/// </summary>
internal static class SystemdJob
{
    private static readonly string[] Programs = ["/usr/bin/systemctl", "/bin/systemctl"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Calls <paramref name="onKnown"/> on the loop with whether it is a restart; without an answer it is a stop.</summary>
    public static void AskIfRestart(EventLoop loop, OrphanReaper? orphans, Action<bool> onKnown)
    {
        if (Unit() is not { } unit || Programs.FirstOrDefault(AccessCheck.IsExecutable) is not { } program)
        {
            onKnown(false);
            return;
        }

        string[] manager = unit.IsUser ? ["--user"] : [];
        UpgradePreflight.Run(
            loop, orphans, program, ["systemctl", .. manager, "list-jobs", "--no-legend", "--plain", "--full", unit.Name],
            Succession.EnvironmentWithout(name => name is "NOTIFY_SOCKET"), [], Patience,
            result => onKnown(result.Failure is null && IsRestart(result.Output, unit.Name)));
    }

    /// <summary>Lines of "JOB UNIT TYPE STATE".</summary>
    internal static bool IsRestart(string jobs, string unit) => jobs.Split('\n')
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Any(fields => fields.Length >= 3 && fields[1] == unit && fields[2] is "restart" or "try-restart");

    /// <summary>The unit of this process, from its cgroup.</summary>
    private static (string Name, bool IsUser)? Unit()
    {
        try
        {
            var path = File.ReadAllText("/proc/self/cgroup").Split('\n')
                .Select(line => line.Split(':', 3)).LastOrDefault(fields => fields.Length == 3)?[2];
            var name = path?.Split('/').LastOrDefault(part => part.EndsWith(".service", StringComparison.Ordinal));
            return name is null ? null : (name, path!.Contains("/user@", StringComparison.Ordinal));
        }
        catch (IOException)
        {
            return null;
        }
    }
}
