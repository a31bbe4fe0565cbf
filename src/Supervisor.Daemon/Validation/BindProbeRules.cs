using Supervisor.Config;
using Supervisor.Control;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Daemon.Control;
using Supervisor.Daemon.Runtime;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Validation;

/// <summary>
/// Whether the listeners of a configuration could be made now: against each other by the model, against what runs by
/// asking the kernel. Changes nothing, and leaves no file. What the daemon of the same runtime directory holds is no
/// obstacle: it would go on to hold it.
/// </summary>
internal static class BindProbeRules
{
    /// <summary>Each listener of what could be read that has no room, and the address of the metrics, with the place where it stands.</summary>
    public static IEnumerable<FailureDocument> Check(ConfigResult result)
    {
        var config = result.Readable;
        var listeners = MetricsServer.Listener(config.Daemon.Metrics) is { } metrics ? config.Listeners.Add(metrics) : config.Listeners;
        var duplicates = ConfigConflicts.Find(listeners, name => NetworkInterfaces.Index(name) ?? 0).ToDictionary(pair => pair.Spec.Name, pair => pair.Other, StringComparer.Ordinal);
        var directory = config.Daemon.RuntimeDirectory ?? RuntimePaths.Default(Processes.EffectiveUid == 0)?.Directory;
        var daemon = directory is not null && LockHolder.Of(new RuntimePaths(directory).LockFile) is { Lives: true } running ? running.Pid : null;
        var budget = new EvidenceBudget(TimeProvider.System, EvidenceBudget.OfCommand);
        foreach (var spec in listeners)
        {
            if (duplicates.TryGetValue(spec.Name, out var other))
            {
                var duplicate = BindFailureClassifier.DuplicateInConfig(spec, other).ToDocument();
                yield return Documents.Placed(
                    spec.Name == MetricsServer.Setting ? duplicate with { Advice = $"give {MetricsServer.Setting} another address or port, or none: GET /metrics is on the control socket too" } : duplicate,
                    spec.Name,
                    result.Places);
                continue;
            }

            var services = config.Services.Where(service => service.Listeners.Contains(spec.Name)).Select(service => service.Name);
            var diagnosis = BindDiagnostics.Ask(spec, LeftoverHolders.Of(services), budget);
            if (!diagnosis.Bindable && !IsTheDaemons(diagnosis, daemon) && !(diagnosis.Cause == BindCause.StaleUnixPath && spec.Unix.RemoveStale))
            {
                yield return Documents.Placed(diagnosis.ToDocument(), spec.Name, result.Places);
            }
        }
    }

    private static bool IsTheDaemons(BindDiagnosis diagnosis, int? daemon) =>
        daemon is { } pid && !diagnosis.Holders.IsEmpty && diagnosis.Holders.All(holder => holder.Processes.Any(process => process.Pid == pid));
}
