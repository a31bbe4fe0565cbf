using Supervisor.Config.Diagnostics;
using Supervisor.Core.Services;

namespace Supervisor.Config.Validation;

/// <summary>
/// The settings of <c>liveness</c> and <c>recycle</c> have something to apply to, and <c>limits.memory_high</c> can be reached.
/// Otherwise a warning: the service works.
/// </summary>
internal static class HealthSettings
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config)
    {
        foreach (var service in config.Services)
        {
            if (service.Spec.Liveness is { Probe: null } liveness && liveness != new LivenessSpec())
            {
                yield return service.Diagnostic(
                    "liveness", "it has no probe, so that no worker is tested",
                    "write probe, such as probe = \"http:/healthz\", or remove liveness") with
                {
                    IsWarning = true,
                };
            }

            if (service.Spec.Recycle is { MaxAge.Ticks: 0, MaxMemory: 0 } recycle && recycle != new RecycleSpec())
            {
                yield return service.Diagnostic(
                    "recycle", "it has neither max_age nor max_memory, so that no worker is replaced",
                    "write max_age, such as max_age = \"24h\", or remove recycle") with
                {
                    IsWarning = true,
                };
            }

            if (service.Spec.Cgroup is { MemoryHigh: { } high, MemoryMax: { } max } && high >= max)
            {
                yield return service.Diagnostic(
                    "limits.memory_high", "the worker never reaches it, because the kernel kills the worker at limits.memory_max",
                    "write a size below limits.memory_max, or remove memory_high") with
                {
                    IsWarning = true,
                };
            }
        }
    }
}
