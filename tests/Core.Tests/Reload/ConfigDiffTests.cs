using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Core.Reload;
using Supervisor.Core.Services;

namespace Supervisor.Core.Tests.Reload;

public class ConfigDiffTests
{
    private static ListenerSpec Listener(string name, string address) =>
        new()
        {
            Name = name,
            Address = ListenAddress.TryParse(address, out var parsed, out var error)
                ? parsed
                : throw new ArgumentException(error.Message),
        };

    private static ServiceSpec Service(string name, params string[] listeners) =>
        new() { Name = name, Command = ["/srv/" + name], Listeners = [.. listeners] };

    private static readonly ListenerSpec Web = Listener("web", "tcp://127.0.0.1:80");
    private static readonly ListenerSpec Admin = Listener("admin", "tcp://127.0.0.1:81");

    [Fact]
    public void An_identical_configuration_has_no_difference() =>
        Assert.True(ConfigDiff.Between(
            [Web, Admin],
            [Service("a", "web")],
            [Listener("web", "tcp://127.0.0.1:80"), Listener("admin", "tcp://127.0.0.1:81")],
            [Service("a", "web")]).IsEmpty);

    [Fact]
    public void An_identical_configuration_differs_from_unfinished_workers()
    {
        var diff = ConfigDiff.Between(
            [Web],
            [Service("a", "web"), Service("b", "web")],
            [Web],
            [Service("a", "web"), Service("b", "web")],
            ["b"]);
        Assert.False(diff.IsEmpty);
        Assert.True(diff.Services[0].IsUnchanged);
        Assert.True(diff.Services[1] is { IsUnchanged: false, NeedsNewWorkers: true, Changed.IsEmpty: true });
    }

    [Fact]
    public void The_diff_lists_added_and_removed_items()
    {
        var diff = ConfigDiff.Between([Web], [Service("a", "web")], [Admin], [Service("b", "admin")]);
        Assert.Equal([(null, "admin"), ("web", null)], diff.Listeners.Select(one => (one.Before?.Name, one.After?.Name)));
        Assert.Equal([(null, "b"), ("a", null)], diff.Services.Select(one => (one.Before?.Name, one.After?.Name)));
    }

    [Fact]
    public void A_renamed_listener_with_the_same_address_is_the_same()
    {
        var diff = ConfigDiff.Between([Web, Admin], [Service("a", "web")], [Web with { Name = "http" }, Admin], [Service("a", "http")]);
        var renamed = diff.Listeners[0];
        Assert.True(renamed.IsRenamed);
        Assert.False(renamed.NeedsNewSocket);
        Assert.Equal("web", renamed.Before!.Name);
        Assert.True(diff.Listeners[1].IsUnchanged);

        // Its workers were told the name.
        Assert.True(diff.Services[0].NeedsNewWorkers);
    }

    [Fact]
    public void Exchanged_addresses_count_as_exchanged_names()
    {
        var diff = ConfigDiff.Between(
            [Web, Admin],
            [Service("a", "web"), Service("b", "admin")],
            [Web with { Address = Admin.Address }, Admin with { Address = Web.Address }],
            [Service("a", "web"), Service("b", "admin")]);
        Assert.All(diff.Listeners, one => Assert.True(one is { IsRenamed: true, NeedsNewSocket: false }));
        Assert.All(diff.Services, one => Assert.True(one.NeedsNewWorkers));
    }

    [Fact]
    public void A_new_address_is_a_new_socket_for_services_that_list_it()
    {
        var diff = ConfigDiff.Between(
            [Web, Admin],
            [Service("a", "web"), Service("b", "admin")],
            [Web with { Address = Listener("x", "tcp://127.0.0.1:8080").Address }, Admin],
            [Service("a", "web"), Service("b", "admin")]);
        Assert.Equal([("address", TermChange.NewSocket)], diff.Listeners[0].Changed.AsEnumerable());
        Assert.Equal(["web"], diff.Services[0].MovedListeners.AsEnumerable());
        Assert.True(diff.Services[1].IsUnchanged);
    }

    [Fact]
    public void Port_0_does_not_identify_a_listener()
    {
        var diff = ConfigDiff.Between([Listener("a", "tcp://127.0.0.1:0")], [], [Listener("b", "tcp://127.0.0.1:0")], []);
        Assert.Equal([(null, "b"), ("a", null)], diff.Listeners.Select(one => (one.Before?.Name, one.After?.Name)));
    }

