using Supervisor.Core.Services;
using Supervisor.Native;

namespace Supervisor.Linux.Cgroups;

/// <summary>The limits that a worker was spawned with.</summary>
/// <param name="Controllers">The controllers of its cgroup.</param>
/// <param name="InForce">The limits in force.</param>
/// <param name="Refused">Why others are not.</param>
internal sealed record SetLimits(
    CgroupController Controllers, CgroupLimits InForce, IReadOnlyList<KeyValuePair<CgroupLimit, LimitRefusal>> Refused)
{
    private static readonly SetLimits Nothing = new(CgroupController.None, new CgroupLimits(), []);

    /// <summary>Sets the limits of a new cgroup, as far as its controllers are enabled.</summary>
    /// <param name="directory">The cgroup; null if the worker has none.</param>
    /// <param name="wanted">The limits.</param>
    /// <param name="cgroups">Why controllers are not enabled; null if none can be.</param>
    /// <param name="unmade">Why a cgroup with controllers could not be made; null if it could, or was not tried.</param>
    public static SetLimits Of(string? directory, CgroupLimits wanted, LimitedCgroups? cgroups, SystemCallError? unmade)
    {
        var controllers = directory is not null && Path.GetDirectoryName(directory) == cgroups?.Tree?.Directory
            ? cgroups!.Enabled
            : CgroupController.None;
        if (wanted.IsEmpty)
        {
            return Nothing with { Controllers = controllers };
        }

        List<KeyValuePair<CgroupLimit, LimitRefusal>> refused =
        [
            .. CgroupLimits.All.Where(limit => limit.Spelled(wanted) is not null && !controllers.HasFlag(limit.Controller))
                .Select(limit => KeyValuePair.Create(limit, cgroups?.RefusalOf(limit.Controller)
                    ?? new LimitRefusal(
                        unmade?.Name ?? "ENOENT",
                        $"the worker has no cgroup with controllers{(unmade is { } error ? ": " + CgroupControllers.Cause(error) : "")}"))),
        ];
        if (controllers == CgroupController.None)
        {
            return Nothing with { Refused = refused };
        }

        var (inForce, failed) = CgroupLimitFiles.Apply(directory!, new CgroupLimits(), wanted.Only(controllers));
        return new SetLimits(controllers, inForce, [.. refused, .. failed]);
    }
}
