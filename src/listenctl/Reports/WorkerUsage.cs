using System.Globalization;

namespace Supervisor.Listenctl.Reports;

/// <summary>
/// Processor time and memory of workers, from /proc/PID/stat (proc(5)). Processor time is the difference between two
/// samples, so the first one has none. A process that is not visible (hidepid, another PID namespace) has neither.
/// </summary>
internal sealed class WorkerUsage(TimeProvider clock)
{
    /// <summary>USER_HZ, the unit of the times in /proc: 100 on every architecture of .NET.</summary>
    private const double TicksPerSecond = 100;

    private Dictionary<int, (long Ticks, long At)> last = [];
    private Dictionary<int, (long Ticks, long At)> next = [];

    /// <summary>Starts a sample of all workers and forgets those that the last sample did not ask for.</summary>
    public void BeginSample()
    {
        last = next;
        next = [];
    }

    /// <summary>Share of one processor since the last sample in percent, and resident memory in bytes; null if unknown.</summary>
    public (double? Processor, long? Memory) Of(int pid)
    {
        try
        {
            // The command may contain blanks and parentheses: fields follow the last ")". utime, stime, rss: 14, 15, 24.
            var text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
            var memory = long.Parse(fields[21], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
            var now = clock.GetTimestamp();
            next[pid] = (ticks, now);
            if (!last.TryGetValue(pid, out var before) || clock.GetElapsedTime(before.At, now) is var elapsed && elapsed <= TimeSpan.Zero)
            {
                return (null, memory);
            }

            return (Math.Max(0, (ticks - before.Ticks) / TicksPerSecond / elapsed.TotalSeconds * 100), memory);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException or IndexOutOfRangeException)
        {
            return (null, null);
        }
    }
}
