using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>start = "on-demand": workers start at the first connection, and stop after stop_when_idle without a connection.</summary>
public sealed class OnDemandTests
{
    [Fact]
    public Task First_connection_starts_workers_and_idleness_stops_them() => DaemonUnderTest.WithAsync(
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.w]
        command = ["@hello@"]
        listeners = ["web"]
        start = "on-demand"
        stop_when_idle = "200ms"
        """,
        async daemon =>
        {
            var before = await daemon.StatusAsync("w");
            Assert.Equal(("stopped", 0), (before.State, before.Workers.Count));
            Assert.Contains("on-demand", before.Reason, StringComparison.Ordinal);
            var url = new Uri($"http://{await daemon.EndPointAsync("web")}/");
            for (var round = 0; round < 2; round++)
            {
                var mark = daemon.Log.Count;
                using (var client = new HttpClient { Timeout = Patience.Limit })
                {
                    // The worker may answer before the daemon has read that it is ready.
                    Assert.True((await client.GetAsync(url)).IsSuccessStatusCode);
                    await daemon.WaitUntilReadyAsync("w", from: mark);
                    Assert.Equal("running", (await daemon.StatusAsync("w")).State);
                }

                await daemon.Log.WaitForAsync(mark, MessageIds.ServiceIdle, "w", facts: ["200ms", "stop_when_idle"]);
                await daemon.Log.WaitForAsync(mark, MessageIds.ServiceStopped, "w");
            }
        });

    [Fact]
    public Task Stopped_service_starts_only_by_command() => DaemonUnderTest.WithAsync(
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.w]
        command = ["@hello@"]
        listeners = ["web"]
        start = "on-demand"
        """,
        async daemon =>
        {
            Assert.Equal(0, (await daemon.ListenctlAsync("stop", "w", "--wait")).ExitCode);
            Assert.Null((await daemon.StatusAsync("w")).Reason);
            using var client = new HttpClient { Timeout = Patience.Limit };
            var waiting = client.GetAsync(new Uri($"http://{await daemon.EndPointAsync("web")}/"));
            Assert.Equal("stopped", (await daemon.StatusAsync("w")).State);
            Assert.False(waiting.IsCompleted);
            var start = await daemon.ListenctlAsync("start", "w", "--wait");
            Assert.True(start.ExitCode == 0, start.Error);
            Assert.True((await waiting).IsSuccessStatusCode);
        });
}
