using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Continuity;

/// <summary>What a dead daemon's processes still have and are: found by the environment that they were executed with.</summary>
public static class Survivors
{
    /// <summary>
    /// Sockets by inode, out of the processes that hold them (pidfd_getfd(2), which needs the right to trace them). Those
    /// that nobody holds are not there.
    /// </summary>
    public static IReadOnlyDictionary<ulong, DescriptorHandle> TakeSockets(IReadOnlySet<ulong> inodes, string broker)
    {
        var taken = new Dictionary<ulong, DescriptorHandle>();
        if (inodes.Count == 0)
        {
            return taken;
        }

        var found = new List<OpenFiles.Found>();
        OpenFiles.FindSockets(inodes, found);
        foreach (var one in found)
        {
            if (!taken.ContainsKey(one.Inode) && ProcFile.HasVariable(one.Pid, "LISTEND_BROKER", broker) && OpenFiles.Borrow(one.Pid, one.Descriptor) is { } descriptor)
            {
                // Between the look and the taking the number can have become another socket's.
                if (Files.GetStatus(descriptor, out var status) is null && status.Inode == one.Inode)
                {
                    taken.Add(one.Inode, descriptor);
                }
                else
                {
                    descriptor.Dispose();
                }
            }
        }

        return taken;
    }

    /// <summary>
    /// Processes of workers and hooks of a dead daemon whose broker that was, but for those that <paramref name="isKnown"/>:
    /// what this process has started itself is younger than it, and its child.
    /// </summary>
    public static IReadOnlyList<int> Unknown(string broker, Func<int, bool> isKnown)
    {
        var own = ProcFile.Read(Processes.CurrentPid)?.StartTime ?? ulong.MaxValue;
        return
        [
            .. ProcFile.All().Where(pid => ProcFile.HasVariable(pid, "LISTEND_BROKER", broker) && ProcFile.HasVariableNamed(pid, "LISTEND_SERVICE") && !isKnown(pid)
                && ProcFile.Read(pid) is { } process && process.StartTime <= own && process.ParentPid != Processes.CurrentPid),
        ];
    }
}
