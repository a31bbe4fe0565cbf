using System.Collections.Immutable;
using Supervisor.Core.Listeners;
using Supervisor.Core.Reload;
using Supervisor.Core.Services;

namespace Supervisor.Core.Tests.Reload;

/// <summary>The actions that a reload consists of, for each kind of change.</summary>
public sealed class ReloadPlanTests
{
    private static readonly ListenerSpec Web = Listener("web", "tcp://127.0.0.1:80");
    private static readonly ListenerSpec Path = Listener("path", "unix:///run/a.sock");
    private static readonly ServiceSpec Api = new() { Name = "api", Command = ["/srv/api"], Listeners = ["web"], Workers = 2 };

    public static TheoryData<string, ListenerSpec, ListenerSpec?, string> ListenerChanges => new()
    {
        { "the same", Web, Web, nameof(ListenerUnchanged) },
        { "removed", Web, null, nameof(ListenerRemoved) },
        { "renamed", Web, Web with { Name = "http" }, nameof(ListenerRenamed) },
        { "backlog", Web, Web with { Listen = Web.Listen with { Backlog = 7 } }, nameof(ListenerChanged) },
        { "only the daemon", Web, Web with { Enforce = false }, nameof(ListenerChanged) },
        { "shards", Web, Web with { Shards = 4 }, nameof(ListenerResharded) },
        { "another port", Web, Web with { Address = Address("tcp://127.0.0.1:81") }, nameof(ListenerMoved) },
        { "non-blocking", Web, Web with { Listen = Web.Listen with { NonBlocking = true } }, nameof(ListenerReplaced) },
        { "a path", Path, Path with { Listen = Path.Listen with { NonBlocking = true } }, nameof(ListenerReplaced) },
    };

    [Theory]
    [MemberData(nameof(ListenerChanges))]
    public void Each_listener_change_has_one_action(string change, ListenerSpec before, ListenerSpec? after, string action)
    {
        var plan = Plan([Running(before)], after is null ? [] : [after]);
        Assert.Equal((change, action), (change, Assert.Single(plan.Actions).GetType().Name));
    }

    [Fact]
    public void A_new_listener_is_added() =>
        Assert.Equal(Web.Address, Assert.IsType<ListenerAdded>(Assert.Single(Plan([], [Web]).Actions)).At);

