using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// The daemon's own cgroup, if systemd has delegated it (Delegate=). Each worker gets a cgroup below it: cgroups(7), version 2.
/// No controller is enabled below it: with the memory controller, systemd could not restart the daemon while workers live ("no
/// internal processes").
/// </summary>
public sealed class CgroupTree
{
    private const string Prefix = "worker-";
    private const string Unified = "0::/";

    private readonly List<string> _leftOver;

    private CgroupTree(string directory, string kernelPath)
    {
        Directory = directory;
        KernelPath = kernelPath;
        _leftOver = [.. System.IO.Directory.EnumerateDirectories(directory, Prefix + "*")];
        RemoveLeftOver();
    }

    /// <summary>The cgroup's directory.</summary>
    public string Directory { get; }

    /// <summary>The same cgroup as /proc/PID/cgroup names it.</summary>
    internal string KernelPath { get; }

    /// <summary>
    /// The daemon's own cgroup; null if the daemon may not create cgroups below it, or the kernel cannot kill one (before Linux
    /// 5.14).
    /// </summary>
    public static CgroupTree? Find()
    {
        try
        {
            var cgroups = File.ReadAllLines("/proc/self/cgroup");
            return Locate(File.ReadAllLines("/proc/self/mountinfo"), cgroups) is { } directory
                && IsDelegated(directory)
                && File.Exists(Path.Combine(directory, "cgroup.kill"))
                    ? new CgroupTree(directory,
                        Path.TrimEndingDirectorySeparator(cgroups.First(line => line.StartsWith(Unified,
                            StringComparison.Ordinal))[(Unified.Length - 1)..]))
                    : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Where the cgroup of /proc/self/cgroup is mounted, by /proc/self/mountinfo (proc(5)); null if it is not mounted.</summary>
    internal static string? Locate(IEnumerable<string> mounts, IEnumerable<string> cgroups)
    {
        if (cgroups.FirstOrDefault(line => line.StartsWith(Unified, StringComparison.Ordinal)) is not { } own)
        {
            return null;
        }

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
            if (own.AsSpan(3).StartsWith(root, StringComparison.Ordinal))
            {
                return Path.TrimEndingDirectorySeparator(fields[4] + own[(3 + root.Length)..]);
            }
        }

        return null;
    }

    /// <summary>Creates the cgroup of a worker; null if that fails, and then the worker has no cgroup of its own.</summary>
    internal WorkerCgroup? Create(string service, int worker)
    {
        RemoveLeftOver();
        var name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{service}-{worker}");
        try
        {
            // A cgroup of an earlier daemon may still have processes.
            for (var i = 1; i < 100; i++)
            {
                var path = Path.Combine(Directory, i == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}.{i}"));
                if (!System.IO.Directory.Exists(path))
                {
                    System.IO.Directory.CreateDirectory(path);
                    return new WorkerCgroup(this, path);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The cgroup is not delegated after all, or cgroup.max.descendants is reached.
        }

        return null;
    }

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
