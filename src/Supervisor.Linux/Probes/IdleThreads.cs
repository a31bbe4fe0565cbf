using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Probes;

/// <summary>
/// Whether a thread of a worker waits for events or connections: it is blocked in epoll_wait(), poll(), select(), accept() or
/// io_uring_enter() (/proc/PID/task/TID/syscall, proc_pid_syscall(5)), and asleep there (state S of /proc/PID/task/TID/stat): a stopped
/// process shows the call in which it was stopped. Such a worker does not hang, although it has accepted none of the connections of a
/// probe.
/// </summary>
internal static class IdleThreads
{
    /// <summary>System call numbers, asm/unistd_64.h and asm-generic/unistd.h.</summary>
    private static readonly int[] Waiting = RuntimeInformation.ProcessArchitecture == Architecture.X64
        ? [7, 23, 43, 232, 270, 271, 281, 288, 426, 441]
        : [22, 72, 73, 202, 242, 426, 441];

    /// <summary>The time limit: a worker may have any number of threads.</summary>
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Whether the process or a descendant has such a thread. On a thread that may wait.</summary>
    public static bool AreIn(int root)
    {
        var until = Stopwatch.GetTimestamp() + (long)(ReadTimeout.TotalSeconds * Stopwatch.Frequency);
        return WorkerTree.Of(root, until).Any(pid => HasOne(pid, until));
    }

    private static bool HasOne(int pid, long until)
    {
        try
        {
            return Directory.EnumerateDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task"))
                .TakeWhile(_ => Stopwatch.GetTimestamp() < until)
                .Any(task => Waits(File.ReadAllText(task + "/syscall"))
                    && ProcFile.ParseStat(File.ReadAllBytes(task + "/stat")) is { State: 'S' });
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Whether the line, a number and arguments or "running", is such a call.</summary>
    private static bool Waits(string line) =>
        line.IndexOf(' ', StringComparison.Ordinal) is > 0 and var end
        && int.TryParse(line.AsSpan(0, end), NumberStyles.None, CultureInfo.InvariantCulture, out var call)
        && Waiting.Contains(call);
}