    [Fact]
    public void A_reload_binds_a_listener_without_a_socket_again()
    {
        var failed = Running(Web) with { HasSocket = false, Effective = null, Failure = "EADDRINUSE" };
        Assert.Equal(
            new ListenerRetried("web", [], "EADDRINUSE", IsUnchanged: true),
            Assert.Single(Plan([failed], [Web]).Actions) with { Settings = [] });
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:80", ListenerMove.Bridge)]
    [InlineData("udp://127.0.0.1:80", ListenerMove.Bridge)]
    [InlineData("unix:///run/a.sock", ListenerMove.Rename)]
    [InlineData("unix://@a", ListenerMove.Impossible)]
    public void Each_address_kind_has_its_way_to_replace_a_socket(string address, ListenerMove move)
    {
        var spec = Listener("web", address);
        var plan = Plan([Running(spec)], [spec with { Listen = spec.Listen with { NonBlocking = true } }]);
        Assert.Equal(move, plan.Listeners[0].Move);
        Assert.Equal(move == ListenerMove.Impossible, plan.Impossible.Any());
        Assert.Equal(move == ListenerMove.Bridge, plan.Listeners[0].CanSteer);
    }

    [Fact]
    public void A_new_listener_can_share_the_address_of_a_removed_socket()
    {
        var old = Running(Web with { Name = "old", Listen = Web.Listen with { NonBlocking = true } });
        var plan = ReloadPlan.Between([], [old], [], [Web], [], _ => 0);
        Assert.Equal((ListenerMove.Bridge, old), (plan.Listeners[0].Move, Assert.Single(plan.Listeners[0].Bridge)));
        Assert.False(plan.Listeners[0].CanSteer);
    }

    [Fact]
    public void A_reload_keeps_a_port_that_the_kernel_chose()
    {
        var any = Listener("web", "tcp://127.0.0.1:0");
        var running = Running(any) with { Effective = Address("tcp://127.0.0.1:4711") };
        var plan = Plan([running], [any with { Listen = any.Listen with { NonBlocking = true } }]);
        Assert.Equal(4711u, plan.Listeners[0].At.Port);
    }

    public static TheoryData<string, ServiceSpec?, string[]> ServiceChanges => new()
    {
        { "the same", Api, [nameof(ServiceUnchanged)] },
        { "removed", null, [nameof(ServiceStopped)] },
        { "workers", Api with { Workers = 3 }, [nameof(ServiceScaled)] },
        { "timeout", Api with { StopTimeout = TimeSpan.FromSeconds(1) }, [nameof(ServiceChanged)] },
        { "command", Api with { Command = ["/srv/api2"] }, [nameof(ServiceRolledOut)] },
        {
            "all", Api with { Workers = 3, StopTimeout = TimeSpan.FromSeconds(1), Command = ["/srv/api2"] },
            [nameof(ServiceScaled), nameof(ServiceChanged), nameof(ServiceRolledOut)]
        },
    };

    [Theory]
    [MemberData(nameof(ServiceChanges))]
    public void Each_service_change_has_its_actions(string change, ServiceSpec? after, string[] actions)
    {
        var plan = ReloadPlan.Between([Running(Web)], [], [new RunningService(Api, 2)], [Web], after is null ? [] : [after], _ => 0);
        Assert.Equal(
            (change, string.Join(' ', actions)),
            (change, string.Join(' ', plan.Services.SelectMany(service => service.Actions).Select(action => action.GetType().Name))));
    }

    [Fact]
    public void A_new_service_is_started() =>
        Assert.Equal(new ServiceStarted("api", 2), ReloadPlan.Between([Running(Web)], [], [], [Web], [Api], _ => 0).Services[0].Actions[0]);

    [Fact]
    public void A_scaled_service_keeps_its_number_of_workers()
    {
        var plan = ReloadPlan.Between([Running(Web)], [], [new RunningService(Api, 5)], [Web], [Api with { Workers = 3 }], _ => 0);
        Assert.True(plan.Services[0].Actions[0] is ServiceScaled { From: 5, To: 3 });
    }

    [Fact]
    public void A_changed_share_of_the_shards_replaces_workers()
    {
        var running = new RunningService(Api, 5)
        {
            NeedsOtherShares = (listener, shards, workers) => (listener.Spec.Name, shards, workers) == ("web", 4, 5)
        };
        var plan = ReloadPlan.Between([Running(Web)], [], [running], [Web with { Shards = 4 }], [Api], _ => 0);
        Assert.Equal("web", Assert.Single(plan.Services[0].Reshared));
        Assert.Equal(5, Assert.IsType<ServiceRolledOut>(Assert.Single(plan.Services[0].Actions)).Workers);
    }

    [Fact]
    public void A_service_is_rolled_out_onto_the_new_socket_of_its_listener()
    {
        var plan = ReloadPlan.Between(
            [Running(Web)],
            [],
            [new RunningService(Api, 2)],
            [Web with { Address = Address("tcp://127.0.0.1:81") }],
            [Api],
            _ => 0);
        Assert.Equal("web", Assert.Single(Assert.IsType<ServiceRolledOut>(Assert.Single(plan.Services[0].Actions)).NewSockets));
    }

    private static ReloadPlan Plan(RunningListener[] running, ImmutableArray<ListenerSpec> wanted) =>
        ReloadPlan.Between(running, [], [], wanted, [], _ => 0);

    private static RunningListener Running(ListenerSpec spec) => new(spec, SocketDomainOf(spec)) { Effective = spec.Address, Inode = 1 };

    private static SocketDomain SocketDomainOf(ListenerSpec spec) => spec.Address.Kind.IsUnix() ? SocketDomain.Unix : SocketDomain.IPv4;

    private static ListenerSpec Listener(string name, string address) => new() { Name = name, Address = Address(address) };

    private static ListenAddress Address(string text) =>
        ListenAddress.TryParse(text, out var parsed, out var error) ? parsed : throw new ArgumentException(error.Message);
}
