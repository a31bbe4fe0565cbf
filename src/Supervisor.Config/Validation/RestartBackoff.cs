using Supervisor.Config.Diagnostics;
using Supervisor.Core;

namespace Supervisor.Config.Validation;

/// <summary>The first wait between two starts is not longer than the maximum.</summary>
internal static class RestartBackoff
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) =>
        from service in config.Services
        let restart = service.Spec.Restart
        where restart.Backoff > restart.BackoffMax
        select service.Diagnostic(
            service.Given.ContainsKey("restart.backoff") ? "restart.backoff" : "restart.backoff_max",
            $"backoff \"{Duration.Format(restart.Backoff)}\" is longer than backoff_max \"{Duration.Format(restart.BackoffMax)}\"",
            "write a backoff that is not longer than backoff_max");
}
