using System.Globalization;

namespace Supervisor.Bench;

/// <summary>The memory of a process from /proc/PID/smaps_rollup, in MiB.</summary>
/// <param name="Resident">Rss.</param>
/// <param name="Proportional">Pss: shared pages divided by the number of processes that share them.</param>
internal readonly record struct ProcessMemory(double Resident, double Proportional)
{
    public static ProcessMemory Of(int pid)
    {
        var lines = File.ReadAllLines($"/proc/{pid}/smaps_rollup");
        return new ProcessMemory(Field("Rss:"), Field("Pss:"));

        double Field(string name) =>
            double.Parse(
                lines.Single(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Trim().Split(' ')[0],
                CultureInfo.InvariantCulture) / 1024;
    }
}
