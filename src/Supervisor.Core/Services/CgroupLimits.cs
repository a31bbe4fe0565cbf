using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;

namespace Supervisor.Core.Services;

/// <summary>
/// What all processes of one worker together may use: limits of the worker's own cgroup (cgroups(7), version 2). Null: no limit, or
/// the kernel's default.
/// </summary>
public sealed record CgroupLimits
{
    /// <summary>The settings, each with the controller that it needs.</summary>
    public static readonly ImmutableArray<CgroupLimit> All =
    [
        new("memory_max", CgroupController.Memory, static limits => Number(limits.MemoryMax)),
        new("memory_high", CgroupController.Memory, static limits => Number(limits.MemoryHigh)),
        new("cpu", CgroupController.Cpu, static limits => Share(limits.Cpu)),
        new("tasks", CgroupController.Pids, static limits => Number(limits.Tasks)),
        new("io_weight", CgroupController.Io, static limits => Number(limits.IoWeight)),
    ];

    /// <summary>How many units of <see cref="Cpu"/> are one percent.</summary>
    public const int CpuUnitsOfPercent = 100;

    /// <summary>Bytes of memory; above it, the kernel kills the worker.</summary>
    public long? MemoryMax { get; init; }

    /// <summary>Bytes of memory; above it, the kernel slows the worker down and reclaims its memory.</summary>
    public long? MemoryHigh { get; init; }

    /// <summary>Processor time, in hundredths of a percent of one processor.</summary>
    public int? Cpu { get; init; }

    /// <summary>The number of processes and threads.</summary>
    public long? Tasks { get; init; }

    /// <summary>The share of the disks' time next to other cgroups, 1 to 10000; the kernel's default is 100.</summary>
    public int? IoWeight { get; init; }

    /// <summary>Whether none is set.</summary>
    [JsonIgnore]
    public bool IsEmpty => this is { MemoryMax: null, MemoryHigh: null, Cpu: null, Tasks: null, IoWeight: null };

    /// <summary>The controllers that the limits need.</summary>
    [JsonIgnore]
    public CgroupController Controllers =>
        (this is { MemoryMax: null, MemoryHigh: null } ? CgroupController.None : CgroupController.Memory)
        | (Cpu is null ? CgroupController.None : CgroupController.Cpu)
        | (Tasks is null ? CgroupController.None : CgroupController.Pids)
        | (IoWeight is null ? CgroupController.None : CgroupController.Io);

    /// <summary>The limits that these controllers enforce.</summary>
    public CgroupLimits Only(CgroupController controllers) => new()
    {
        MemoryMax = controllers.HasFlag(CgroupController.Memory) ? MemoryMax : null,
        MemoryHigh = controllers.HasFlag(CgroupController.Memory) ? MemoryHigh : null,
        Cpu = controllers.HasFlag(CgroupController.Cpu) ? Cpu : null,
        Tasks = controllers.HasFlag(CgroupController.Pids) ? Tasks : null,
        IoWeight = controllers.HasFlag(CgroupController.Io) ? IoWeight : null,
    };

    /// <summary>A share of processor time as the configuration has it, such as "150%".</summary>
    public static string? Share(int? cpu) => cpu is not { } units
        ? null
        : string.Create(CultureInfo.InvariantCulture, $"{units / (decimal)CpuUnitsOfPercent:0.##}%");

    private static string? Number(long? value) => value?.ToString(CultureInfo.InvariantCulture);
}

/// <summary>One of <see cref="CgroupLimits"/>.</summary>
/// <param name="Name">Its setting below <c>limits</c>.</param>
/// <param name="Controller">The controller that it needs.</param>
/// <param name="Spelled">Its value as text; null if it is not set.</param>
public sealed record CgroupLimit(string Name, CgroupController Controller, Func<CgroupLimits, string?> Spelled)
{
    /// <summary>The setting's key.</summary>
    public string Setting => "limits." + Name;
}

/// <summary>Controllers of cgroups, version 2.</summary>
[Flags]
[JsonConverter(typeof(JsonStringEnumConverter<CgroupController>))]
public enum CgroupController
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>memory.</summary>
    Memory = 1,

    /// <summary>cpu.</summary>
    Cpu = 2,

    /// <summary>pids.</summary>
    Pids = 4,

    /// <summary>io.</summary>
    Io = 8,
}
