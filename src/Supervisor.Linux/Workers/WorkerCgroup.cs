using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>A worker's own cgroup: its processes cannot leave it by forking, and it can be killed as a whole.</summary>
public sealed class WorkerCgroup : IDisposable
{
    private readonly CgroupTree? _tree;

    /// <summary>An existing cgroup; without a <paramref name="tree"/> it is never removed.</summary>
    internal WorkerCgroup(CgroupTree? tree, string path)
    {
        _tree = tree;
        Path = path;
    }

    /// <summary>Its directory.</summary>
    public string Path { get; }

    /// <summary>The same cgroup as /proc/PID/cgroup names it; null if it is not below the daemon's own.</summary>
    internal string? KernelPath => _tree is not null && Path.StartsWith(_tree.Directory + "/", StringComparison.Ordinal)
        ? (_tree.KernelPath == "/" ? "" : _tree.KernelPath) + Path[_tree.Directory.Length..]
        : null;

    /// <summary>
    /// A process in it that has not exited, other than <paramref name="except"/>; 0 if there is none. Any thread.
    /// </summary>
    internal static int AnyMember(string path, int except)
    {
        foreach (var line in Lines(path, "cgroup.procs"))
        {
            if (int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && pid != except)
            {
                return pid;
            }
        }

        return 0;
    }

    /// <summary>The processes in it and in the cgroups below it. Any thread.</summary>
    internal static IEnumerable<int> Members(string path)
    {
        foreach (var line in Lines(path, "cgroup.procs"))
        {
            // Zero for a process of another PID namespace.
            if (int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && pid > 0)
            {
                yield return pid;
            }
        }

        foreach (var member in Below(path).SelectMany(Members))
        {
            yield return member;
        }
    }

    /// <summary>
    /// Sends SIGKILL to all processes of a cgroup, also to those that are forked at the same time (cgroup.kill). False if
    /// the cgroup no longer exists. Any thread.
    /// </summary>
    internal static bool TryKill(string path)
    {
        const int writeOnly = 1;
        using var kill = Files.Open(System.IO.Path.Combine(path, "cgroup.kill"), writeOnly, 0, out _);
        return kill is not null && Files.Write(kill, "1"u8, out var error) > 0 && error is null;
    }

    /// <summary>Opens its cgroup.procs, to which a child writes "0" to enter it; the caller owns it. Null with the error.</summary>
    internal DescriptorHandle? OpenMembers(out SystemCallError error) => Open("cgroup.procs", out error);

    /// <summary>Processor time of all its present and past processes, from cpu.stat. Any thread.</summary>
    public static TimeSpan? ProcessorTime(string path)
    {
        foreach (var line in Lines(path, "cpu.stat"))
        {
            if (line.StartsWith("usage_usec ", StringComparison.Ordinal)
                && long.TryParse(line.AsSpan(11), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds))
            {
                return TimeSpan.FromMicroseconds(microseconds);
            }
        }

        return null;
    }

    /// <summary>
    /// Bytes of memory: what the kernel charges to it (memory.current), if the kernel counts that. Otherwise the sum of its
    /// processes' resident sets, which counts a shared page once for each. Any thread.
    /// </summary>
    public static long? Memory(string path)
    {
        foreach (var line in Lines(path, "memory.current"))
        {
            return long.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var charged) ? charged : null;
        }

        long? pages = null;
        foreach (var member in Lines(path, "cgroup.procs"))
        {
            // Size, resident, shared... in pages: proc(5).
            foreach (var line in Lines("/proc/" + member, "statm"))
            {
                if (line.Split(' ') is [_, var resident, ..]
                    && long.TryParse(resident, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
                {
                    pages = (pages ?? 0) + count;
                }
            }
        }

        return pages * Environment.SystemPageSize;
    }

    /// <inheritdoc/>
    public void Dispose() => _tree?.Remove(Path);

    private DescriptorHandle? Open(string file, out SystemCallError error)
    {
        const int writeOnly = 1;
        return Files.Open(System.IO.Path.Combine(Path, file), writeOnly, 0, out error);
    }

    private static string[] Below(string directory)
    {
        try
        {
            return Directory.GetDirectories(directory);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string[] Lines(string directory, string file)
    {
        try
        {
            return File.ReadAllLines(System.IO.Path.Combine(directory, file));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
