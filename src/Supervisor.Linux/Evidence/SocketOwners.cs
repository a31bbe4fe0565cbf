using System.Diagnostics;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Native;

namespace Supervisor.Linux.Evidence;

/// <summary>Finds the processes that hold sockets: one pass over /proc/*/fd, for the given inodes only.</summary>
internal static class SocketOwners
{
    /// <summary>
    /// Adds the processes to each holder, without their command lines, because reading these may wait for other processes.
    /// <paramref name="found"/> receives the position of each descriptor.
    /// </summary>
    /// <returns>The holders, and what was not read before <paramref name="until"/>, a timestamp of <see cref="Stopwatch"/>.</returns>
    public static (List<SocketHolder> Holders, OpenFiles.Coverage Look) Find(
        List<SocketHolder> holders, List<OpenFiles.Found> found, long until)
    {
        var wanted = holders.Where(holder => holder.Inode != 0).Select(holder => holder.Inode).ToHashSet();
        if (wanted.Count == 0)
        {
            return (holders, default);
        }

        var look = OpenFiles.FindSockets(wanted, found, until);
        var known = new Dictionary<int, HolderProcess?>();
        var byInode = found.ToLookup(descriptor => descriptor.Inode, descriptor => descriptor.Pid);
        var result = new List<SocketHolder>(holders.Count);
        foreach (var holder in holders)
        {
            var processes = new List<HolderProcess>();
            foreach (var pid in byInode[holder.Inode].Distinct().Order())
            {
                if (!known.TryGetValue(pid, out var process) && Stopwatch.GetTimestamp() <= until)
                {
                    process = ProcessFacts.Read(pid);
                    known.Add(pid, process);
                }

                if (process is not null)
                {
                    processes.Add(process);
                }
            }

            result.Add(processes.Count == 0 ? holder : holder with { Processes = [.. processes] });
        }

        return (result, look);
    }

    /// <summary>Adds the command lines and marks the predecessors. These reads may wait for the processes' memory.</summary>
    public static List<SocketHolder> Complete(List<SocketHolder> holders, LeftoverHolders predecessors, long until)
    {
        var known = new Dictionary<int, HolderProcess>();
        return holders.ConvertAll(holder => holder.Processes.IsEmpty ? holder : holder with
        {
            Processes = predecessors.Mark(
                [
                    .. holder.Processes.Select(process =>
                    {
                        if (!known.TryGetValue(process.Pid, out var whole))
                        {
                            whole = Stopwatch.GetTimestamp() <= until
                                ? process with { CommandLine = ProcessFacts.CommandLine(process.Pid) }
                                : process;
                            known.Add(process.Pid, whole);
                        }

                        return whole;
                    }),
                ],
                until),
        });
    }
}
