using System.Net.Sockets;
using Supervisor.Control;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>Reloads that give another socket to a service without workers.</summary>
public sealed class StoppedReloadTests
{
    private const string Stopped = """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.w]
        command = ["@hello@"]
        listeners = ["web"]
        """;

    private const string Sleeper =
        "command = [\"/bin/sh\", \"-c\", \"test ! -e '@dir@/bad' && systemd-notify --ready; exec sleep 1000\"]";

    [Fact]
    public Task Stopped_service_takes_the_new_socket_at_once() => DaemonUnderTest.WithAsync(Stopped, async daemon =>
    {
        await daemon.WaitUntilReadyAsync("w");
        Assert.Equal(0, (await daemon.ListenctlAsync("stop", "w", "--wait")).ExitCode);
        var old = await daemon.EndPointAsync("web");
        using var waiting = new TcpClient();
        await waiting.ConnectAsync(old);

        Write(daemon, Moved(Stopped));
        var plan = await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload", "--dry-run");
        var web = plan.Actions.Single(action => action.Name == "web");
        Assert.Contains("is closed at once: no worker has it", web.Reason, StringComparison.Ordinal);
        Assert.Contains("wait in the queue of the former address", web.Loses, StringComparison.Ordinal);

        var done = await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
        Assert.Equal(web.Reason, done.Actions.Single(action => action.Name == "web").Reason);
        await ReloadTests.AssertClosedAsync(old);
        await Assert.ThrowsAsync<IOException>(async () => await waiting.GetStream().ReadExactlyAsync(new byte[1]));
        Assert.Equal(0, (await daemon.ListenctlAsync("start", "w", "--wait")).ExitCode);
        await AssertServedAsync(daemon);
    });

    [Fact]
    public Task Service_that_awaits_a_connection_awaits_it_on_the_new_socket()
    {
        var config = $"{Stopped}\nstart = \"on-demand\"\nstop_when_idle = \"200ms\"";
        return DaemonUnderTest.WithAsync(config, async daemon =>
        {
            await AssertServedAsync(daemon);
            await daemon.Log.WaitForAsync(0, MessageIds.ServiceStopped, "w");
            var old = await daemon.EndPointAsync("web");
            Write(daemon, Moved(config));
            await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
            await ReloadTests.AssertClosedAsync(old);
            await AssertServedAsync(daemon);
        });
    }

    [Fact]
    public Task Service_that_is_stopped_during_its_rollout_takes_the_new_socket()
    {
        var config = Stopped.Replace("command = [\"@hello@\"]", Sleeper, StringComparison.Ordinal);
        return DaemonUnderTest.WithAsync(config, async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            var old = await daemon.EndPointAsync("web");
            var mark = daemon.Log.Count;
            daemon.Directory.Write("bad", "");
            Write(daemon, Moved(config));
            await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
            await daemon.Log.WaitForAsync(mark, MessageIds.RolloutStarted, "w");
            Assert.Equal(0, (await daemon.ListenctlAsync("stop", "w", "--wait")).ExitCode);
            await ReloadTests.AssertClosedAsync(old);
            File.Delete(daemon.Directory["bad"]);
            Assert.Equal(0, (await daemon.ListenctlAsync("start", "w", "--wait")).ExitCode);
            Assert.All(
                (await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload")).Actions,
                action => Assert.Equal("unchanged", action.Action));
        });
    }

    [Fact]
    public Task Stopped_service_follows_a_rollback_of_the_service_that_shares_its_listener()
    {
        var config = $"{Stopped}\n[service.shared]\n{Sleeper}\nlisteners = [\"web\"]\nstart_timeout = \"3s\"";
        return DaemonUnderTest.WithAsync(config, async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            await daemon.WaitUntilReadyAsync("shared");
            Assert.Equal(0, (await daemon.ListenctlAsync("stop", "w", "--wait")).ExitCode);
            var before = await daemon.ListenerAsync("web");
            var mark = daemon.Log.Count;
            daemon.Directory.Write("bad", "");
            Write(daemon, Moved(config));
            await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload");
            var moved = await daemon.EndPointAsync("web");
            await daemon.Log.WaitForAsync(mark, MessageIds.RolloutRolledBack, "shared", generation: 2);
            await daemon.Log.WaitForAsync(mark, MessageIds.ListenerReverted, listener: "web");
            Assert.Equal(before.Inode, (await daemon.ListenerAsync("web")).Inode);
            await ReloadTests.AssertClosedAsync(moved);
            Assert.Equal(0, (await daemon.ListenctlAsync("start", "w", "--wait")).ExitCode);
            await AssertServedAsync(daemon);
        });
    }

    private static string Moved(string config) => config.Replace("127.0.0.1:0", "127.0.0.2:0", StringComparison.Ordinal);

    private static async Task AssertServedAsync(DaemonUnderTest daemon)
    {
        using var client = new HttpClient { Timeout = Patience.Limit };
        var response = await client.GetAsync(new Uri($"http://{await daemon.EndPointAsync("web")}/"));
        Assert.True(response.IsSuccessStatusCode);
    }

    private static void Write(DaemonUnderTest daemon, string config) => daemon.Directory.Write(
        "run.toml",
        $"[daemon]\nruntime_directory = \"{daemon.Runtime}\"\n\n"
        + Quick.Rollouts(config).Replace("@dir@", daemon.Directory.Path, StringComparison.Ordinal)
            .Replace("@hello@", Published.Hello, StringComparison.Ordinal));
}
