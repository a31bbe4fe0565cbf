using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Evidence;

/// <summary>From sockets to the processes that hold them: a walk through /proc/*/fd, once, for the inodes wanted alone.</summary>
internal static class SocketOwners
{
    /// <summary>Adds the processes to each holder. <paramref name="found"/> gets where each descriptor is.</summary>
    /// <returns>The holders, and how many processes did not let themselves be looked into.</returns>
    public static (List<SocketHolder> Holders, int Hidden) Find(List<SocketHolder> holders, Predecessors predecessors, List<OpenFiles.Found> found)
    {
        var wanted = holders.Where(holder => holder.Inode != 0).Select(holder => holder.Inode).ToHashSet();
        if (wanted.Count == 0)
        {
            return (holders, 0);
        }

        var hidden = OpenFiles.FindSockets(wanted, found);
        var known = new Dictionary<int, HolderProcess?>();
        var byInode = found.ToLookup(descriptor => descriptor.Inode, descriptor => descriptor.Pid);
        var result = new List<SocketHolder>(holders.Count);
        foreach (var holder in holders)
        {
            var pids = byInode[holder.Inode].Distinct().Order().ToList();
            if (holder.Inode == 0 || pids.Count == 0)
            {
                result.Add(holder);
                continue;
            }

            var processes = new List<HolderProcess>(pids.Count);
            foreach (var pid in pids)
            {
                if (!known.TryGetValue(pid, out var process))
                {
                    process = ProcessFacts.Read(pid);
                    known.Add(pid, process);
                }

                if (process is not null)
                {
                    processes.Add(process);
                }
            }

            result.Add(holder with { Processes = predecessors.Mark(processes) });
        }

        return (result, hidden);
    }

    /// <summary>The pids in words, for a log.</summary>
    public static string Text(ImmutableArray<HolderProcess> processes) =>
        string.Join(", ", processes.Select(process => process.Pid.ToString(CultureInfo.InvariantCulture)));
}
