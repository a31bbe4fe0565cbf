using System.Diagnostics;
using System.Globalization;

namespace Supervisor.Linux.Probes;

/// <summary>
/// A process with its descendants, and their open files: /proc/PID/task/TID/children (proc(5), CONFIG_PROC_CHILDREN) and
/// /proc/PID/fd.
/// </summary>
internal static class WorkerTree
{
    private const int MaxProcesses = 4096;

    /// <summary>
    /// The process and its descendants, each by a living thread, as far as they can be read before <paramref name="until"/>, a timestamp of
    /// <see cref="Stopwatch"/>.
    /// </summary>
    public static List<int> Of(int root, long until = long.MaxValue)
    {
        var tree = new List<int> { root };
        for (var i = 0; i < tree.Count && tree.Count < MaxProcesses; i++)
        {
            try
            {
                var tasks = Directory.GetDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{tree[i]}/task"));
                tree[i] = LivingThread(tree[i], tasks);
                foreach (var task in tasks)
                {
                    if (Stopwatch.GetTimestamp() > until)
                    {
                        return tree;
                    }

                    foreach (var child in File.ReadAllText(task + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    {
                        tree.Add(int.Parse(child, NumberStyles.None, CultureInfo.InvariantCulture));
                    }
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
            {
                // The process has exited, or is hidden.
            }
        }

        return tree;
    }

    /// <summary>
    /// Another thread, if the first one has exited: /proc/PID/fd of such a process is empty, that of its other threads is not
    /// (proc_pid_fd(5)).
    /// </summary>
    private static int LivingThread(int pid, string[] tasks)
    {
        if (tasks.Length < 2)
        {
            return pid;
        }

        var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
        if (!stat.AsSpan(stat.LastIndexOf(')') + 1).StartsWith(" Z", StringComparison.Ordinal))
        {
            return pid;
        }

        var own = pid.ToString(CultureInfo.InvariantCulture);
        return tasks.Select(task => Path.GetFileName(task)).FirstOrDefault(name => name != own) is { } other
            ? int.Parse(other, NumberStyles.None, CultureInfo.InvariantCulture)
            : pid;
    }

    /// <summary>The inode of a socket by its link's target; null if it is not a socket.</summary>
    public static ulong? SocketInode(string target) =>
        target.StartsWith("socket:[", StringComparison.Ordinal)
            && ulong.TryParse(target.AsSpan(8, target.Length - 9), NumberStyles.None, CultureInfo.InvariantCulture, out var inode) ? inode
                : null;
}
