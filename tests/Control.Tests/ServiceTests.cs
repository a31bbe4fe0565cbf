using Xunit;

namespace Supervisor.Control.Tests;

/// <summary>start, stop, scale and signal.</summary>
public sealed class ServiceTests
{
    private const string Starting = """
        {"service":"api","outcome":null,"rollout":null,"message":"api: starting: 1 of 2 workers ready","state":"starting","desired":2,"ready":1,"workers":2}
        """;
    private const string Started = """
        {"service":"api","outcome":"done","rollout":null,"message":"api: 2 workers ready after 512ms","state":"running","desired":2,"ready":2,"workers":2}
        """;
    private const string Failed = """
        {"service":"api","outcome":"failed","rollout":null,"message":"api: 0 of 2 workers ready: worker 0 exited with status 3","state":"degraded","desired":2,"ready":0,"workers":1}
        """;
    private const string Signalled =
        """{"service":"api","signal":"SIGHUP","sent":2,"pids":[11,12],"message":"api: SIGHUP sent to 2 workers"}""";

    [Theory]
    [InlineData("start")]
    [InlineData("stop")]
    public void Without_wait_the_command_reports_what_has_started(string verb)
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json(Starting, 202));
        Assert.Equal(new Listenctl(ExitCode.Done, "api: starting: 1 of 2 workers ready\n", ""), Listenctl.Run(daemon, verb, "api"));
        Assert.Equal(new Listenctl(ExitCode.Done, Starting + "\n", ""), Listenctl.Run(daemon, verb, "api", "--json"));
        Assert.Equal([$"POST /v1/services/api/{verb}", $"POST /v1/services/api/{verb}"], daemon.Requests);
    }

    [Theory]
    [InlineData("start")]
    [InlineData("stop")]
    [InlineData("restart")]
    public void Wait_prints_a_line_for_each_step_and_then_the_outcome(string verb)
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Stream([Starting + "\n", Starting + "\n", Started + "\n"]));
        Assert.Equal(
            new Listenctl(ExitCode.Done, "api: starting: 1 of 2 workers ready\napi: 2 workers ready after 512ms\n", ""),
            Listenctl.Run(daemon, verb, "api", "--wait"));
        var json = Listenctl.Run(daemon, verb, "api", "--wait", "--json");
        Assert.Equal(new Listenctl(ExitCode.Done, Started + "\n", "api: starting: 1 of 2 workers ready\n"), json);
        Assert.Equal([$"POST /v1/services/api/{verb}?wait=true", $"POST /v1/services/api/{verb}?wait=true"], daemon.Requests);
    }

    [Fact]
    public void A_failed_start_prints_the_cause_and_exits_1()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Stream([Failed + "\n"]));
        Assert.Equal(
            new Listenctl(ExitCode.Failed, "", "listenctl: api: 0 of 2 workers ready: worker 0 exited with status 3\n"),
            Listenctl.Run(daemon, "start", "api", "--timeout", "5s"));
        Assert.Equal(["POST /v1/services/api/start?wait=true&timeout_ms=5000"], daemon.Requests);
    }

    [Fact]
    public void An_interrupted_wait_means_a_lost_daemon()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Stream([Starting + "\n"]));
        var result = Listenctl.Run(daemon, "stop", "api", "--wait", "--json");
        Assert.Equal((ExitCode.Unreachable, ""), (result.ExitCode, result.Output));
        Assert.Contains("the daemon ended the stream before the outcome of the stop", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_terminal_shows_the_start_and_keeps_its_outcome()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Stream([Starting + "\n", Started + "\n"]));
        var result = Listenctl.Run(["start", "api", "--wait"], daemon.SocketPath, new() { ["TERM"] = "xterm" }, isTerminal: true);
        Assert.Equal(ExitCode.Done, result.ExitCode);
        Assert.Contains("api: 2 workers ready after 512ms", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Scale_sends_the_number()
    {
        using var daemon = new FakeDaemon(
            _ => FakeDaemon.Json("""{"service":"a b","outcome":"done","rollout":null,"message":"a b: scaled from 2 to 10000"}"""));
        Assert.Equal(new Listenctl(ExitCode.Done, "a b: scaled from 2 to 10000\n", ""), Listenctl.Run(daemon, "scale", "a b", "10000"));
        Assert.Equal(["POST /v1/services/a%20b/scale?workers=10000"], daemon.Requests);
    }

    [Theory]
    [InlineData("HUP", 1)]
    [InlineData("SIGHUP", 1)]
    [InlineData("hup", 1)]
    [InlineData("1", 1)]
    [InlineData("RTMIN+3", 37)]
    [InlineData("32", 32)]
    public void Signal_accepts_every_spelling_and_counts_the_workers(string spelling, int number)
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json(Signalled));
        Assert.Equal(new Listenctl(ExitCode.Done, "api: SIGHUP sent to 2 workers\n", ""), Listenctl.Run(daemon, "signal", "api", spelling));
        Assert.Equal(new Listenctl(ExitCode.Done, Signalled + "\n", ""), Listenctl.Run(daemon, "signal", "api", spelling, "--json"));
        Assert.Equal([$"POST /v1/services/api/signal?signal={number}", $"POST /v1/services/api/signal?signal={number}"], daemon.Requests);
    }

    [Theory]
    [InlineData(403, ExitCode.NotPermitted)]
    [InlineData(404, ExitCode.Failed)]
    [InlineData(409, ExitCode.Failed)]
    public void The_problem_document_determines_the_exit_status(int status, int exitCode)
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Problem(status, "because"));
        foreach (string[] args in new string[][] {
            ["start", "a"],
            ["stop", "a", "--wait"],
            ["scale", "a", "2"],
            ["signal", "a", "HUP"],
            ["logs", "a"] })
        {
            Assert.Equal(new Listenctl(exitCode, "", "listenctl: because\n"), Listenctl.Run(daemon, args));
        }
    }
}
