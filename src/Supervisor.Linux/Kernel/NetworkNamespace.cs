using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>Which network namespace this is: namespaces(7).</summary>
internal static class NetworkNamespace
{
    /// <summary>Its identity, such as net:[4026532177], where it is not that of process 1; null where it is, or where that cannot be seen.</summary>
    /// <remarks>
    /// Only who may trace process 1 may read /proc/1/ns/net. Everybody may look at /proc/1/net, which each namespace has
    /// files of its own for (fs/proc/proc_net.c, get_proc_task_net): the same inode number, the same namespace.
    /// </remarks>
    public static string? Foreign() =>
        Files.GetStatus("/proc/1/net/dev", out var first) is null
        && Files.GetStatus("/proc/thread-self/net/dev", out var own) is null
        && (first.Device, first.Inode) != (own.Device, own.Inode)
            ? OpenFiles.ReadLink("/proc/thread-self/ns/net")
            : null;
}
