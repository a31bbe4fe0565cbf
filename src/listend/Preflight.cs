using Supervisor.Config;
using Supervisor.Control;
using Supervisor.Core.Listeners;
using Supervisor.Daemon.Control;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Daemon;

/// <summary>
/// Whether the listeners of a configuration could be made now: against each other by the model, against what runs by
/// asking the kernel. Changes nothing, and leaves no file. What the daemon of the same runtime directory holds is no
/// obstacle: it would go on to hold it.
/// </summary>
internal static class Preflight
{
    public static IEnumerable<FailureDocument> Check(ListendConfig config)
    {
        var duplicates = ConfigConflicts.Find(config.Listeners, name => NetworkInterfaces.Index(name) ?? 0).ToDictionary(pair => pair.Spec.Name, pair => pair.Other, StringComparer.Ordinal);
        var directory = config.Daemon.RuntimeDirectory ?? RuntimePaths.Default(Processes.EffectiveUid == 0)?.Directory;
        var daemon = directory is not null && Incumbent.Of(new RuntimePaths(directory).LockFile) is { Lives: true } running ? running.Pid : null;
        foreach (var spec in config.Listeners)
        {
            if (duplicates.TryGetValue(spec.Name, out var other))
            {
                yield return Documents.Failure(BindFailureClassifier.DuplicateInConfig(spec, other));
                continue;
            }

            var services = config.Services.Where(service => service.Listeners.Contains(spec.Name)).Select(service => service.Name);
            var diagnosis = BindDiagnostics.Ask(spec, Predecessors.Of(services));
            if (!diagnosis.Bindable && !IsTheDaemons(diagnosis, daemon) && !(diagnosis.Cause == BindCause.StaleUnixPath && spec.Unix.RemoveStale))
            {
                yield return Documents.Failure(diagnosis);
            }
        }
    }

    private static bool IsTheDaemons(BindDiagnosis diagnosis, int? daemon) =>
        daemon is { } pid && !diagnosis.Holders.IsEmpty && diagnosis.Holders.All(holder => holder.Processes.Any(process => process.Pid == pid));
}
