using System.Globalization;
using Supervisor.Core.Diagnosis;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Probes;
using Supervisor.Native;

namespace Supervisor.Linux.Diagnosis;

/// <summary>
/// Reads what the processes of workers do from /proc: state and processor time, the system call in which they wait, descriptors. A worker
/// may have any number of processes, threads and descriptors, so each read ends at a time. /proc/PID/syscall waits for locks of that
/// process: on a thread that may wait.
/// </summary>
internal static class WorkerReader
{
    private const int MostProcesses = 64;
    private const int MostThreads = 32;

    /// <summary>USER_HZ, the unit of the times in /proc: 100 on every architecture of .NET.</summary>
    private const int TicksPerSecond = 100;

    /// <summary>The processor time and the state of a worker's processes.</summary>
    public static WorkerSample ReadUsage(WorkerSubject worker, long until) =>
        new([.. Tree(worker, until).Select(ReadProcess).OfType<ProcessSample>()]);

    /// <summary>The same, with what they wait for and with all their descriptors.</summary>
    public static WorkerSample ReadAll(WorkerSubject worker, long until)
    {
        var processes = new List<ProcessSample>();
        var sockets = new Dictionary<ulong, int>();
        var isVisible = true;
        foreach (var pid in Tree(worker, until))
        {
            if (ReadProcess(pid) is not { } process)
            {
                continue;
            }

            isVisible &= OpenFiles.Read(pid, "socket"u8, (_, inode) => sockets.TryAdd(inode, pid), _ => { }, until, out _);
            processes.Add(process with
            {
                Descriptors = CountDescriptors(pid),
                DescriptorLimit = DescriptorLimit(pid),
                Call = process.State is 'R' ? null : BlockingCalls.Of(pid),
                WaitChannel = ProcFile.WaitChannel(pid) is { Length: > 1 } channel ? channel : null,
            });
        }

        return new WorkerSample(processes) { Sockets = isVisible && processes.Count > 0 ? sockets : null };
    }

    private static IEnumerable<int> Tree(WorkerSubject worker, long until) =>
        worker.Roots.SelectMany(root => WorkerTree.Of(root, until)).Distinct().Take(MostProcesses);

    private static ProcessSample? ReadProcess(int pid)
    {
        try
        {
            // The command may contain blanks and parentheses: fields follow the last ")". utime, stime, num_threads: 14, 15, 20.
            var text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
            var threads = int.Parse(fields[17], CultureInfo.InvariantCulture);
            var state = fields[0][0];
            return new ProcessSample(
                pid, state == 'S' && threads > 1 && IsAnyThreadRunning(pid) ? 'R' : state, threads,
                TimeSpan.FromSeconds((double)ticks / TicksPerSecond));
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or FormatException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    private static bool IsAnyThreadRunning(int pid)
    {
        try
        {
            return Directory.EnumerateDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task")).Take(MostThreads)
                .Any(task => ProcFile.Read(int.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture)) is { State: 'R' });
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The size of /proc/PID/fd, which is the number of descriptors since Linux 6.2; before, its entries.</summary>
    private static long CountDescriptors(int pid)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/fd");
        try
        {
            return Files.GetStatus(path, out var status) is null && status.Size > 0
                ? status.Size
                : Directory.EnumerateFileSystemEntries(path).LongCount();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>The soft limit in the line "Max open files" of proc_pid_limits(5); 0 if it is unknown or unlimited.</summary>
    private static long DescriptorLimit(int pid)
    {
        const string label = "Max open files";
        try
        {
            var line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/limits"))
                .FirstOrDefault(line => line.StartsWith(label, StringComparison.Ordinal));
            var values = line?[label.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
            return values.Length > 0 && long.TryParse(values[0], NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
                ? limit
                : 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
