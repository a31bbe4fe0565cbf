using Supervisor.Linux.Cgroups;

namespace Supervisor.Linux.Tests.Cgroups;

/// <summary>The mount point of the daemon's own cgroup: proc(5), cgroups(7).</summary>
public sealed class CgroupMountTests
{
    private const string Unified = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";
    private const string Hybrid = "41 31 0:36 / /sys/fs/cgroup/unified rw,relatime shared:3 master:1 - cgroup2 cgroup2 rw";
    private const string Container = "600 590 0:26 /machine.slice/box /sys/fs/cgroup rw - cgroup2 cgroup rw";
    private const string Old = "42 31 0:37 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory";

    [Theory]
    [InlineData(Unified, "0::/system.slice/listend.service", "/sys/fs/cgroup/system.slice/listend.service")]
    [InlineData(Unified, "0::/", "/sys/fs/cgroup")]
    [InlineData(Hybrid, "0::/system.slice/listend.service", "/sys/fs/cgroup/unified/system.slice/listend.service")]
    [InlineData(Container, "0::/machine.slice/box/listend", "/sys/fs/cgroup/listend")]
    [InlineData(Container, "0::/elsewhere", null)]
    [InlineData(Old, "0::/system.slice", null)]
    [InlineData(Unified, "4:memory:/a", null)]
    public void The_cgroup_directory_is_found_through_its_mount(string mount, string own, string? directory) =>
        Assert.Equal(
            directory,
            CgroupMount.Find(["", Old, mount], ["12:pids:/x", own]) is { } found ? found.Mount.DirectoryOf(found.Own) : null);
}
