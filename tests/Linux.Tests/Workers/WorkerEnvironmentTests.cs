using Supervisor.Core.Services;
using Supervisor.Linux.Workers;

namespace Supervisor.Linux.Tests.Workers;

public class WorkerEnvironmentTests
{
    [Fact]
    public void Specific_variables_override_common_ones_and_the_last_wins()
    {
        var common = new WorkerEnvironment(
            new WorkerIdentity(null, null, null, []),
            new() { ["PATH"] = "/bin", ["LISTEN_FDS"] = "9", ["EMPTY"] = "" },
            new Dictionary<string, string>());
        Assert.Equal("/bin", common.Path);
        Assert.Equal(
            ["EMPTY=", "LISTEN_FDS=1", "NAME=later", "PATH=/bin"],
            common.With([new("NAME", "earlier"), new("LISTEN_FDS", "1"), new("NAME", "later")]).Order(StringComparer.Ordinal));
        Assert.Equal(["EMPTY=", "LISTEN_FDS=9", "PATH=/bin"], common.With([]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Placeholders_of_the_setting_get_the_values_of_one_worker()
    {
        var common = new WorkerEnvironment(
            new WorkerIdentity(null, null, null, []),
            new() { ["A"] = "{slot}", ["OF_FILE"] = "{slot}", ["PLAIN"] = "x" },
            new Dictionary<string, string> { ["A"] = "{slot}", ["PLAIN"] = "x" });
        Assert.Equal(
            ["A=3", "OF_FILE={slot}", "PLAIN=x"],
            common.With([.. common.Expanded(new Placeholders("api", 1, 3, []))]).Order(StringComparer.Ordinal));
    }
}
