using Supervisor.Core.Services;
using Supervisor.Native;

namespace Supervisor.Linux.Cgroups;

/// <summary>
/// A cgroup that has no process of its own, so that controllers can be enabled for the workers' cgroups below it. Any thread.
/// </summary>
/// <param name="Tree">The cgroup; null if there is none.</param>
/// <param name="Refused">Why controllers are not enabled below it.</param>
internal sealed record CgroupBase(CgroupTree? Tree, Dictionary<CgroupController, LimitRefusal> Refused)
{
    private const CgroupController Every =
        CgroupController.Memory | CgroupController.Cpu | CgroupController.Pids | CgroupController.Io;

    /// <summary>None, and the reason.</summary>
    public static CgroupBase None(LimitRefusal why) => new(null, CgroupControllers.Of(Every).ToDictionary(one => one.Controller, _ => why));

    /// <summary>The cgroup of a unit whose daemon is in a subgroup (systemd 254 and later).</summary>
    public static CgroupBase OfUnit(CgroupTree unit, CgroupController needed)
    {
        var refused = CgroupControllers.Enable(unit.Directory, needed);
        if (refused.Values.Any(one => one.Errno == "EBUSY")
            && CgroupControllers.MoveAll(unit.Directory, Path.Combine(unit.Directory, CgroupTree.Subgroup)) is null)
        {
            // A daemon from before the subgroup has left a process.
            refused = CgroupControllers.Enable(unit.Directory, needed);
        }

        return new CgroupBase(unit, refused);
    }

    /// <summary>The scope of an older systemd.</summary>
    public static CgroupBase OfScope(WorkerScope scope, CgroupMount mount, CgroupController needed)
    {
        if (scope.PutAnchor() is { } error)
        {
            return None(new LimitRefusal(error.Name, $"scope {scope.Directory}: {CgroupControllers.Cause(error)}"));
        }

        return new CgroupBase(new CgroupTree(scope.Directory, mount), CgroupControllers.Enable(scope.Directory, needed));
    }

    /// <summary>
    /// Without systemd, as in a container: the root cgroup gets a child, and any other cgroup is emptied into a subgroup.
    /// </summary>
    /// <param name="mount">Where cgroups are mounted.</param>
    /// <param name="own">The daemon's cgroup.</param>
    /// <param name="name">The child's name.</param>
    /// <param name="needed">The controllers to enable.</param>
    public static CgroupBase OfHost(CgroupMount mount, string own, string name, CgroupController needed)
    {
        var directory = mount.DirectoryOf(own);
        if (Path.GetFileName(directory) == CgroupTree.Subgroup && directory != mount.Point)
        {
            // An earlier daemon has made the subgroup.
            directory = Path.GetDirectoryName(directory)!;
        }

        // Only the root of all has no type: it may have processes and controllers (cgroups(7), "no internal processes").
        var isRoot = !File.Exists(Path.Combine(directory, "cgroup.type"));
        var refused = isRoot ? CgroupControllers.Enable(directory, needed) : Emptied(directory, needed);
        if (isRoot && refused.Count < CgroupControllers.Of(needed).Count())
        {
            directory = Path.Combine(directory, name);
            if (FilesAt.MakeDirectory(directory, 0x1ED) is { Name: not "EEXIST" } unmade)
            {
                return None(new LimitRefusal(unmade.Name, $"{directory}: {CgroupControllers.Cause(unmade)}"));
            }

            foreach (var (controller, why) in CgroupControllers.Enable(directory, needed))
            {
                refused.TryAdd(controller, why);
            }
        }

        return refused.Count < CgroupControllers.Of(needed).Count()
            ? new CgroupBase(new CgroupTree(directory, mount), refused)
            : new CgroupBase(null, refused);
    }

    private static Dictionary<CgroupController, LimitRefusal> Emptied(string directory, CgroupController needed)
    {
        var missing = CgroupControllers.Of(needed & ~CgroupControllers.OfferedIn(directory)).ToArray();
        var subgroup = Path.Combine(directory, CgroupTree.Subgroup);
        var error = missing.Length == CgroupControllers.Of(needed).Count() ? null
            : FilesAt.MakeDirectory(subgroup, 0x1ED) is { Name: not "EEXIST" } unmade ? unmade
            : CgroupControllers.MoveAll(directory, subgroup);
        return error is { } why
            ? CgroupControllers.Of(needed).ToDictionary(
                one => one.Controller, _ => new LimitRefusal(why.Name, $"{subgroup}: {CgroupControllers.Cause(why)}"))
            : CgroupControllers.Enable(directory, needed);
    }
}
