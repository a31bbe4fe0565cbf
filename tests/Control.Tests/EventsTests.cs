using Xunit;

namespace Supervisor.Control.Tests;

public sealed class EventsTests
{
    private const string Ready = """
        {"seq":7,"at":"2026-03-04T08:48:00.5+00:00","kind":"worker-ready","service":"api","listener":null,"worker":{"pid":4711,"slot":0,"generation":2},"state":null,"rollout":null,"message":"service api: worker 0 is ready\u001b[2J"}
        """;
    private const string State = """
        {"seq":8,"at":"2026-03-04T08:48:01+00:00","kind":"service-state","service":"api","listener":null,"worker":null,"state":"running","rollout":null,"message":"service api is running, was starting","new_field":1}
        """;
    private const string Leaving = """
        {"seq":9,"at":"2026-03-04T08:48:02+00:00","kind":"daemon-leaving","service":null,"listener":null,"worker":null,"state":null,"rollout":null,"message":"SIGTERM"}
        """;

    [Fact]
    public void Text_output_has_one_line_for_each_event_without_escapes()
    {
        using var daemon = Daemon(Event(7, "worker-ready", Ready) + Event(8, "service-state", State));
        Assert.Equal(
            new Listenctl(
                ExitCode.Done,
                "2026-03-04 08:48:00.500  worker-ready            service api: worker 0 is ready\\x1B[2J\n" +
                "2026-03-04 08:48:01.000  service-state           service api is running, was starting\n",
                ""),
            Listenctl.Run(daemon, "events"));
        Assert.Equal(["GET /v1/events?follow=false"], daemon.Requests);
    }

    [Fact]
    public void Json_output_has_one_document_per_line_for_any_chunking()
    {
        var stream = ": a comment\n\n" + Event(7, "worker-ready", Ready) + "retry: 5\ndata:" + State + "\n\n"
            + Event(9, "daemon-leaving", Leaving);
        using var daemon = new FakeDaemon(_ => EventStream(stream.Chunk(41).Select(c => new string(c)), isComplete: true));
        Assert.Equal(
            new Listenctl(ExitCode.Done, $"{Ready}\n{State}\n{Leaving}\n", ""),
            Listenctl.Run(daemon, "events", "--follow", "--json"));
        Assert.Equal(["GET /v1/events?follow=true"], daemon.Requests);
    }

    [Fact]
    public void No_events_give_empty_output()
    {
        using var daemon = Daemon("");
        Assert.Equal(new Listenctl(ExitCode.Done, "", ""), Listenctl.Run(daemon, "events", "--json"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_event_stream_that_ends_early_means_a_lost_daemon(bool isComplete)
    {
        using var daemon = new FakeDaemon(_ => EventStream([Event(7, "worker-ready", Ready)], isComplete));
        var result = Listenctl.Run(daemon, "events", "--follow", "--json");
        Assert.Equal((ExitCode.Unreachable, Ready + "\n"), (result.ExitCode, result.Output));
        Assert.Contains("lost the connection", result.Error, StringComparison.Ordinal);
    }

    private static string Event(int id, string kind, string data) => $"id: {id}\nevent: {kind}\ndata: {data}\n\n";

    private static FakeDaemon Daemon(string stream) => new(_ => EventStream([stream], isComplete: true));

    private static Action<System.Net.Sockets.Socket> EventStream(IEnumerable<string> chunks, bool isComplete) =>
        FakeDaemon.Stream(chunks.Where(chunk => chunk.Length > 0), isComplete, "text/event-stream");
}
