using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>Addresses that listend cannot bind.</summary>
public sealed class AddressTests
{
    [Fact]
    public async Task Other_services_run_when_one_bind_fails()
    {
        using var holder = Holder(out var taken);
        await DaemonUnderTest.WithAsync(
            $$"""
            [listener.taken]
            address = "tcp://127.0.0.1:{{taken}}"

            [listener.absent]
            address = "tcp://192.0.2.1:0"

            [listener.free]
            address = "tcp://127.0.0.1:0"

            [service.without]
            command = ["@hello@"]
            listeners = ["free", "taken"]

            [service.with]
            command = ["@hello@"]
            listeners = ["free"]
            """,
            async daemon =>
            {
                await daemon.WaitUntilReadyAsync("with");
                await daemon.Log.WaitForAsync(0, MessageIds.ListenerFailed, listener: "taken", facts: ["EADDRINUSE", $"127.0.0.1:{taken}"]);
                await daemon.Log.WaitForAsync(0, MessageIds.ServiceBlocked, "without", facts: ["taken", "EADDRINUSE"]);
                var listeners = await daemon.ListenersAsync();
                var failed = listeners.Single(one => one.Name == "taken");
                Assert.Equal(("failed", "EADDRINUSE", false), (failed.State, failed.Failure?.Errno, failed.Failure?.Bindable));
                Assert.Null(failed.Fd);
                Assert.NotEmpty(failed.Failure!.Advice);
                Assert.Equal("EADDRNOTAVAIL", listeners.Single(one => one.Name == "absent").Failure?.Errno);
                Assert.Null(listeners.Single(one => one.Name == "free").Failure);
                Assert.Equal("failed", (await daemon.StatusAsync("without")).State);
                Assert.Equal("running", (await daemon.StatusAsync("with")).State);

                var restart = await daemon.ListenctlAsync("restart", "without", "--wait");
                Assert.Equal(1, restart.ExitCode);
                Assert.Contains("EADDRINUSE", restart.Error, StringComparison.Ordinal);

                var history = await daemon.HistoryAsync("taken");
                Assert.Contains(history, entry => entry is { Call: "bind", Errno: "EADDRINUSE", Verdict: "refused" });
            });
    }

    [Fact]
    public async Task Run_exits_with_1_when_every_bind_fails()
    {
        using var holder = Holder(out var taken);
        using var directory = new TemporaryDirectory();
        await using var daemon = DaemonUnderTest.Start(
            directory,
            $$"""
            [listener.taken]
            address = "tcp://127.0.0.1:{{taken}}"

            [service.web]
            command = ["@hello@"]
            listeners = ["taken"]
            """,
            new DaemonOptions());
        Assert.Equal(1, await daemon.WaitAsync());
        Assert.Contains(daemon.Log.Messages, message => message.Kind == MessageIds.NothingToServe);
        await daemon.AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task A_second_daemon_with_another_configuration_is_rejected()
    {
        const string Config = """
            [listener.web]
            address = "tcp://127.0.0.1:0"

            [service.web]
            command = ["@hello@"]
            listeners = ["web"]
            """;
        await DaemonUnderTest.WithAsync(Config, async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web");
            await using var second = DaemonUnderTest.Start(
                daemon.Directory,
                Config,
                new DaemonOptions { Arguments = ["--listen", "tcp://127.0.0.1:0", "--ready", "started", "--", "/bin/sleep", "600"] });
            Assert.Equal(1, await second.WaitAsync());
            await second.Log.WaitForAsync(0, MessageIds.DaemonRefused, facts: [$"pid {daemon.Pid}", daemon.Runtime]);

            // The first daemon is not affected.
            Assert.Equal("running", (await daemon.StatusAsync("web")).State);
        });
    }

    private static Socket Holder(out int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        return socket;
    }
}
