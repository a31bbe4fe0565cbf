using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Linux.Cgroups;

/// <summary>A cgroup below which each worker gets one of its own: cgroups(7), version 2.</summary>
public sealed class CgroupTree
{
    /// <summary>The subgroup in which the daemon is, if its unit has DelegateSubgroup= (systemd 254).</summary>
    internal const string Subgroup = "daemon";

    private const string Prefix = "worker-";

    private readonly List<string> _leftOver;

    /// <summary>An existing cgroup.</summary>
    /// <param name="directory">Its directory.</param>
    /// <param name="mount">The mount that has it.</param>
    internal CgroupTree(string directory, CgroupMount mount)
    {
        Directory = directory;
        Mount = mount;
        _leftOver = [.. System.IO.Directory.EnumerateDirectories(directory, Prefix + "*")];
    }

    /// <summary>The cgroup's directory.</summary>
    public string Directory { get; }

    /// <summary>The mount that has it.</summary>
    internal CgroupMount Mount { get; }

    /// <summary>Whether the daemon is in a subgroup of it, so that controllers can be enabled below it ("no internal processes").</summary>
    internal bool IsWithoutDaemon { get; private init; }

    /// <summary>
    /// The daemon's own cgroup, if systemd has delegated it (Delegate=); with DelegateSubgroup=, the cgroup above it. Null if the daemon
    /// may not create cgroups below it, or the kernel cannot kill one (before Linux 5.14).
    /// </summary>
    public static CgroupTree? Find()
    {
        if (CgroupMount.Find() is not { } found || !File.Exists(Path.Combine(found.Mount.DirectoryOf(found.Own), "cgroup.kill")))
        {
            return null;
        }

        try
        {
            var own = found.Mount.DirectoryOf(found.Own);
            var above = Path.GetDirectoryName(own)!;
            return Path.GetFileName(own) == Subgroup && IsDelegated(above)
                ? new CgroupTree(above, found.Mount) { IsWithoutDaemon = true }
                : IsDelegated(own) ? new CgroupTree(own, found.Mount) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Creates the cgroup of a worker; null with the error if that fails, and then the worker has no cgroup of its own.</summary>
    internal WorkerCgroup? Create(string service, int worker, out SystemCallError? error)
    {
        RemoveLeftOver();
        var name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{service}-{worker}");
        error = null;

        // A cgroup of an earlier daemon may still have processes.
        for (var i = 1; i < 100; i++)
        {
            var path = Path.Combine(Directory, i == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}.{i}"));
            if (FilesAt.MakeDirectory(path, 0x1ED) is not { } refused)
            {
                error = null;
                return new WorkerCgroup(this, path);
            }

            // Not delegated after all, or cgroup.max.descendants is reached.
            error = refused;
            if (refused.Name != "EEXIST")
            {
                break;
            }
        }

        return null;
    }

    /// <summary>
    /// A previous daemon's worker is adopted with its cgroup, which is not removed before that worker's end was handled: it knows whether
    /// the kernel has killed the worker in the meantime.
    /// </summary>
    internal void Keep(string path) => _leftOver.Remove(path);

    /// <summary>
    /// Removes a cgroup. Killed processes may take a moment to exit; a cgroup that is not empty is removed later.
    /// </summary>
    internal void Remove(string path)
    {
        _leftOver.Add(path);
        RemoveLeftOver();
    }

    /// <summary>Removes the cgroups that were not empty when their workers exited.</summary>
    public void RemoveLeftOver() => _leftOver.RemoveAll(path =>
    {
        try
        {
            System.IO.Directory.Delete(path);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    });

    /// <summary>The mark of a cgroup that systemd has delegated (systemd.resource-control(5), Delegate=).</summary>
    private static bool IsDelegated(string directory) =>
        Files.HasAttribute(directory, "user.delegate") || Files.HasAttribute(directory, "trusted.delegate");
}
