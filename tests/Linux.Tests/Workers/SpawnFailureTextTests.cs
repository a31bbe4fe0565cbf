using Supervisor.Core.Services;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Workers;

public sealed class SpawnFailureTextTests
{
    private const int NotPermitted = 1;

    [Theory]
    [InlineData(
        "nproc", 6, ulong.MaxValue, "limits.nproc = infinity: setting it: EPERM",
        "above the daemon's own hard limit: raise that (LimitNPROC= in its unit)")]
    [InlineData("nofile", 7, 1024, "limits.nofile = 1024: setting it: EPERM", "LimitNOFILE=")]
    [InlineData("nofile", 7, ulong.MaxValue, "limits.nofile = infinity: setting it: EPERM", "it is above fs.nr_open, ")]
    public void A_refused_limit_names_its_value_and_the_remedy(string name, int number, ulong value, string message, string remedy)
    {
        var spec = new ServiceSpec { Name = "a", Command = ["/a"], Limits = [new ResourceLimit(name, number, value)] };
        var text = SpawnFailureText.For(spec, "/a", new ChildProcess.Failure(SpawnStage.Limit, NotPermitted, 0), 3);
        Assert.Contains(message, text, StringComparison.Ordinal);
        Assert.Contains(remedy, text, StringComparison.Ordinal);
    }

    /// <summary>The kernel answers EACCES for a missing capability (set_one_prio()); the packaged unit's filter answers EPERM.</summary>
    [Theory]
    [InlineData(13, "CAP_SYS_NICE")]
    [InlineData(NotPermitted, "SystemCallFilter=@resources")]
    public void A_refused_nice_level_names_what_forbids_it(int errno, string remedy)
    {
        var spec = new ServiceSpec { Name = "a", Command = ["/a"], Nice = 5 };
        var text = SpawnFailureText.For(spec, "/a", new ChildProcess.Failure(SpawnStage.Nice, errno, -1), 3);
        Assert.Contains(remedy, text, StringComparison.Ordinal);
    }
}
