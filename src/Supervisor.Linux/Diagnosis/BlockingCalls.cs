using System.Globalization;
using System.Runtime.InteropServices;

namespace Supervisor.Linux.Diagnosis;

/// <summary>
/// The system call in which the first thread of a process waits: proc_pid_syscall(5), which needs the right to trace the process. The
/// names of calls that can wait, from asm/unistd_64.h and asm-generic/unistd.h.
/// </summary>
internal static class BlockingCalls
{
    private static readonly Dictionary<int, string> Names = RuntimeInformation.ProcessArchitecture == Architecture.X64
        ? new()
        {
            [0] = "read",
            [1] = "write",
            [7] = "poll",
            [17] = "pread64",
            [18] = "pwrite64",
            [19] = "readv",
            [20] = "writev",
            [23] = "select",
            [34] = "pause",
            [35] = "nanosleep",
            [40] = "sendfile",
            [42] = "connect",
            [43] = "accept",
            [44] = "sendto",
            [45] = "recvfrom",
            [46] = "sendmsg",
            [47] = "recvmsg",
            [61] = "wait4",
            [65] = "semop",
            [70] = "msgrcv",
            [72] = "fcntl",
            [73] = "flock",
            [74] = "fsync",
            [75] = "fdatasync",
            [128] = "rt_sigtimedwait",
            [130] = "rt_sigsuspend",
            [202] = "futex",
            [219] = "restart_syscall",
            [230] = "clock_nanosleep",
            [232] = "epoll_wait",
            [247] = "waitid",
            [257] = "openat",
            [270] = "pselect6",
            [271] = "ppoll",
            [281] = "epoll_pwait",
            [288] = "accept4",
            [299] = "recvmmsg",
            [426] = "io_uring_enter",
            [441] = "epoll_pwait2",
        }
        : new()
        {
            [22] = "epoll_pwait",
            [25] = "fcntl",
            [32] = "flock",
            [56] = "openat",
            [63] = "read",
            [64] = "write",
            [65] = "readv",
            [66] = "writev",
            [67] = "pread64",
            [68] = "pwrite64",
            [71] = "sendfile",
            [72] = "pselect6",
            [73] = "ppoll",
            [82] = "fsync",
            [83] = "fdatasync",
            [95] = "waitid",
            [98] = "futex",
            [101] = "nanosleep",
            [115] = "clock_nanosleep",
            [128] = "restart_syscall",
            [133] = "rt_sigsuspend",
            [137] = "rt_sigtimedwait",
            [188] = "msgrcv",
            [193] = "semop",
            [202] = "accept",
            [203] = "connect",
            [206] = "sendto",
            [207] = "recvfrom",
            [211] = "sendmsg",
            [212] = "recvmsg",
            [242] = "accept4",
            [243] = "recvmmsg",
            [260] = "wait4",
            [426] = "io_uring_enter",
            [441] = "epoll_pwait2",
        };

    /// <summary>Its name, or "system call N"; null if it runs, or if that is not visible.</summary>
    public static string? Of(int pid)
    {
        try
        {
            var text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/syscall"));
            var first = text.AsSpan()[..(text.IndexOf(' ') is > 0 and var end ? end : 0)];
            return int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? Names.GetValueOrDefault(number) ?? string.Create(CultureInfo.InvariantCulture, $"system call {number}")
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
