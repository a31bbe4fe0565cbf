using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Linux.Cgroups;

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

    /// <summary>The same cgroup as /proc/PID/cgroup names it; null if that is not known.</summary>
    internal string? KernelPath => _tree?.Mount.CgroupOf(Path);

    /// <summary>
    /// A process in it that has not exited, other than <paramref name="except"/>; 0 if there is none. Any thread.
    /// </summary>
    internal static int AnyMember(string path, int except)
    {
        foreach (var line in CgroupFile.Lines(path, "cgroup.procs"))
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
        foreach (var line in CgroupFile.Lines(path, "cgroup.procs"))
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
    /// Whether the kernel says that no process lives in it or below it (cgroup.events), in one read. False if it does not say so. Any
    /// thread.
    /// </summary>
    internal static bool IsEmpty(string path) => CgroupFile.Number(CgroupFile.Lines(path, "cgroup.events"), "populated") == 0;

    /// <summary>
    /// Sends SIGKILL to all processes of a cgroup, also to those that are forked at the same time (cgroup.kill). False if
    /// the cgroup no longer exists. Any thread.
    /// </summary>
    internal static bool TryKill(string path) => CgroupFile.Write(path, "cgroup.kill", "1") is null;

    /// <summary>Opens its cgroup.procs, to which a child writes "0" to enter it; the caller owns it. Null with the error.</summary>
    internal DescriptorHandle? OpenMembers(out SystemCallError error) => Open("cgroup.procs", out error);

    /// <summary>Processor time of all its present and past processes, from cpu.stat. Any thread.</summary>
    public static TimeSpan? ProcessorTime(string path) =>
        CgroupFile.Number(CgroupFile.Lines(path, "cpu.stat"), "usage_usec") is { } microseconds
            ? TimeSpan.FromMicroseconds(microseconds)
            : null;

    /// <summary>The most memory that it has used, in bytes (memory.peak, Linux 5.19); null if the kernel does not count that.</summary>
    public static long? MemoryPeak(string path) => CgroupFile.Number(path, "memory.peak");

    /// <summary>
    /// Bytes of memory: what the kernel charges to it (memory.current), if the kernel counts that. Otherwise the sum of its
    /// processes' resident sets, which counts a shared page once for each. Any thread.
    /// </summary>
    public static long? Memory(string path)
    {
        if (CgroupFile.Number(path, "memory.current") is { } charged)
        {
            return charged;
        }

        long? pages = null;
        foreach (var member in CgroupFile.Lines(path, "cgroup.procs"))
        {
            // Size, resident, shared... in pages: proc(5).
            foreach (var line in CgroupFile.Lines("/proc/" + member, "statm"))
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
}
