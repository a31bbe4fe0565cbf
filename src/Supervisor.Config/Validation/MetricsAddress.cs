using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Core.Listeners.Conflicts;

namespace Supervisor.Config.Validation;

/// <summary>No listener has the address of the metrics. Only <c>check</c> applies this rule: a daemon starts without its metrics.</summary>
internal static class MetricsAddress
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config)
    {
        if (config.Draft.Daemon.MetricsListener is not { } metrics)
        {
            yield break;
        }

        foreach (var other in config.Readable.Listeners)
        {
            if (!ConfigConflicts.Find([other, metrics], DuplicateListeners.Devices()).Any())
            {
                continue;
            }

            var diagnosis = BindFailureClassifier.DuplicateInConfig(metrics, other) with
            {
                Advice = $"give {DaemonConfig.MetricsSetting} another address or port, "
                    + "or remove it: the control socket serves GET /metrics too",
            };
            yield return config.Places.Diagnostic("daemon", null, "metrics", diagnosis.Verdict, diagnosis.Advice) with
            {
                Bind = new BindFailure(metrics.Name, diagnosis),
            };
            yield break;
        }
    }
}
