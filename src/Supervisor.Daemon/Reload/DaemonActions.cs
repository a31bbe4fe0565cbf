using Supervisor.Config.Settings;
using Supervisor.Core.Reload;

namespace Supervisor.Daemon.Reload;

/// <summary>What a reload does to the daemon itself.</summary>
internal static class DaemonActions
{
    /// <param name="before">The settings in force.</param>
    /// <param name="after">The settings of the new configuration.</param>
    /// <param name="directory">The runtime directory in force.</param>
    /// <param name="wantedDirectory">The runtime directory that a start would choose; null if the command line sets it, or
    /// without one.</param>
    public static IEnumerable<ReloadAction> Between(DaemonConfig before, DaemonConfig after, string directory, string? wantedDirectory)
    {
        if (wantedDirectory is not null && Path.GetFullPath(wantedDirectory) != directory)
        {
            yield return new RuntimeDirectoryKept(directory);
        }

        if (!before.TrustedOwners.SequenceEqual(after.TrustedOwners))
        {
            yield return new TrustedOwnersChanged(after.TrustedOwners);
        }

        if (before.ControlGroup != after.ControlGroup)
        {
            yield return new ControlGroupChanged(after.ControlGroup);
        }

        if (!before.Access.SequenceEqual(after.Access))
        {
            yield return new AccessChanged([.. after.Access.Select(rule => rule.Name)]);
        }

        if (before.StopDelay != after.StopDelay)
        {
            yield return new StopDelayChanged(after.StopDelay);
        }

        var changed = new List<string>();
        if (before.Metrics != after.Metrics)
        {
            changed.Add("metrics");
        }

        if (!before.MetricsHosts.SequenceEqual(after.MetricsHosts))
        {
            changed.Add("metrics_hosts");
        }

        if (changed.Count > 0)
        {
            yield return new MetricsChanged([.. changed], after.Metrics);
        }
    }
}