    [Fact]
    public void A_setting_of_a_live_socket_needs_no_new_socket()
    {
        var diff = new ListenerDiff(Web, Web with
        {
            Bind = new BindOptions { ReusePort = true, Mark = 7 },
            Listen = new ListenOptions { Backlog = 5, DeferAccept = TimeSpan.FromSeconds(1) },
            Buffers = new BufferOptions { Receive = 4096 },
            Accepted = new AcceptedOptions { NoDelay = true },
            Allow = ["user:x"],
        });
        Assert.False(diff.NeedsNewSocket);
        Assert.Equal(
            ["bind.reuse_port", "bind.mark", "buffers.receive", "listen.backlog", "listen.defer_accept", "accepted.no_delay", "allow"],
            diff.Changed.Select(one => one.Setting));
        Assert.Equal(TermChange.DaemonOnly, diff.Changed[^1].Change);
    }

    [Fact]
    public void A_new_shard_count_keeps_other_shards_and_their_workers()
    {
        var four = Web with { Shards = 4 };
        var diff = ConfigDiff.Between([four], [Service("a", "web")], [Web with { Shards = 8 }], [Service("a", "web")]);
        Assert.Equal([("shards", TermChange.Shards)], diff.Listeners[0].Changed.AsEnumerable());
        Assert.True(diff.Listeners[0] is { ChangesShards: true, NeedsNewSocket: false });
        Assert.True(diff.Services[0].IsUnchanged);

        // Where every socket has to be another one, so have the shards.
        Assert.True(new ListenerDiff(
            four,
            Web with { Shards = 8, Bind = new BindOptions { IPv6Only = true } }) is { ChangesShards: false, NeedsNewSocket: true });
    }

    [Theory]
    [InlineData("bind.ipv6_only")]
    [InlineData("bind.device")]
    [InlineData("listen.non_blocking")]
    [InlineData("buffers.receive")]
    public void A_setting_fixed_at_bind_needs_a_new_socket(string setting)
    {
        var before = Web with { Buffers = new BufferOptions { Receive = 4096 } };
        var after = setting switch
        {
            "bind.ipv6_only" => before with { Bind = new BindOptions { IPv6Only = true } },
            "bind.device" => before with { Bind = new BindOptions { Device = "lo" } },
            "listen.non_blocking" => before with { Listen = new ListenOptions { NonBlocking = true } },
            _ => before with { Buffers = new BufferOptions() },
        };
        Assert.Equal([(setting, TermChange.NewSocket)], new ListenerDiff(before, after).Changed.AsEnumerable());
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:80", "tcp://127.0.0.1:81", ListenerMove.Beside)]
    [InlineData("tcp://127.0.0.1:80", "tcp://127.0.0.1:80", ListenerMove.Bridge)]
    [InlineData("tcp://127.0.0.1:80", "tcp://0.0.0.0:80", ListenerMove.Bridge)]
    [InlineData("tcp://127.0.0.1:80", "tcp://[::]:80", ListenerMove.Bridge)]
    [InlineData("tcp://127.0.0.1:80", "udp://127.0.0.1:80", ListenerMove.Beside)]
    [InlineData("udp://127.0.0.1:80", "udp://127.0.0.1:80", ListenerMove.Bridge)]
    [InlineData("unix:///run/a", "unix:///run/b", ListenerMove.Beside)]
    [InlineData("unix:///run/a", "unix-seqpacket:///run/a", ListenerMove.Rename)]
    [InlineData("unix://@a", "unix://@a", ListenerMove.Impossible)]
    [InlineData("unix://@a", "unix-seqpacket://@a", ListenerMove.Beside)]
    [InlineData("unix:///run/a", "tcp://127.0.0.1:80", ListenerMove.Beside)]
    public void Each_address_change_has_its_way_to_move_a_socket(string before, string after, ListenerMove move)
    {
        var from = Listener("a", before);
        Assert.Equal(move, ListenerMoves.Between(from, ListenerPlan.Domains(from.Address)[0], Listener("a", after), _ => 0));
    }

    [Fact]
    public void Sockets_that_already_share_a_port_need_no_bridge()
    {
        var shared = Web with { Bind = new BindOptions { ReusePort = true } };
        Assert.Equal(
            ListenerMove.Beside,
            ListenerMoves.Between(shared, SocketDomain.IPv4, shared with { Listen = new ListenOptions { NonBlocking = true } }, _ => 0));
    }
}
