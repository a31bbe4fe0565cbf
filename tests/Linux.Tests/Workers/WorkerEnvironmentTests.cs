using Supervisor.Linux.Workers;

namespace Supervisor.Linux.Tests.Workers;

public class WorkerEnvironmentTests
{
    [Fact]
    public void Specific_variables_override_common_ones_and_the_last_wins()
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
