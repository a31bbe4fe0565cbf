using System.Globalization;

namespace Supervisor.EndToEnd;

/// <summary>The processor time of the machine since its start, and the part of this test.</summary>
/// <param name="At">When, in seconds.</param>
/// <param name="Busy">Seconds of all processors together, without interrupts: proc_stat(5).</param>
/// <param name="Ours">Seconds of this process, the daemon under test and their descendants: proc_pid_stat(5).</param>
internal sealed record ProcessorTime(double At, double Busy, double Ours)
{
    // sysconf(_SC_CLK_TCK): 100 on every architecture that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>Reads the current values.</summary>
    public static ProcessorTime Read(DaemonUnderTest daemon)
    {
        // cpu user nice system idle iowait irq softirq steal ...
        var all = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(Number).ToArray();
        var ours = Processes.WithEnvironment(daemon.Runtime).Append(daemon.Pid).Append(Environment.ProcessId).Sum(Of);
        return new ProcessorTime(
            TimeProvider.System.GetTimestamp() / (double)TimeProvider.System.TimestampFrequency,
            (all[0] + all[1] + all[2] + all[7]) / TicksPerSecond,
            ours);
    }

    /// <summary>The share of all processors that other processes have used since <paramref name="before"/>.</summary>
    public double OthersSince(ProcessorTime before) =>
        Math.Max(0, Busy - before.Busy - (Ours - before.Ours)) / ((At - before.At) * Environment.ProcessorCount);

    // Fields 14 to 17: utime, stime, and those of the reaped children.
    private static double Of(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ').Skip(11).Take(4).Sum(Number) / TicksPerSecond;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static double Number(string text) => double.Parse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);
}
