using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Core.Services;
using Supervisor.Linux.Cgroups;

namespace Supervisor.Daemon.Validation;

/// <summary>Rule: the kernel offers the controllers that limits of workers need. A service runs without a limit that cannot be.</summary>
internal static class PossibleCgroupLimits
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) =>
        from service in config.Readable.Services
        from limit in CgroupLimits.All
        where limit.Spelled(service.Cgroup) is not null
        let refusal = LimitedCgroups.RefusalOfHost(limit.Controller)
        where refusal is not null
        select config.Places.Diagnostic(
            "service", service.Name, limit.Setting, $"the limit will not be in force here: {refusal}",
            "provide cgroups of version 2 with this controller, or remove the limit") with
        { IsWarning = true };
}
