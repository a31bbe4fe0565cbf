using System.Globalization;

namespace Supervisor.Bench;

/// <summary>A process's memory by /proc/PID/smaps_rollup, in MiB.</summary>
/// <param name="Resident">Rss.</param>
/// <param name="Proportional">Pss: what it shares counts by the number of sharers.</param>
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
