using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>The control socket, used by any client.</summary>
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
    public Task An_idle_control_socket_frees_resources_and_serves_again() => DaemonUnderTest.WithAsync(
        Config,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web");
            var socket = $"socket:[{await InodeAsync(daemon.ControlSocket)}]";
            for (var i = 0; i < 3; i++)
            {
                // Both connect before either sends a request: if the daemon served one connection at a time, the other would wait forever.
                using (var first = await ConnectAsync(daemon))
                using (var second = await ConnectAsync(daemon))
                {
                    Assert.StartsWith("HTTP/1.1 200", await AskAsync(second), StringComparison.Ordinal);
                    Assert.StartsWith("HTTP/1.1 200", await AskAsync(first), StringComparison.Ordinal);
                }

                await daemon.Log.WaitForAsync(0, i + 1, message => message.Kind == MessageIds.ControlIdle, nameof(MessageIds.ControlIdle));
                Assert.Single(Processes.Descriptors(daemon.Pid).Values, target => target == socket);
            }
        },
        new DaemonOptions { LogLevel = "debug" });

    [Fact]
    public Task Unknown_or_repeated_parameters_are_rejected() => DaemonUnderTest.WithAsync(Config, async daemon =>
    {
        await daemon.WaitUntilReadyAsync("web");
        foreach (var (request, name) in new[]
        {
            ("POST /v1/reload?dry_run=maybe", "maybe"),
            ("POST /v1/reload?dryrun=true", "dryrun"),
            ("POST /v1/services/web/restart?wait=true&wait=false", "wait\\\" appears 2 times"),
            ("GET /v1/events?after=abc&follow=no", "abc"),
        })
        {
            var refused = await daemon.AskAsync(request);
            Assert.StartsWith("HTTP/1.1 400", refused, StringComparison.Ordinal);
            Assert.Contains(name, refused[refused.IndexOf("\r\n\r\n", StringComparison.Ordinal)..], StringComparison.Ordinal);
        }

        foreach (var yes in (string[])["dry_run=1", "dry_run=yes", "dry_run"])
        {
            Assert.Contains(
                "\"dry_run\":true,\"applied\":false",
                await daemon.AskAsync($"POST /v1/reload?{yes}"),
                StringComparison.Ordinal);
        }

        var head = await daemon.AskAsync("HEAD /v1/status");
        Assert.StartsWith("HTTP/1.1 200", head, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", head, StringComparison.Ordinal);
    });

    [Fact]
    public Task Readyz_ignores_services_that_finished() => DaemonUnderTest.WithAsync(
        Config + "\n\n[service.once]\ncommand = [\"/bin/true\"]\nready = \"started\"\nrestart = { policy = \"on-failure\" }\n\n"
            + "[service.bad]\ncommand = [\"/bin/false\"]\nready = \"started\"\nrestart = { policy = \"never\" }\n",
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web");
            await daemon.Log.WaitForAsync(0, MessageIds.WorkerFinished, "once", facts: "status 0");
            await daemon.Log.WaitForAsync(0, MessageIds.WorkerFinished, "bad", facts: "status 1");
            Assert.Equal("stopped", (await daemon.StatusAsync("once")).State);
            var ready = await daemon.AskAsync("GET /readyz");
            Assert.StartsWith("HTTP/1.1 503", ready, StringComparison.Ordinal);
            Assert.Contains("bad: 0 of 1", ready, StringComparison.Ordinal);
            Assert.DoesNotContain("once", ready, StringComparison.Ordinal);
            await daemon.ListenctlAsync("stop", "bad");
            Assert.StartsWith("HTTP/1.1 200", await daemon.AskAsync("GET /readyz"), StringComparison.Ordinal);
        });

    [Fact]
    public Task Plain_HTTP_is_answered() => DaemonUnderTest.WithAsync(Config, async daemon =>
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
        Assert.All(
            (string[])["/v1/services/web/restart", "GET", "POST"],
            fact => Assert.Contains(fact, wrong[wrong.IndexOf("\r\n\r\n", StringComparison.Ordinal)..], StringComparison.Ordinal));
        Assert.StartsWith("HTTP/1.1 202", await daemon.AskAsync("POST /v1/services/web/restart"), StringComparison.Ordinal);
        await daemon.Log.WaitForAsync(0, MessageIds.RolloutDone, "web", generation: 2);
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
    private static async Task<string> InodeAsync(string path)
    {
        var lines = await File.ReadAllLinesAsync("/proc/net/unix");
        var line = lines.First(line => line.EndsWith(" " + path, StringComparison.Ordinal));
        return line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[6];
    }
}
