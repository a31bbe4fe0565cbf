using System.Globalization;
using Supervisor.Core.Services;
using Supervisor.Native;

namespace Supervisor.Linux.Cgroups;

/// <summary>Writes limits to the interface files of a worker's cgroup, and reads them back. Any thread.</summary>
public static class CgroupLimitFiles
{
    /// <summary>The kernel's default period of cpu.max, in microseconds.</summary>
    private const int CpuPeriod = 100_000;

    private const string None = "max";

    /// <summary>
    /// Writes the limits that are not in force. Returns those that are in force now, and why others are not.
    /// </summary>
    /// <param name="directory">The cgroup.</param>
    /// <param name="before">The limits in force.</param>
    /// <param name="wanted">The limits to set.</param>
    public static (CgroupLimits InForce, IReadOnlyList<KeyValuePair<CgroupLimit, LimitRefusal>> Refused) Apply(
        string directory, CgroupLimits before, CgroupLimits wanted)
    {
        var inForce = before;
        List<KeyValuePair<CgroupLimit, LimitRefusal>> refused = [];
        foreach (var limit in CgroupLimits.All)
        {
            if (limit.Spelled(before) == limit.Spelled(wanted))
            {
                continue;
            }

            if (Write(directory, limit, wanted) is { } error)
            {
                refused.Add(new(limit, new LimitRefusal(error.Name, $"{limit.Name} of {directory}: {CgroupControllers.Cause(error)}")));
            }
            else
            {
                inForce = With(inForce, limit, wanted);
            }
        }

        if (inForce.MemoryMax is not null && before.MemoryMax is null)
        {
            // A worker with a part of its processes is of no use, so the kernel kills all of them (since Linux 4.19).
            CgroupFile.Write(directory, "memory.oom.group", "1");
        }

        return (inForce, refused);
    }

    /// <summary>
    /// The limits that the kernel applies, rounded as it does. What has no limit is null; also what has the default weight.
    /// </summary>
    public static CgroupLimits Read(string directory) => new()
    {
        MemoryMax = CgroupFile.Number(directory, "memory.max"),
        MemoryHigh = CgroupFile.Number(directory, "memory.high"),
        Cpu = CgroupFile.Words(directory, "cpu.max") is [var quota, var period]
            && long.TryParse(quota, NumberStyles.None, CultureInfo.InvariantCulture, out var used)
            && long.TryParse(period, NumberStyles.None, CultureInfo.InvariantCulture, out var of)
                ? (int)(used * 100 * CgroupLimits.CpuUnitsOfPercent / of)
                : null,
        Tasks = CgroupFile.Number(directory, "pids.max"),
        IoWeight = IoWeight.Read(directory) is { } weight and not IoWeight.Default ? weight : null,
    };

    private static SystemCallError? Write(string directory, CgroupLimit limit, CgroupLimits wanted) => limit.Name switch
    {
        "memory_max" => CgroupFile.Write(directory, "memory.max", Number(wanted.MemoryMax)),
        "memory_high" => CgroupFile.Write(directory, "memory.high", Number(wanted.MemoryHigh)),
        "cpu" => CgroupFile.Write(directory, "cpu.max", wanted.Cpu is { } share
            ? string.Create(CultureInfo.InvariantCulture, $"{share * (long)CpuPeriod / (100 * CgroupLimits.CpuUnitsOfPercent)} {CpuPeriod}")
            : None),
        "tasks" => CgroupFile.Write(directory, "pids.max", Number(wanted.Tasks)),
        "io_weight" => IoWeight.Write(directory, wanted.IoWeight ?? IoWeight.Default),
        _ => throw new ArgumentOutOfRangeException(nameof(limit), limit.Name, null),
    };

    private static CgroupLimits With(CgroupLimits limits, CgroupLimit limit, CgroupLimits wanted) => limit.Name switch
    {
        "memory_max" => limits with { MemoryMax = wanted.MemoryMax },
        "memory_high" => limits with { MemoryHigh = wanted.MemoryHigh },
        "cpu" => limits with { Cpu = wanted.Cpu },
        "tasks" => limits with { Tasks = wanted.Tasks },
        "io_weight" => limits with { IoWeight = wanted.IoWeight },
        _ => throw new ArgumentOutOfRangeException(nameof(limit), limit.Name, null),
    };

    private static string Number(long? value) => value?.ToString(CultureInfo.InvariantCulture) ?? None;
}
