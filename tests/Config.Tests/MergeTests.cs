using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;

namespace Supervisor.Config.Tests;

public sealed class MergeTests
{
    private const string Web = "[listener.web]\naddress = \"tcp://127.0.0.1:80\"\n";

    [Fact]
    public void Several_files_form_one_configuration()
    {
        var result = Parsing.Parse(
            [
                new ConfigSource("main.toml", Web + "[daemon]\nmetrics = \"127.0.0.1:1\"\n"),
                new ConfigSource(
                    "conf.d/a.toml", "[daemon]\nruntime_directory = \"/run/x\"\n[service.api]\ncommand = [\"/a\"]\nlisteners = [\"web\"]"),
            ],
            Parsing.Context);
        Assert.Empty(result.Errors);
        Assert.Equal(new DaemonConfig { Metrics = "127.0.0.1:1", RuntimeDirectory = "/run/x" }, result.Config!.Daemon);
        Assert.Equal("web", Assert.Single(result.Config.Services).Listeners[0]);
        Assert.Single(result.Config.Listeners);
    }

    [Fact]
    public void A_duplicate_in_two_files_is_an_error_that_names_both()
    {
        var errors = Parsing.Errors(
            Web + "[daemon]\nmetrics = \"127.0.0.1:1\"\n[service.a]\ncommand = [\"/a\"]\n",
            "# more\n[service.a]\nworkers = 0\ncommand = [\"/a\"]\n[daemon]\nmetrics = \"127.0.0.1:2\"\n[listener.web]\n"
            + "address = \"tcp://127.0.0.1:81\"\n");
        Assert.Equal(
            [
                "conf.d/1.toml:2:10: service.a: \"a\" is defined twice: first at main.toml:5:10; "
                + "remove one of the two definitions",
                "conf.d/1.toml:3:11: service.a.workers: 0 is out of range (1 to 10000); write an integer from 1 to 10000",
                "conf.d/1.toml:6:1: daemon.metrics: \"metrics\" is defined twice: first at main.toml:4:1; "
                + "remove one of the two definitions",
                "conf.d/1.toml:7:11: listener.web: \"web\" is defined twice: first at main.toml:1:11; "
                + "remove one of the two definitions",
            ],
            errors);
    }

    [Fact]
    public void The_same_address_in_two_files_names_both_places()
    {
        var error = Assert.Single(Parsing.Errors(Web, "[listener.other]\naddress = \"tcp://127.0.0.1:80\"\n"));
        Assert.StartsWith(
            "conf.d/1.toml:2:11: listener.other.address: tcp://127.0.0.1:80 is also the address of listener \"web\" "
            + "at main.toml:2:11 (duplicate-in-config)",
            error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_configuration_gives_one_error() =>
        Assert.Contains(
            "no listener and no service", Assert.Single(Parsing.Parse([], Parsing.Context).Errors).Message, StringComparison.Ordinal);
}
