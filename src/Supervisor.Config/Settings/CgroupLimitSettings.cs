using System.Collections.Immutable;
using Supervisor.Core.Services;

namespace Supervisor.Config.Settings;

/// <summary>The settings below <c>limits</c> that limit a worker's cgroup.</summary>
internal static class CgroupLimitSettings
{
    /// <summary>The least limit of memory: one page.</summary>
    private const long LeastMemory = 4096;

    public static readonly ImmutableArray<Setting<ServiceSpec>> All =
    [
        Of("memory_max", new SizeType(LeastMemory, long.MaxValue),
            "Kill a worker whose processes together use more memory (memory.max of its cgroup). Unset: no limit",
            (limits, value) => limits with { MemoryMax = value }),
        Of("memory_high", new SizeType(LeastMemory, long.MaxValue),
            "Slow a worker down and reclaim its memory when its processes together use more (memory.high). Unset: no limit",
            (limits, value) => limits with { MemoryHigh = value }),
        Of("tasks", SettingTypes.Integer(1, 4194304),
            "Let a worker have at most this number of processes and threads (pids.max). Unset: no limit",
            (limits, value) => limits with { Tasks = value }),
        Of("io_weight", SettingTypes.Integer(1, 10000),
            "Give each worker this weight for disk time next to other cgroups (io.weight). Unset: the kernel's weight, 100",
            (limits, value) => limits with { IoWeight = (int)value }),
    ];

    private static Setting<ServiceSpec> Of<T>(
        string key, SettingType<T> type, string description, Func<CgroupLimits, T, CgroupLimits> with) =>
        new Setting<ServiceSpec, T>(
            "service.NAME", "limits." + key, type, null, description, (s, v) => s with { Cgroup = with(s.Cgroup, v) });
}
