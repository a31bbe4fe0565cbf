using System.Globalization;
using System.Runtime.InteropServices;
using Tmds.Linux;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>Facts about processes from /proc.</summary>
internal static class Processes
{
    /// <summary>
    /// Running processes whose environment contains <paramref name="text"/>: all descendants of a daemon.
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

    /// <summary>Whether a process runs; a zombie does not.</summary>
    public static bool IsAlive(int pid) => Read(pid, "stat") is { } stat && stat[(stat.LastIndexOf(')') + 2)..][0] is not ('Z' or 'X');

    /// <summary>
    /// Waits until killed processes have exited, which happens shortly after SIGKILL. Fails for a process that was not
    /// killed.
    /// </summary>
    public static async Task EndedAsync(params int[] pids)
    {
        foreach (var pid in pids)
        {
            Assert.True(
                await Task.Run(() => Ends(pid, TimeSpan.FromSeconds(5))),
                $"process {pid} still runs: {Read(pid, "cmdline")?.Replace('\0', ' ')}");
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

    // Waits on a pidfd: pidfd_open(2), Linux 5.3. True if the process does not exist or exits in time.
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
