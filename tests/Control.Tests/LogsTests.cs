using Xunit;

namespace Supervisor.Control.Tests;

public sealed class LogsTests
{
    private const string Out = """
        {"seq":1,"at":"2026-03-04T08:48:00.5+00:00","pid":4711,"slot":0,"generation":1,"stream":"stdout","priority":6,"line":"hello \u001b[31mred"}
        """;
    private const string Err = """
        {"seq":2,"at":"2026-03-04T08:48:00.6+00:00","pid":4712,"slot":1,"generation":1,"stream":"stderr","priority":3,"line":"[bold]bad[/] news"}
        """;
    private const string Lost = """
        {"seq":9,"at":"2026-03-04T08:48:00.7+00:00","pid":null,"slot":null,"generation":null,"stream":"listend","priority":4,"line":"6 lines before this one are not kept any more"}
        """;

    [Fact]
    public void Text_log_shows_time_writer_and_text()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Stream([$"{Out}\n{Err}\n{Lost}\n"]));
        Assert.Equal(
            new Listenctl(
                ExitCode.Done,
                "2026-03-04 08:48:00.500 0[4711]: hello \\x1B[31mred\n" +
                "2026-03-04 08:48:00.600 1[4712]: [bold]bad[/] news\n" +
                "2026-03-04 08:48:00.700 listend: 6 lines before this one are not kept any more\n",
                ""),
            Listenctl.Run(daemon, "logs", "api"));
        Assert.Equal(["GET /v1/services/api/logs?follow=false"], daemon.Requests);
    }

    [Fact]
    public void Json_log_has_one_document_per_line()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Stream([$"{Out}\n", $"{Err}\n"]));
        Assert.Equal(new Listenctl(ExitCode.Done, $"{Out}\n{Err}\n", ""), Listenctl.Run(daemon, "logs", "api", "--json", "-n", "2"));
        Assert.Equal(["GET /v1/services/api/logs?follow=false&lines=2"], daemon.Requests);
    }

    [Fact]
    public void A_followed_log_that_ends_means_a_lost_daemon()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Stream([$"{Out}\n"]));
        var result = Listenctl.Run(daemon, "logs", "api", "--follow", "--json");
        Assert.Equal((ExitCode.Unreachable, Out + "\n"), (result.ExitCode, result.Output));
        Assert.Equal(["GET /v1/services/api/logs?follow=true"], daemon.Requests);
    }
}
