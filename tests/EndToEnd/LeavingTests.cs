using Supervisor.Load;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>The daemon's own end.</summary>
public sealed class LeavingTests
{
    private const string Config = """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [listener.path]
        address = "unix://@dir@/web.sock"
        unix = { mode = "0600" }

        [service.web]
        command = ["@hello@"]
        listeners = ["web", "path"]
        workers = 2
        """;

    [Theory]
    [InlineData(15)]
    [InlineData(2)]
    public Task A_request_to_leave_answers_what_is_in_flight(int signal) => DaemonUnderTest.WithAsync(
        Config,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web", 2);
            Assert.True(File.Exists(daemon.Directory["web.sock"]));
            var load = LoadRun.Start(new LoadPlan { Target = await daemon.EndPointAsync("web"), SlowInFlight = 16 });

            // Once as many are answered as there are lanes, every lane has had its first request and sends its next;
            // what is due last is accepted long before the half second that it takes.
            await UntilAsync(load, report => report.Succeeded >= 32);
            var ending = load.StopAsync();
            await daemon.Log.WaitAsync(0, "listener web:");
            daemon.Signal(signal);
            Assert.Equal(0, await daemon.WaitAsync());
            var report = await ending;
            Assert.Equal((0, report.Requests), (report.Failed, report.Succeeded));
            Assert.False(File.Exists(daemon.Directory["web.sock"]));
        },

        // A shell without job control ignores SIGINT in what it runs in the background, this test's runner maybe.
        new DaemonOptions { Wrapper = ["/usr/bin/env", "--default-signal=INT"] });

    [Fact]
    public Task Requests_that_were_ignored_by_what_started_it_are_heard() => DaemonUnderTest.WithAsync(

        // The host of the metrics asks for handlers too, and before the daemon does.
        "metrics = \"127.0.0.1:0\"\n" + Config,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web", 2);
            daemon.Signal(Signals.HangUp);
            await daemon.Log.WaitAsync(0, "reload: ");
            daemon.Signal(Signals.Terminate);
            Assert.Equal(0, await daemon.WaitAsync());
        },
        new DaemonOptions { Wrapper = ["/usr/bin/env", "--ignore-signal=HUP,TERM"] });

    [Fact]
    public Task A_second_request_kills_what_is_left() => DaemonUnderTest.WithAsync(
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.stubborn]
        command = ["/bin/sh", "-c", "trap '' TERM; systemd-notify --ready; echo deaf; sleep 1000 & while :; do wait; done"]
        listeners = ["web"]
        stop_timeout = "600s"
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("stubborn");
            await daemon.Log.WaitAsync(0, "deaf");
            var mark = daemon.Log.Count;
            daemon.Signal(Signals.Terminate);
            await daemon.Log.WaitAsync(mark, "workers drain");
            daemon.Signal(Signals.Terminate);
            await daemon.Log.WaitAsync(mark, "again");
            Assert.Equal(0, await daemon.WaitAsync());
        });

    [Fact]
    public Task The_control_interface_ends_with_the_daemon_in_good_order() => DaemonUnderTest.WithAsync(Config, async daemon =>
    {
        await daemon.WaitUntilReadyAsync("web", 2);
        await using var follower = RunningProgram.Start(Published.Listenctl, ["--socket", daemon.ControlSocket, "history", "web", "--follow", "--json"]);
        await follower.Output.WaitAsync(0, "\"call\":\"execve\"");
        daemon.Signal(Signals.Terminate);
        Assert.Equal(0, await daemon.WaitAsync());
        await follower.WaitAsync();
        var result = await daemon.ListenctlAsync("status");
        Assert.Equal((3, ""), (result.ExitCode, result.Output));
        Assert.Contains("ENOENT", result.Error, StringComparison.Ordinal);
    });

    private static async Task UntilAsync(LoadRun load, Predicate<LoadReport> enough)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!enough(load.Snapshot()))
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }
}
