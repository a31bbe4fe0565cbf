using System.Globalization;

namespace Supervisor.Listenctl;

/// <summary>
/// What worker processes use, from /proc/PID/stat, proc(5). Processor time is a difference between two looks, so that
/// the first one has none. A process that cannot be seen (hidepid, another PID namespace) has neither.
/// </summary>
internal sealed class WorkerUsage(TimeProvider clock)
{
    /// <summary>USER_HZ, in which the kernel shows times whatever its own tick is: 100 on every architecture of .NET.</summary>
    private const double TicksPerSecond = 100;

    private Dictionary<int, (long Ticks, long At)> last = [];
    private Dictionary<int, (long Ticks, long At)> next = [];

    /// <summary>Begins a look at all workers; those that are not asked for are forgotten.</summary>
    public void Begin()
    {
        last = next;
        next = [];
    }

    /// <summary>Share of one processor since the last look, in percent, and resident memory in bytes; null where not known.</summary>
    public (double? Processor, long? Memory) Of(int pid)
    {
        try
        {
            // The name may hold blanks and parentheses: the fields follow the last one. utime, stime and rss are 14, 15 and 24.
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
