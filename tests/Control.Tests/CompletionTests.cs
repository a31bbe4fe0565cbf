using Xunit;

namespace Supervisor.Control.Tests;

public sealed class CompletionTests
{
    private const string Status = """
        {"daemon":{"pid":1,"version":"0","started_at":"2026-03-04T08:48:00+00:00","upgrades":0},"services":[{"name":"api"},{"name":"mailer"}]}
        """;

    [Theory]
    [InlineData("listenctl sta", "start", "status")]
    [InlineData("listenctl restart a", "api", "mailer")]
    [InlineData("/usr/bin/listenctl logs mai", "mailer")]
    [InlineData("listenctl history w", "web")]
    [InlineData("listenctl listeners w", "web")]
    [InlineData("listenctl restart api --w", "--wait")]
    [InlineData("listenctl signal api usr", "USR1", "USR2")]
    public void Completion_offers_the_words_that_can_follow(string line, params string[] expected)
    {
        using var daemon = new FakeDaemon(
            request => FakeDaemon.Json(
                request.StartsWith("GET /v1/listeners?", StringComparison.Ordinal) ? """[{"name":"web"},{"name":"stats"}]""" : Status));
        var result = Listenctl.Run([$"[suggest:{line.Length}]", line], variables: new() { ["LISTEND_CONTROL"] = daemon.SocketPath });
        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
        Assert.Equal(
            expected,
            result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal).Intersect(expected));
    }

    [Theory]
    [InlineData("listenctl signal api ", "HUP", "api")]
    [InlineData("listenctl signal ", "api", "HUP")]
    [InlineData("listenctl signal a", "api", "ALRM")]
    [InlineData("listenctl take ", "web", "api")]
    [InlineData("listenctl take web ", "stats", "api")]
    [InlineData("listenctl take --handoff nginx ", "web", "api")]
    [InlineData("listenctl take web -- ", null, "web")]
    [InlineData("listenctl restart api ", "--wait", "mailer")]
    [InlineData("listenctl explain ", "--device", "web")]
    [InlineData("listenctl -H web1 restart ", "--wait", "api")]
    public void Completion_offers_names_before_options(string line, string? first, string never)
    {
        using var daemon = new FakeDaemon(
            request => FakeDaemon.Json(
                request.StartsWith("GET /v1/listeners?", StringComparison.Ordinal) ? """[{"name":"web"},{"name":"stats"}]""" : Status));
        var result = Listenctl.Run([$"[suggest:{line.Length}]", line], variables: new() { ["LISTEND_CONTROL"] = daemon.SocketPath });
        var words = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.DoesNotContain(never, words);
        Assert.Equal(words.OrderBy(word => word.StartsWith('-')), words);
        if (first is not null)
        {
            Assert.Contains(first, words);
        }
    }

    [Fact]
    public void Completion_ignores_the_words_after_the_cursor()
    {
        var result = Listenctl.Run(["[suggest:14]", "listenctl events extra words"]);
        Assert.Equal("events\n", result.Output);
    }

    [Theory]
    [InlineData("listenctl --socket /nonexistent status x")]
    [InlineData("listenctl status x")]
    public void Completion_offers_no_names_without_an_answer(string line) =>
        Assert.Equal(new Listenctl(ExitCode.Done, "", ""), Listenctl.Run([$"[suggest:{line.Length}]", line]));
}
