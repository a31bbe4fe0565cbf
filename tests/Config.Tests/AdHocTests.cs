using Supervisor.Config.Settings;
using Supervisor.Core.Services;

namespace Supervisor.Config.Tests;

public sealed class AdHocTests
{
    [Fact]
    public void One_listener_is_named_listen_and_its_service_by_command()
    {
        var result = ForCommand(["tcp://*:80"], "4", "stdin", "started", ["/usr/bin/my app", "-x"], Parsing.Context);
        Assert.Empty(result.Errors);
        Assert.Equal("listen", Assert.Single(result.Config!.Listeners).Name);
        var service = Assert.Single(result.Config.Services);
        Assert.Equal("my-app", service.Name);
        Assert.Equal(["/usr/bin/my app", "-x"], service.Command.ToArray());
        Assert.Equal(["listen"], service.Listeners.ToArray());
        Assert.Equal(4, service.Workers);
        Assert.Equal(HandoffKind.Stdin, service.Handoff);
        Assert.Equal(Readiness.Started, service.Readiness);
    }

    [Fact]
    public void Several_listeners_without_names_are_numbered()
    {
        var result = ForCommand(
            ["tcp://*:80", "admin=tcp://127.0.0.1:81", "unix:///run/a=b.sock"], null, null, null, ["node"], Parsing.Context);
        Assert.Empty(result.Errors);
        Assert.Equal(["listen0", "admin", "listen2"], result.Config!.Services[0].Listeners.ToArray());
        Assert.Equal("unix:///run/a=b.sock", result.Config.Listeners[2].Address.ToString());
        Assert.Equal(new ServiceSpec { Name = "node", Command = [], Listeners = [] }.Handoff, result.Config.Services[0].Handoff);
    }

    [Fact]
    public void Option_errors_match_the_setting_errors()
    {
        var result = ForCommand(["tcp://localhost:80", "tcp://1.2.3.4:99999"], "0", "fd", "http", [], Parsing.Context);
        Assert.Null(result.Config);
        Assert.Equal(["--listen", "--listen", "COMMAND", "--workers", "--handoff", "--ready"], result.Errors.Select(e => e.Setting!));
        Assert.All(result.Errors, e => Assert.Equal(("command line", 0, 0), (e.File, e.Line, e.Column)));
        Assert.Contains("write tcp://127.0.0.1:80 or tcp://[::1]:80", result.Errors[0].ToString(), StringComparison.Ordinal);
        Assert.Equal(
            "command line: --workers: 0 is out of range (1 to 10000); write an integer from 1 to 10000", result.Errors[3].ToString());
    }

    [Fact]
    public void A_conflict_of_options_names_the_option()
    {
        var result = ForCommand(["a=tcp://*:1", "a=tcp://*:2"], null, "stdin", null, ["x"], Parsing.Context);
        Assert.Contains(
            result.Errors, e => e.Setting == "--listen" && e.Message.Contains("\"a\" is given twice", StringComparison.Ordinal));
        result = ForCommand(["tcp://*:1", "tcp://*:2"], null, "stdin", null, ["x"], Parsing.Context);
        Assert.Equal("--handoff", Assert.Single(result.Errors).Setting);
        result = ForCommand(["tcp://*:1", "tcp://*:1"], null, null, null, ["x"], Parsing.Context);
        Assert.Contains("duplicate-in-config", Assert.Single(result.Errors).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/", "command")]
    [InlineData("..", "command")]
    [InlineData("./run.sh", "run.sh")]
    [InlineData("/opt/ünï", "-n-")]
    public void The_derived_service_name_is_always_valid(string command, string expected) =>
        Assert.Equal(expected, ForCommand([], null, null, null, [command], Parsing.Context).Config!.Services[0].Name);

    [Theory]
    [InlineData("cpus", 6)]
    [InlineData("12", 12)]
    public void Workers_are_a_number_or_cpus(string workers, int expected) =>
        Assert.Equal(expected, ForCommand(["tcp://*:1"], workers, null, null, ["x"], Parsing.Context).Config!.Services[0].Workers);

    [Theory]
    [InlineData("x", "\"x\" is not a number of workers; write an integer from 1 to 10000, or \"cpus\"")]
    [InlineData("", "\"\" is not a number of workers; write an integer from 1 to 10000, or \"cpus\"")]
    [InlineData("-", "\"-\" is not a number of workers; write an integer from 1 to 10000, or \"cpus\"")]
    [InlineData("99999999999", "99999999999 is out of range (1 to 10000); write an integer from 1 to 10000")]
    [InlineData("-99999999999999999999", "-99999999999999999999 is out of range (1 to 10000); write an integer from 1 to 10000")]
    public void Other_worker_values_are_errors_of_the_option(string workers, string expected) => Assert.Equal(
        $"command line: --workers: {expected}",
        Assert.Single(ForCommand(["tcp://*:1"], workers, null, null, ["x"], Parsing.Context).Errors).ToString());

    private static ConfigResult ForCommand(
        IReadOnlyList<string> listen, string? workers, string? handoff, string? ready, IReadOnlyList<string> command,
        ConfigContext context) =>
        Parsing.Validate(AdHocConfig.ForCommand(listen, workers, handoff, ready, command, context));
}
