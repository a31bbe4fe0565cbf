using System.Globalization;
using System.Runtime.InteropServices;
using Tmds.Linux;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>What /proc tells of processes.</summary>
internal static class Processes
{
    /// <summary>
    /// Processes that are alive and whose environment holds <paramref name="text"/>: whatever a daemon has started, at any depth.
    /// </summary>
    public static IReadOnlyList<int> WithEnvironment(string text)
    {
        var found = new List<int>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && pid != Environment.ProcessId && Read(pid, "environ")?.Contains(text, StringComparison.Ordinal) == true)
            {
                found.Add(pid);
            }
        }

        return found;
    }

    /// <summary>Whether a process is alive; a zombie is not.</summary>
    public static bool IsAlive(int pid) => Read(pid, "stat") is { } stat && stat[(stat.LastIndexOf(')') + 2)..][0] is not ('Z' or 'X');

    /// <summary>
    /// Waits until processes are gone which have been sent SIGKILL: the signal is sent, death comes a moment later. One
    /// that was not killed fails here.
    /// </summary>
    public static async Task EndedAsync(params int[] pids)
    {
        foreach (var pid in pids)
        {
            Assert.True(
                await Task.Run(() => Ends(pid, TimeSpan.FromSeconds(5))),
                $"process {pid} is left: {Read(pid, "cmdline")?.Replace('\0', ' ')}");
        }
    }

    /// <summary>Open descriptors of a process: number and target.</summary>
    public static IReadOnlyDictionary<int, string> Descriptors(int pid)
    {
        var found = new SortedDictionary<int, string>();
        foreach (var link in Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd"))
        {
            if (new FileInfo(link).LinkTarget is { } target)
            {
                found[int.Parse(Path.GetFileName(link.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture)] = target;
            }
        }

        return found;
    }

    // Waits on a pidfd: pidfd_open(2), Linux 5.3. True where there is no such process, or its end comes in time.
    private static unsafe bool Ends(int pid, TimeSpan limit)
    {
        const int PidfdOpen = 434;
        var pidfd = (int)Syscall(PidfdOpen, pid, 0);
        if (pidfd < 0)
        {
            return true;
        }

        var wait = new pollfd { fd = pidfd, events = LibC.POLLIN };
        var ended = LibC.poll(&wait, 1, (int)limit.TotalMilliseconds) == 1;
        _ = LibC.close(pidfd);
        return ended;
    }

    [DllImport("libc", EntryPoint = "syscall")]
    private static extern nint Syscall(nint number, nint first, nint second);

    private static string? Read(int pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
