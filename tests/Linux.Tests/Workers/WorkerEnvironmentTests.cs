using Supervisor.Linux.Workers;

namespace Supervisor.Linux.Tests.Workers;

public class WorkerEnvironmentTests
{
    [Fact]
    public void What_is_a_processs_own_goes_before_what_all_have_and_of_two_the_later_one_counts()
    {
        var common = new WorkerEnvironment(
            new WorkerIdentity(null, null, null, []),
            new() { ["PATH"] = "/bin", ["LISTEN_FDS"] = "9", ["EMPTY"] = "" });
        Assert.Equal("/bin", common.Path);
        Assert.Equal(
            ["EMPTY=", "LISTEN_FDS=1", "NAME=later", "PATH=/bin"],
            common.With([new("NAME", "earlier"), new("LISTEN_FDS", "1"), new("NAME", "later")]).Order(StringComparer.Ordinal));
        Assert.Equal(["EMPTY=", "LISTEN_FDS=9", "PATH=/bin"], common.With([]).Order(StringComparer.Ordinal));
    }
}
