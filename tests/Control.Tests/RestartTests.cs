using System.Text.Json;
using Xunit;

namespace Supervisor.Control.Tests;

public sealed class RestartTests
{
    private static readonly string[] Good =
    [
        Line("replacing", 0, 0, 3, "starting worker slot 0"),
        Line("replacing", 0, 0, 4, "starting worker slot 0"),
        Line("replacing", 1, 1, 301, "worker slot 0 (pid 7000) is ready, its predecessor drains"),
        Line("draining", 2, 1, 600, "draining, generation 3: 2 of 2 replaced, 1 draining"),
        Line("done", 2, 0, 612, "generation 3 serves, 2 workers replaced in 612ms", "done"),
    ];

    [Fact]
    public void Without_wait_the_command_reports_what_has_started()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json(Line("replacing", 0, 0, 0, "roll-out of generation 3 begun"), 202));
        Assert.Equal(
            new Listenctl(ExitCode.Done, "hello: roll-out of generation 3 begun\n", ""), Listenctl.Run(daemon, "restart", "hello"));
        var json = Listenctl.Run(daemon, "restart", "hello", "--json");
        Assert.Equal(Line("replacing", 0, 0, 0, "roll-out of generation 3 begun"), json.Output);
        Assert.Equal(["POST /v1/services/hello/restart", "POST /v1/services/hello/restart"], daemon.Requests);
    }

    [Fact]
    public void Wait_prints_a_line_for_each_change_and_then_the_outcome()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Stream(Good));
        Assert.Equal(
            """
            hello: starting worker slot 0
            hello: worker slot 0 (pid 7000) is ready, its predecessor drains
            hello: draining, generation 3: 2 of 2 replaced, 1 draining
            hello: generation 3 serves, 2 workers replaced in 612ms

            """,
            Listenctl.Run(daemon, "restart", "hello", "--wait").Output);
        Assert.Equal(["POST /v1/services/hello/restart?wait=true"], daemon.Requests);
    }

    [Fact]
    public void Wait_with_json_prints_only_the_last_document()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Stream(Good));
        var result = Listenctl.Run(daemon, "restart", "hello", "--wait", "--json");
        Assert.Equal((ExitCode.Done, Good[^1]), (result.ExitCode, result.Output));
        Assert.StartsWith("hello: starting worker slot 0\n", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_rollback_prints_the_cause_and_fails(bool json)
    {
        var last = Line(
            "rolled-back", 0, 0, 1234, "generation 3 rolled back to generation 2 after 1.23s: because", "rolled-back", "because");
        using var daemon = new FakeDaemon(_ => FakeDaemon.Stream([last]));
        var result = Listenctl.Run(daemon, json ? ["restart", "hello", "--wait", "--json"] : ["restart", "hello", "--wait"]);
        Assert.Equal(
            new Listenctl(
                ExitCode.Failed, json ? last : "", "listenctl: hello: generation 3 rolled back to generation 2 after 1.23s: because\n"),
            result);
    }

    [Fact]
    public void A_timeout_message_names_the_command_to_continue_watching()
    {
        using var daemon = new FakeDaemon(
            _ => FakeDaemon.Stream([Line("replacing", 1, 1, 1500, "not done after 1.5s: the roll-out continues", "timeout")]));
        var result = Listenctl.Run(daemon, "restart", "hello", "--timeout", "1m500ms");
        Assert.Equal(
            new Listenctl(
                ExitCode.Failed, "", "listenctl: hello: not done after 1.5s: the roll-out continues; see \"listenctl status hello\"\n"),
            result);
        Assert.Equal(["POST /v1/services/hello/restart?wait=true&timeout_ms=60500"], daemon.Requests);
    }

    [Theory]
    [InlineData("superseded", "listenctl: hello: spawning hello: ENOENT\n")]
    [InlineData("failed", "listenctl: hello: spawning hello: ENOENT\n")]
    public void Every_other_outcome_fails(string outcome, string message)
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Stream([Line(outcome, 0, 0, 1000, "spawning hello: ENOENT", outcome)]));
        var result = Listenctl.Run(daemon, "restart", "hello", "--wait");
        Assert.Equal(new Listenctl(ExitCode.Failed, "", message), result);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_stream_without_an_outcome_means_a_lost_daemon(bool isComplete)
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Stream(Good[..2], isComplete));
        var result = Listenctl.Run(daemon, "restart", "hello", "--wait", "--json");
        Assert.Equal((ExitCode.Unreachable, ""), (result.ExitCode, result.Output));
        Assert.Contains("listenctl: lost the connection to listend at " + daemon.SocketPath, result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(404, ExitCode.Failed)]
    [InlineData(409, ExitCode.Failed)]
    [InlineData(400, ExitCode.Failed)]
    [InlineData(403, ExitCode.NotPermitted)]
    public void The_problem_document_determines_the_exit_status(int status, int exitCode)
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Problem(status, "because"));
        foreach (string[] args in new[] { ["restart", "hello"], new[] { "restart", "hello", "--wait" } })
        {
            Assert.Equal(new Listenctl(exitCode, "", "listenctl: because\n"), Listenctl.Run(daemon, args));
            var json = Listenctl.Run(daemon, [.. args, "--json"]);
            Assert.Equal(exitCode, json.ExitCode);
            if (exitCode == ExitCode.NotPermitted)
            {
                Assert.Empty(json.Output);
            }
            else
            {
                using var problem = JsonDocument.Parse(json.Output);
                Assert.Equal(status, problem.RootElement.GetProperty("status").GetInt32());
            }
        }
    }

    [Fact]
    public void A_terminal_shows_the_progress_bar_and_keeps_the_outcome()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Stream(Good));
        var result = Listenctl.Run(["restart", "hello", "--wait"], daemon.SocketPath, new() { ["TERM"] = "xterm" }, isTerminal: true);
        Assert.Equal(ExitCode.Done, result.ExitCode);
        Assert.Contains("hello: generation 3 serves, 2 workers replaced in 612ms", result.Output, StringComparison.Ordinal);
        Assert.Contains("\e[?25h", result.Output, StringComparison.Ordinal);
    }

    private static string Line(
        string state, int replaced, int draining, int elapsed, string message, string? outcome = null, string? reason = null) =>
        $$$"""{"service":"hello","outcome":{{{Quoted(outcome)}}},"rollout":{"state":"{{{state}}}","from":2,"to":3"""
        + $$$""","replaced":{{{replaced}}},"total":2,"reason":{{{Quoted(reason)}}},"strategy":"rolling","draining":{{{draining}}}"""
        + $$$""","elapsed_ms":{{{elapsed}}}},"message":"{{{message}}}"}""" + "\n";

    private static string Quoted(string? text) => text is null ? "null" : $"\"{text}\"";
}
