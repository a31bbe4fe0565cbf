using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>The network namespace of this process: namespaces(7).</summary>
internal static class NetworkNamespace
{
    /// <summary>
    /// Its identity, such as net:[4026532177]; null if it is the namespace of process 1, or if that cannot be determined.
    /// </summary>
    /// <remarks>
    /// Reading /proc/1/ns/net needs the right to trace process 1. Every user may stat /proc/1/net, whose files differ for each
    /// namespace (fs/proc/proc_net.c, get_proc_task_net): the same inode number means the same namespace.
    /// </remarks>
    public static string? Foreign() =>
        Files.GetStatus("/proc/1/net/dev", out var first) is null
        && Files.GetStatus("/proc/thread-self/net/dev", out var own) is null
        && (first.Device, first.Inode) != (own.Device, own.Inode)
            ? OpenFiles.ReadLink("/proc/thread-self/ns/net")
            : null;
}
