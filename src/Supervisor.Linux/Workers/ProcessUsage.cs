using System.Globalization;
using Supervisor.Linux.Probes;

namespace Supervisor.Linux.Workers;

/// <summary>What the processes of a worker use, for a worker without a cgroup of its own.</summary>
/// <param name="ProcessorTime">Processor time of the processes, and of their exited children for which they have waited.</param>
/// <param name="MemoryBytes">The sum of the resident sets, which counts a shared page once for each process.</param>
public readonly record struct ProcessUsage(TimeSpan ProcessorTime, long MemoryBytes)
{
    /// <summary>USER_HZ, the unit of the times in /proc: 100 on every architecture of .NET.</summary>
    private const int TicksPerSecond = 100;

    /// <summary>
    /// Reads /proc/PID/stat (proc_pid_stat(5)) of some processes and their descendants, as far as they can be read before
    /// <paramref name="until"/>, a timestamp of <see cref="System.Diagnostics.Stopwatch"/>. Null if none can be read. Not on the loop.
    /// </summary>
    public static ProcessUsage? Read(IEnumerable<int> roots, long until = long.MaxValue)
    {
        ProcessUsage? sum = null;
        foreach (var pid in roots.SelectMany(root => WorkerTree.Of(root, until)).Distinct())
        {
            if (ReadOne(pid) is { } one)
            {
                var before = sum.GetValueOrDefault();
                sum = new ProcessUsage(before.ProcessorTime + one.ProcessorTime, before.MemoryBytes + one.MemoryBytes);
            }
        }

        return sum;
    }

    private static ProcessUsage? ReadOne(int pid)
    {
        try
        {
            // The command may contain blanks and parentheses: field 3 follows the last ")". Fields 14 to 17: utime, stime, cutime, cstime;
            // 24: resident pages.
            var text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            long Field(int number) => long.Parse(fields[number - 3], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            var ticks = Field(14) + Field(15) + Field(16) + Field(17);
            return new ProcessUsage(TimeSpan.FromSeconds((double)ticks / TicksPerSecond), Field(24) * Environment.SystemPageSize);
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or FormatException or IndexOutOfRangeException)
        {
            // The process has exited, or is hidden.
            return null;
        }
    }
}
