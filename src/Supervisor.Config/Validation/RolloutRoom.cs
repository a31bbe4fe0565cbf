using Supervisor.Config.Diagnostics;
using Supervisor.Core.Services;

namespace Supervisor.Config.Validation;

/// <summary>A rolling roll-out can replace a worker: it may start an additional worker, or stop one first.</summary>
internal static class RolloutRoom
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) =>
        from service in config.Services
        where service.Spec.Rollout is { Strategy: RolloutStrategy.Rolling, MaxSurge: 0, MaxUnavailable: 0 }
        select service.Diagnostic(
            "rollout.max_surge",
            "with max_surge 0 and max_unavailable 0 no worker can be replaced: no additional worker may start, and none may be missing",
            "write max_surge = 1; or write max_unavailable = 1 or strategy = \"stop-first\", which stop the old worker first");
}
