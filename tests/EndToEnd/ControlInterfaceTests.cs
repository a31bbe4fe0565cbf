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
    public Task Once_nobody_asks_any_more_nothing_is_held_for_it() => DaemonUnderTest.WithAsync(Config, async daemon =>
    {
        await daemon.WaitUntilReadyAsync("web");
        var before = Processes.Descriptors(daemon.Pid);
        var inode = await InodeAsync(daemon.ControlSocket);
        var socket = before.Values.Single(target => target == $"socket:[{inode}]");
        await daemon.StatusAsync("web");

        // What serves it leaves after some idle seconds. Nothing tells, so this one looks again and again.
        using var limit = new CancellationTokenSource(Patience.Limit);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (Processes.Descriptors(daemon.Pid).Values.Count(target => target == socket) > 1)
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }

        Assert.Equal("running", (await daemon.StatusAsync("web")).State);
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

    // Num RefCount Protocol Flags Type St Inode Path
    private static async Task<string> InodeAsync(string path) =>
        (await File.ReadAllLinesAsync("/proc/net/unix")).First(line => line.EndsWith(" " + path, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[6];
}
