using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>The control socket as others may use it.</summary>
public sealed class ControlInterfaceTests
{
    private const string Config = """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.web]
        command = ["@hello@"]
        listeners = ["web"]
        """;

    [Fact]
    public Task Once_nobody_asks_any_more_nothing_is_held_for_it_and_the_next_ones_are_served_as_the_first() => DaemonUnderTest.WithAsync(
        Config,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web");
            var socket = $"socket:[{await InodeAsync(daemon.ControlSocket)}]";
            for (var i = 0; i < 3; i++)
            {
                // Both are there before either is asked: where only one is accepted until it has gone, the other waits for ever.
                using (var first = await ConnectAsync(daemon))
                using (var second = await ConnectAsync(daemon))
                {
                    Assert.StartsWith("HTTP/1.1 200", await AskAsync(second), StringComparison.Ordinal);
                    Assert.StartsWith("HTTP/1.1 200", await AskAsync(first), StringComparison.Ordinal);
                }

                await daemon.Log.WaitAsync(0, i + 1, line => line.Contains("HTTP is put away", StringComparison.Ordinal), "HTTP is put away");
                Assert.Single(Processes.Descriptors(daemon.Pid).Values, target => target == socket);
            }
        },
        new DaemonOptions { LogLevel = "debug" });

    [Fact]
    public Task What_is_asked_is_understood_or_refused() => DaemonUnderTest.WithAsync(Config, async daemon =>
    {
        await daemon.WaitUntilReadyAsync("web");
        foreach (var (request, detail) in new[]
        {
            ("POST /v1/reload?dry_run=maybe", "dry_run \\\"maybe\\\" is neither yes nor no"),
            ("POST /v1/reload?dryrun=true", "no parameter \\\"dryrun\\\""),
            ("POST /v1/services/web/restart?wait=true&wait=false", "wait is given 2 times"),
            ("GET /v1/events?after=abc&follow=no", "after \\\"abc\\\" is no number"),
        })
        {
            var refused = await daemon.AskAsync(request);
            Assert.StartsWith("HTTP/1.1 400", refused, StringComparison.Ordinal);
            Assert.Contains(detail, refused, StringComparison.Ordinal);
        }

        foreach (var yes in (string[])["dry_run=1", "dry_run=yes", "dry_run"])
        {
            Assert.Contains("\"dry_run\":true,\"applied\":false", await daemon.AskAsync($"POST /v1/reload?{yes}"), StringComparison.Ordinal);
        }

        var head = await daemon.AskAsync("HEAD /v1/status");
        Assert.StartsWith("HTTP/1.1 200", head, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", head, StringComparison.Ordinal);
    });

    [Fact]
    public Task A_service_that_ended_as_it_was_meant_to_does_not_keep_the_daemon_from_being_ready() => DaemonUnderTest.WithAsync(
        Config + "\n\n[service.once]\ncommand = [\"/bin/true\"]\nready = \"started\"\nrestart = { policy = \"on-failure\" }\n\n[service.bad]\ncommand = [\"/bin/false\"]\nready = \"started\"\nrestart = { policy = \"never\" }\n",
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web");
            await daemon.Log.WaitAsync(0, "service once: ", "exited with status 0");
            await daemon.Log.WaitAsync(0, "service bad: ", "exited with status 1");
            Assert.Equal("stopped", (await daemon.StatusAsync("once")).State);
            var ready = await daemon.AskAsync("GET /readyz");
            Assert.StartsWith("HTTP/1.1 503", ready, StringComparison.Ordinal);
            Assert.Contains("bad: 0 of 1 workers are ready", ready, StringComparison.Ordinal);
            Assert.DoesNotContain("once", ready, StringComparison.Ordinal);
            await daemon.ListenctlAsync("stop", "bad");
            Assert.StartsWith("HTTP/1.1 200", await daemon.AskAsync("GET /readyz"), StringComparison.Ordinal);
        });

    [Fact]
    public Task Curl_is_a_client_too() => DaemonUnderTest.WithAsync(Config, async daemon =>
    {
        await daemon.WaitUntilReadyAsync("web");
        Assert.StartsWith("HTTP/1.1 200", await daemon.AskAsync("GET /healthz"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200", await daemon.AskAsync("GET /readyz"), StringComparison.Ordinal);
        Assert.Contains("\"services\":[{\"name\":\"web\"", await daemon.AskAsync("GET /v1/status"), StringComparison.Ordinal);
        var unknown = await daemon.AskAsync("GET /v1/nothing");
        Assert.StartsWith("HTTP/1.1 404", unknown, StringComparison.Ordinal);
        Assert.Contains("application/problem+json", unknown, StringComparison.Ordinal);
        var wrong = await daemon.AskAsync("GET /v1/services/web/restart");
        Assert.StartsWith("HTTP/1.1 405", wrong, StringComparison.Ordinal);
        Assert.Contains("Allow: POST", wrong, StringComparison.Ordinal);
        Assert.Contains("/v1/services/web/restart has no GET: write POST", wrong, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 202", await daemon.AskAsync("POST /v1/services/web/restart"), StringComparison.Ordinal);
        await daemon.Log.WaitAsync(0, "generation 2 serves");
    });

    private static async Task<Socket> ConnectAsync(DaemonUnderTest daemon)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(daemon.ControlSocket));
        return socket;
    }

    private static async Task<string> AskAsync(Socket socket)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        await socket.SendAsync("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), limit.Token);
        var answer = new byte[4096];
        return Encoding.ASCII.GetString(answer, 0, await socket.ReceiveAsync(answer, limit.Token));
    }

    // Num RefCount Protocol Flags Type St Inode Path
    private static async Task<string> InodeAsync(string path) =>
        (await File.ReadAllLinesAsync("/proc/net/unix")).First(line => line.EndsWith(" " + path, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[6];
}
