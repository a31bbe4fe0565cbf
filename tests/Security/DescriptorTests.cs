using Xunit;
using Xunit.Abstractions;

namespace Supervisor.Security;

/// <summary>Finding 3: a descriptor whose close waits in the kernel, handed to the daemon on every way in.</summary>
public sealed class DescriptorTests(ITestOutputHelper output)
{
    private const string Services =
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.web]
        command = ["@possessed@", "@orders@"]
        listeners = ["web"]
        user = "games"
        restart = { backoff = "20ms", backoff_max = "20ms", limit = 0 }
        """;

    [Theory]
    [InlineData("broker", "list")]
    [InlineData("broker", "take")]
    [InlineData("broker", "put")]
    [InlineData("unread")]
    [InlineData("crowd")]
    [InlineData("put-forged")]
    public Task A_slow_descriptor_sent_to_the_broker_blocks_nothing(params string[] how) => Battlefield.WithAsync(
        Services,
        output,
        (daemon, attack) => attack.AssertFailsAsync("4711", "lingering-descriptor", [daemon.Broker(), .. how]));

    /// <summary>The daemon closes the listener while a client waits there with it.</summary>
    [Fact]
    public Task A_slow_descriptor_in_a_closed_listener_blocks_nothing() => Battlefield.WithAsync(
        Services + "\n\n[listener.local]\naddress = \"unix://@dir@/u.sock\"\nunix = { mode = \"0666\" }\n",
        output,
        async (daemon, attack) =>
        {
            await attack.AssertFailsAsync("4711", "lingering-descriptor", daemon.Broker(), "listener", daemon.Directory["u.sock"]);
            var file = daemon.Directory["run.toml"];
            var text = await File.ReadAllTextAsync(file);
            await File.WriteAllTextAsync(file, text[..text.IndexOf("[listener.local]", StringComparison.Ordinal)]);
            var reload = await daemon.ListenctlAsync("reload");
            Assert.True(reload.ExitCode == 0, reload.Error);
            Assert.False(File.Exists(daemon.Directory["u.sock"]));
        });

    [Fact]
    public Task A_slow_descriptor_from_the_workers_user_blocks_nothing() => Battlefield.WithAsync(
        Services,
        output,
        async (daemon, attack) =>
        {
            var worker = (await daemon.ReadyWorkersAsync("web", 1))[0];
            var socket = Battlefield.Variable(worker, "NOTIFY_SOCKET");
            await attack.AssertFailsAsync("games", "lingering-descriptor", daemon.Broker(), "notify", socket);
        });

    [Theory]
    [InlineData("plain")]
    [InlineData("fdstore")]
    [InlineData("barrier")]
    [InlineData("remove")]
    [InlineData("many")]
    [InlineData("burst")]
    [InlineData("exit")]
    public Task A_slow_descriptor_from_a_worker_blocks_nothing(string what) => Battlefield.WithAsync(
        Services,
        output,
        async (daemon, attack) =>
        {
            const string Name = "lingering-descriptor";
            await daemon.ReadyWorkersAsync("web", 1);
            await attack.AssertFailsAsync(
                "games", Name, daemon.Broker(), "worker", daemon.Directory["orders/web.0"], attack.Copy(Name), what);
            await daemon.ReadyWorkersAsync("web", 1);
        });
}
