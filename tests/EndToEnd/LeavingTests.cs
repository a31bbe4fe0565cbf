using Supervisor.Load;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>The shutdown of the daemon.</summary>
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
    public Task Stop_answers_requests_in_flight(int signal) => DaemonUnderTest.WithAsync(
        Config,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web", 2);
            Assert.True(File.Exists(daemon.Directory["web.sock"]));
            var load = LoadRun.Start(new LoadPlan { Target = await daemon.EndPointAsync("web"), SlowInFlight = 16 });

            // When the number of answers equals the number of lanes, every lane has sent its second request. A worker accepts the
            // last one long before its half second ends.
            await load.UntilAsync(report => report.Succeeded >= 32);
            var ending = load.StopAsync();
            daemon.Signal(signal);
            Assert.Equal(0, await daemon.WaitAsync());
            var report = await ending;
            Assert.Equal((0, report.Requests), (report.Failed, report.Succeeded));
            Assert.False(File.Exists(daemon.Directory["web.sock"]));
        },

        // A shell without job control ignores SIGINT in its background processes, possibly in this test's runner.
        new DaemonOptions { Wrapper = ["/usr/bin/env", "--default-signal=INT"] });

    [Fact]
    public Task Signals_that_the_parent_ignored_are_handled() => DaemonUnderTest.WithAsync(

        // The metrics' web host installs signal handlers too, before the daemon does.
        "metrics = \"127.0.0.1:0\"\n" + Config,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web", 2);
            daemon.Signal(Signals.HangUp);
            await daemon.Log.WaitForAsync(0, MessageIds.ReloadApplied);
            daemon.Signal(Signals.Terminate);
            Assert.Equal(0, await daemon.WaitAsync());
        },
        new DaemonOptions { Wrapper = ["/usr/bin/env", "--ignore-signal=HUP,TERM"] });

    [Fact]
    public Task Second_SIGTERM_kills_the_remaining_workers() => DaemonUnderTest.WithAsync(
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
            await daemon.Log.WaitForOutputAsync(0, "deaf");
            var mark = daemon.Log.Count;
            daemon.Signal(Signals.Terminate);
            await daemon.Log.WaitForAsync(mark, MessageIds.DaemonStopping);
            daemon.Signal(Signals.Terminate);
            await daemon.Log.WaitForAsync(mark, MessageIds.DaemonStopForced);
            Assert.Equal(0, await daemon.WaitAsync());
        });

    [Fact]
    public Task Control_clients_exit_with_the_daemon() => DaemonUnderTest.WithAsync(Config, async daemon =>
    {
        await daemon.WaitUntilReadyAsync("web", 2);
        await using var follower = RunningProgram.Start(
            Published.Listenctl,
            ["--socket", daemon.ControlSocket, "history", "web", "--follow", "--json"]);
        await follower.Output.WaitAsync(0, "\"call\":\"execve\"");
        daemon.Signal(Signals.Terminate);
        Assert.Equal(0, await daemon.WaitAsync());
        await follower.WaitAsync();
        var result = await daemon.ListenctlAsync("status");
        Assert.Equal((3, ""), (result.ExitCode, result.Output));
        Assert.Contains("ENOENT", result.Error, StringComparison.Ordinal);
    });
}
