using Xunit;

namespace Supervisor.Control.Tests;

public sealed class HistoryTests
{
    private const string Create = """
        {"seq":1,"at":"2026-03-04T08:48:00.5+00:00","phase":"create","call":"socket","option":null,"requested":null,"effective":7,"errno":null,"verdict":"exact","actor":{"pid":4242,"name":"listend"},"note":null,"since_creation_us":0}
        """;
    private const string Mark = """
        {"seq":2,"at":"2026-03-04T08:48:00.5+00:00","phase":"pre-bind","call":"setsockopt","option":"SO_MARK","requested":7,"effective":null,"errno":"EPERM","verdict":"refused","actor":{"pid":4242,"name":"listend"},"note":"needs CAP_NET_ADMIN","since_creation_us":15}
        """;
    private const string Listen = """
        {"seq":3,"at":"2026-03-04T08:48:00.5+00:00","phase":"listen","call":"listen","option":null,"requested":100000,"effective":4096,"errno":null,"verdict":"adjusted","actor":{"pid":4242,"name":"listend"},"note":"net.core.somaxconn is 4096","since_creation_us":1304}
        """;
    private const string Drift = """
        {"seq":4,"at":"2026-03-04T08:48:07.7+00:00","phase":"drift","call":"listen","option":null,"requested":4096,"effective":511,"errno":null,"verdict":"drifted","actor":null,"note":"held by api[4711], api[4712]","since_creation_us":7204000}
        """;
    private const string Close = """
        {"seq":5,"at":"2026-03-04T09:53:05.5+00:00","phase":"close","call":"close","option":null,"requested":null,"effective":null,"errno":null,"verdict":"exact","actor":{"pid":4242,"name":"listend"},"note":null,"since_creation_us":3905000000}
        """;

    private const string Entries = $"[{Create},{Mark},{Listen},{Drift}]";
    private const string Listeners = """
        [{"name":"web","kind":"tcp","state":"listening","requested":"tcp://*:8080","effective":"tcp://[::]:8080","inode":1,"fd":7,"shards":1,"backlog":null,"queue":null,"options":[],"origin":"created","drift":false,"failure":null,"services":[]}]
        """;

    [Fact]
    public void Text_output_shows_time_call_and_actor()
    {
        using var daemon = Daemon(FakeDaemon.Stream([]));
        Assert.Equal(
            """
            web  tcp://[::]:8080  since 2026-03-04 08:48:00.500, 3h11m ago
             SINCE  PHASE     CALL        OPTION   REQUESTED -> EFFECTIVE  VERDICT        WHO            NOTE
              0 µs  create    socket               7                       exact          listend[4242]
             15 µs  pre-bind  setsockopt  SO_MARK  7                       refused EPERM  listend[4242]  needs CAP_NET_ADMIN
            1.3 ms  listen    listen               100000 -> 4096          adjusted       listend[4242]  net.core.somaxconn is 4096
            7.2 s   drift     listen               4096 -> 511             drifted                       held by api[4711], api[4712]

            """,
            Listenctl.Run(daemon, "history", "web").Output);
    }

    [Fact]
    public void Json_output_is_the_daemons_unchanged_bytes()
    {
        using var daemon = Daemon(FakeDaemon.Stream([]));
        Assert.Equal(new Listenctl(ExitCode.Done, Entries + "\n", ""), Listenctl.Run(daemon, "history", "web", "--json"));
    }

    [Fact]
    public void Followed_history_has_one_document_per_line()
    {
        var stream = $"{Create}\n{Mark}\n{Listen}\n\n{Close}\n";
        using var daemon = Daemon(FakeDaemon.Stream(stream.Chunk(37).Select(c => new string(c))));
        var result = Listenctl.Run(daemon, "history", "web", "--follow", "--json");
        Assert.Equal(new Listenctl(ExitCode.Done, $"{Create}\n{Mark}\n{Listen}\n{Close}\n", ""), result);
        Assert.Equal(["GET /v1/listeners/web/history?follow=true"], daemon.Requests);
    }

    [Fact]
    public void Followed_text_prints_each_entry_once_in_the_same_columns()
    {
        using var daemon = Daemon(FakeDaemon.Stream([$"{Create}\n{Mark}\n{Listen}\n{Drift}\n", $"{Close}\n"]));
        var result = Listenctl.Run(daemon, "history", "web", "--follow");
        Assert.Equal(
            """
            web  tcp://[::]:8080  since 2026-03-04 08:48:00.500, 3h11m ago
                SINCE  PHASE        CALL        OPTION   REQUESTED -> EFFECTIVE  VERDICT        WHO               NOTE
                 0 µs  create       socket               7                       exact          listend[4242]
                15 µs  pre-bind     setsockopt  SO_MARK  7                       refused EPERM  listend[4242]     needs CAP_NET_ADMIN
               1.3 ms  listen       listen               100000 -> 4096          adjusted       listend[4242]     net.core.somaxconn is 4096
               7.2 s   drift        listen               4096 -> 511             drifted                          held by api[4711], api[4712]
             1h05m     close        close                                        exact          listend[4242]

            """,
            result.Output);
        Assert.Equal(ExitCode.Done, result.ExitCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_broken_history_stream_prints_only_whole_lines(bool isComplete)
    {
        using var daemon = Daemon(FakeDaemon.Stream(isComplete ? [Create + "\n"] : [Create + "\n", Mark[..20]], isComplete));
        var result = Listenctl.Run(daemon, "history", "web", "--follow", "--json");
        Assert.Equal((ExitCode.Unreachable, Create + "\n"), (result.ExitCode, result.Output));
        Assert.StartsWith(
            $"listenctl: lost the connection to listend at {daemon.SocketPath}: the daemon ",
            result.Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_listener_prints_the_daemons_problem_document()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Problem(404, "there is no listener a b"));
        var result = Listenctl.Run(daemon, "history", "a b", "--json");
        Assert.Equal((ExitCode.Failed, "listenctl: there is no listener a b\n"), (result.ExitCode, result.Error));
        Assert.EndsWith("\"instance\":\"/x\"}\n", result.Output, StringComparison.Ordinal);
        Assert.Equal(["GET /v1/listeners/a%20b/history"], daemon.Requests);
    }

    private static FakeDaemon Daemon(Action<System.Net.Sockets.Socket> stream) => new(request => request switch
    {
        "GET /v1/listeners?name=web&options=false&drift=false" => FakeDaemon.Json(Listeners),
        "GET /v1/listeners/web/history" => FakeDaemon.Json(Entries),
        _ => stream,
    });
}
