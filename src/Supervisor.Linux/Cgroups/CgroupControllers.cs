using Supervisor.Core.Services;
using Supervisor.Native;

namespace Supervisor.Linux.Cgroups;

/// <summary>Enables controllers for the cgroups below a cgroup: cgroups(7), cgroup.subtree_control. Any thread.</summary>
internal static class CgroupControllers
{
    /// <summary>The cause and remedy of a controller that cgroup.controllers does not have.</summary>
    public const string NotOffered = "the kernel does not offer it to cgroups of version 2, because version 1 has it or because it is not "
        + "delegated: boot with systemd.unified_cgroup_hierarchy=1, or delegate it to this cgroup";

    private const string Enabled = "cgroup.subtree_control";

    private static readonly (CgroupController Controller, string Name)[] All =
    [
        (CgroupController.Memory, "memory"), (CgroupController.Cpu, "cpu"), (CgroupController.Pids, "pids"), (CgroupController.Io, "io"),
    ];

    /// <summary>The names of the controllers.</summary>
    public static IEnumerable<(CgroupController Controller, string Name)> Of(CgroupController controllers) =>
        All.Where(one => controllers.HasFlag(one.Controller));

    /// <summary>The controllers that the kernel offers below a mount of cgroup 2.</summary>
    public static CgroupController OfferedIn(string directory)
    {
        var words = CgroupFile.Words(directory, "cgroup.controllers");
        return All.Where(one => words.Contains(one.Name)).Aggregate(CgroupController.None, (sum, one) => sum | one.Controller);
    }

    /// <summary>The controllers that are enabled for the cgroups below <paramref name="directory"/>.</summary>
    public static CgroupController EnabledIn(string directory)
    {
        var words = CgroupFile.Words(directory, Enabled);
        return All.Where(one => words.Contains(one.Name)).Aggregate(CgroupController.None, (sum, one) => sum | one.Controller);
    }

    /// <summary>Enables controllers, and returns why some could not be enabled.</summary>
    public static Dictionary<CgroupController, LimitRefusal> Enable(string directory, CgroupController needed)
    {
        var refused = new Dictionary<CgroupController, LimitRefusal>();
        foreach (var (controller, name) in Of(needed & ~EnabledIn(directory)))
        {
            if (CgroupFile.Write(directory, Enabled, "+" + name) is { } error)
            {
                refused.Add(controller, new LimitRefusal(error.Name, $"{name} controller in {directory}: {Cause(error)}"));
            }
        }

        return refused;
    }

    /// <summary>What an error means, with a remedy.</summary>
    public static string Cause(SystemCallError error) => error.Name switch
    {
        "ENOENT" => NotOffered,
        "EROFS" => "cgroups are mounted read-only: in a container, mount /sys/fs/cgroup writable",
        "EACCES" or "EPERM" => "listend may not change it: run listend as root, or with Delegate=yes in its unit",
        "EBUSY" => "the cgroup has processes of its own that cannot be moved",
        _ => error.Text,
    };

    /// <summary>
    /// Moves all processes of a cgroup into another one, so that the first has none of its own. Null, or the error.
    /// </summary>
    public static SystemCallError? MoveAll(string from, string to)
    {
        const int mostPasses = 20;
        SystemCallError? error = null;
        for (var pass = 0; pass < mostPasses; pass++)
        {
            // A process may fork in the meantime. A zombie is not listed, and one that has just exited gives ESRCH.
            var members = CgroupFile.Lines(from, "cgroup.procs");
            if (members.Length == 0)
            {
                return null;
            }

            foreach (var pid in members)
            {
                error = CgroupFile.Write(to, "cgroup.procs", pid) is { Name: not "ESRCH" } refused ? refused : error;
            }

            if (error is not null)
            {
                break;
            }
        }

        return error;
    }
}
