using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Linux.Kernel;

namespace Supervisor.Daemon.Validation;

/// <summary>Rule: the kernel accepts the limits of a service. "infinity" is the highest that it accepts.</summary>
internal static class PossibleLimits
{
    private const string OpenFiles = "nofile";

    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config)
    {
        var limits = config.Draft.Services.SelectMany(
            service => service.Limits.Where(limit => limit.Name == OpenFiles).Select(limit => (Service: service, Limit: limit))).ToList();
        return limits.Count == 0 || Sysctl.ReadNumber("fs.nr_open") is not { } most
            ? []
            : limits.Where(pair => pair.Limit.Value > (ulong)most && !pair.Limit.IsInfinite()).Select(pair => config.Places.Diagnostic(
                "service", pair.Service.Name, $"limits.{OpenFiles}",
                $"{pair.Limit.Spelled()} is more than this kernel lets a process have (fs.nr_open is {most})",
                $"write {most} or less, or raise fs.nr_open first (sysctl fs.nr_open)"));
    }
}
