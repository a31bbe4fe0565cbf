namespace Supervisor.Linux.Cgroups;

/// <summary>Where cgroups of version 2 are mounted.</summary>
/// <param name="Point">The mount point.</param>
/// <param name="Root">The cgroup that is mounted there, as /proc/PID/cgroup names it; "" for the root.</param>
public sealed record CgroupMount(string Point, string Root)
{
    private const string Unified = "0::/";

    /// <summary>The mount that has this process's cgroup, and that cgroup as /proc/self/cgroup names it; null without one.</summary>
    public static (CgroupMount Mount, string Own)? Find()
    {
        try
        {
            return Find(File.ReadAllLines("/proc/self/mountinfo"), File.ReadAllLines("/proc/self/cgroup"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The directory of a cgroup that /proc/PID/cgroup names so.</summary>
    public string DirectoryOf(string cgroup) => Path.TrimEndingDirectorySeparator(Point + cgroup[Root.Length..]);

    /// <summary>The cgroup with this directory, as /proc/PID/cgroup names it; null if the directory is not below the mount point.</summary>
    public string? CgroupOf(string directory) =>
        directory.StartsWith(Point + "/", StringComparison.Ordinal) ? Root + directory[Point.Length..] : null;

    /// <summary>The same from the lines of /proc/self/mountinfo and /proc/self/cgroup (proc(5)).</summary>
    internal static (CgroupMount Mount, string Own)? Find(IEnumerable<string> mounts, IEnumerable<string> cgroups)
    {
        if (cgroups.FirstOrDefault(line => line.StartsWith(Unified, StringComparison.Ordinal)) is not { } line)
        {
            return null;
        }

        var own = line[(Unified.Length - 1)..];
        foreach (var mount in mounts)
        {
            // id, parent, device, root, mount point, options, optional fields, "-", type
            var fields = mount.Split(' ');
            if (fields.Length < 8 || Array.IndexOf(fields, "-") is var dash
                && (dash < 0 || dash + 1 >= fields.Length || fields[dash + 1] != "cgroup2"))
            {
                continue;
            }

            var root = fields[3] == "/" ? "" : fields[3];
            if (own.StartsWith(root, StringComparison.Ordinal))
            {
                return (new CgroupMount(fields[4], root), own);
            }
        }

        return null;
    }
}
