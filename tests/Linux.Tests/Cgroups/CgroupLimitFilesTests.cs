using Supervisor.Core.Services;
using Supervisor.Linux.Cgroups;

namespace Supervisor.Linux.Tests.Cgroups;

/// <summary>The interface files of cgroups. A folder with ordinary files stands for a cgroup: writes replace their content.</summary>
public sealed class CgroupLimitFilesTests : IDisposable
{
    private static readonly CgroupLimits All = new()
    {
        MemoryMax = 512L << 20,
        MemoryHigh = 400L << 20,
        Cpu = 150 * CgroupLimits.CpuUnitsOfPercent,
        Tasks = 200,
        IoWeight = 50,
    };

    private readonly string _directory = Directory.CreateTempSubdirectory("cgroup-").FullName;

    [Fact]
    public void Limits_are_written_in_the_kernels_units_and_read_back()
    {
        Make("memory.max", "memory.high", "memory.oom.group", "cpu.max", "pids.max", "io.weight");
        var (inForce, refused) = CgroupLimitFiles.Apply(_directory, new CgroupLimits(), All);
        Assert.Empty(refused);
        Assert.Equal(All, inForce);
        Assert.Equal("150000 100000", Content("cpu.max"));
        Assert.Equal("default 50", Content("io.weight"));
        Assert.Equal("1", Content("memory.oom.group"));
        Assert.Equal(All, CgroupLimitFiles.Read(_directory));
    }

    [Fact]
    public void What_has_no_file_is_refused_with_its_errno_and_is_not_in_force()
    {
        Make("pids.max");
        var (inForce, refused) = CgroupLimitFiles.Apply(_directory, new CgroupLimits(), All);
        Assert.Equal(new CgroupLimits { Tasks = 200 }, inForce);
        Assert.Equal(["memory_max", "memory_high", "cpu", "io_weight"], refused.Select(one => one.Key.Name));
        Assert.All(refused, one => Assert.Equal("ENOENT", one.Value.Errno));
    }

    [Fact]
    public void A_removed_limit_becomes_the_kernels_default()
    {
        Make("memory.max", "memory.high", "memory.oom.group", "cpu.max", "pids.max", "io.weight");
        CgroupLimitFiles.Apply(_directory, new CgroupLimits(), All);
        var (inForce, _) = CgroupLimitFiles.Apply(_directory, All, new CgroupLimits { MemoryMax = 1L << 30 });
        Assert.Equal(new CgroupLimits { MemoryMax = 1L << 30 }, inForce);
        Assert.StartsWith("max", Content("pids.max"), StringComparison.Ordinal);
        Assert.StartsWith("default 100", Content("io.weight"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(50, "default 50")]
    [InlineData(100, "default 100")]
    [InlineData(1090, "default 190")]
    [InlineData(10000, "default 1000")]
    public void The_scheduler_bfq_gets_the_weight_on_its_scale(int weight, string expected)
    {
        Make("io.bfq.weight");
        var (inForce, refused) = CgroupLimitFiles.Apply(_directory, new CgroupLimits(), new CgroupLimits { IoWeight = weight });
        Assert.Empty(refused);
        Assert.Equal(weight, inForce.IoWeight);
        Assert.Equal(expected, Content("io.bfq.weight"));
        Assert.Equal(weight == 100 ? null : weight, CgroupLimitFiles.Read(_directory).IoWeight);
    }

    [Fact]
    public void A_kernel_with_io_cost_and_bfq_gets_the_weight_for_both()
    {
        Make("io.weight", "io.bfq.weight");
        CgroupLimitFiles.Apply(_directory, new CgroupLimits(), new CgroupLimits { IoWeight = 5050 });
        Assert.Equal("default 5050", Content("io.weight"));
        Assert.Equal("default 550", Content("io.bfq.weight"));
    }

    [Fact]
    public void Counters_of_memory_events_are_read_by_their_names()
    {
        File.WriteAllText(Path.Combine(_directory, "memory.events"), "low 0\nhigh 7\nmax 3\noom 1\noom_kill 2\noom_group_kill 1\n");
        Assert.Equal(new MemoryEventCounts(Kills: 2, Limited: 1, High: 7), MemoryEventCounts.Read(_directory));
        Assert.Null(MemoryEventCounts.Read("/nowhere"));
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private void Make(params string[] files)
    {
        foreach (var file in files)
        {
            File.WriteAllText(Path.Combine(_directory, file), "");
        }
    }

    private string Content(string file) => File.ReadAllText(Path.Combine(_directory, file));
}
