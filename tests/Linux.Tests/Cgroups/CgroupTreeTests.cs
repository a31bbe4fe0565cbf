using Supervisor.Linux.Cgroups;

namespace Supervisor.Linux.Tests.Cgroups;

/// <summary>The cgroups that a previous daemon has left. A folder stands for a cgroup.</summary>
public sealed class CgroupTreeTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("cgroup-").FullName;

    [Fact]
    public void The_cgroup_of_an_adopted_worker_stays_until_its_end_is_handled()
    {
        var (adopted, other) = (Path.Combine(_directory, "worker-web-1"), Path.Combine(_directory, "worker-web-2"));
        Directory.CreateDirectory(adopted);
        Directory.CreateDirectory(other);
        var tree = new CgroupTree(_directory, new CgroupMount("/", ""));
        tree.Keep(adopted);
        tree.RemoveLeftOver();
        Assert.True(Directory.Exists(adopted));
        Assert.False(Directory.Exists(other));
        tree.Remove(adopted);
        Assert.False(Directory.Exists(adopted));
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
