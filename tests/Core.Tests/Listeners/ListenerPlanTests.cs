using System.Net;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;

namespace Supervisor.Core.Tests.Listeners;

public class ListenerPlanTests
{
    private static readonly ListenerSpec Everything = Spec("tcp://*:80") with
    {
        Bind = new() { ReuseAddress = true, ReusePort = true, FreeBind = true, Transparent = true, Device = "eth0", Mark = 7 },
        Buffers = new() { Receive = 1 << 20, Send = 1 << 19 },
        Listen = new() { Backlog = 100, DeferAccept = TimeSpan.FromSeconds(5), FastOpen = 256, NonBlocking = true },
        Accepted = new()
        {
            NoDelay = true,
            KeepAlive = true,
            KeepAliveIdle = TimeSpan.FromSeconds(60),
            KeepAliveInterval = TimeSpan.FromSeconds(10),
            KeepAliveProbes = 6,
            UserTimeout = TimeSpan.FromSeconds(30),
            Linger = TimeSpan.Zero,
            NotSentLowWater = 16384,
            Congestion = "cubic",
            TypeOfService = 16,
            TimeToLive = 64,
        },
        Datagram = new()
        {
            Broadcast = true,
            PacketInfo = true,
            Timestamping = TimestampUnit.Microseconds,
            Multicast = [new(IPAddress.Parse("239.1.2.3"), "eth0", null)],
        },
        Unix = new() { Mode = 0x1B0, User = "www-data", Group = "www-data", PassCredentials = true, PassSecurity = true, PassPidfd = true },
    };

    public static TheoryData<string> Kinds => new() {
        "tcp://*:80",
        "tcp://[::1]:80",
        "tcp://0.0.0.0:80",
        "mptcp://[::]:80",
        "udp://*:53",
        "unix:///run/a",
        "unix-dgram:///run/a",
        "unix-seqpacket://@a",
        "vsock://*:1" };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_phases_are_in_the_correct_order(string address)
    {
        var spec = Everything with { Address = Parse(address) };
        foreach (var plan in ListenerPlan.Domains(spec.Address).Select(domain => ListenerPlan.For(spec, domain)))
        {
            var phases = plan.Steps.Select(step => step.Phase).ToArray();
            Assert.Equal(phases.Order(), phases);
            Assert.IsType<CreateStep>(plan.Steps[0]);
            Assert.Single(plan.Steps.OfType<BindStep>());
            Assert.Equal(spec.Address.Kind.Listens() ? 1 : 0, plan.Steps.OfType<ListenStep>().Count());
            Assert.Equal(spec.Address.Kind.Listens(), plan.Steps[^1] is ListenStep { Backlog: 100 });
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_option_applies_to_its_socket_and_is_set_once(string address)
    {
        // As the configuration allows it: bind's internet options on internet sockets alone.
        var parsed = Parse(address);
        var spec = Everything with { Address = parsed, Bind = parsed.Kind.IsInternet() ? Everything.Bind : new BindOptions() };
        foreach (var domain in ListenerPlan.Domains(spec.Address))
        {
            var options = ListenerPlan.Options(spec, domain).Select(step => step.Option).ToArray();
            Assert.All(options, option => Assert.True(option.AppliesTo(parsed.Kind, domain), option.Name));
            Assert.Equal(options.Distinct(), options);
        }
    }

    [Fact]
    public void Each_setting_sets_its_option_in_the_kernels_unit()
    {
        var options = ListenerPlan.Options(Everything, SocketDomain.IPv6).Select(step => $"{step.Option.Name}={step.Value}");
        Assert.Equal(
            [
                "SO_REUSEADDR=1", "SO_REUSEPORT=1", "IPV6_V6ONLY=0", "IP_FREEBIND=1", "IP_TRANSPARENT=1", "SO_BINDTODEVICE=eth0",
                "SO_MARK=7",
                "SO_RCVBUF=1048576", "SO_SNDBUF=524288",
                "TCP_DEFER_ACCEPT=5", "TCP_FASTOPEN=256",
                "TCP_NODELAY=1", "SO_KEEPALIVE=1", "TCP_KEEPIDLE=60", "TCP_KEEPINTVL=10", "TCP_KEEPCNT=6", "TCP_USER_TIMEOUT=30000",
                "SO_LINGER=0",
                "TCP_NOTSENT_LOWAT=16384", "TCP_CONGESTION=cubic", "IP_TOS=16", "IPV6_TCLASS=16", "IP_TTL=64", "IPV6_UNICAST_HOPS=64",
            ],
            options);
    }

    [Fact]
    public void Every_option_of_the_catalogue_has_a_setting()
    {
        var forced = Everything with { Buffers = Everything.Buffers with { Force = true } };
        var yielded = new[] {
            Everything,
            forced,
            Everything with { Address = Parse("udp://*:1") },
            Everything with
            {
                Address = Parse("udp://*:1"),
                Bind = Everything.Bind with { Priority = 1 },
                Datagram = new() { Timestamping = TimestampUnit.Nanoseconds },
            },
            Everything with { Address = Parse("unix:///a") } }
            .SelectMany(spec => ListenerPlan.Domains(spec.Address).SelectMany(domain => ListenerPlan.Options(spec, domain)))
            .Select(step => step.Option).ToHashSet();
        Assert.Equal([], SocketOptions.All.Where(option => !yielded.Contains(option)).Select(option => option.Name));
    }

    [Fact]
    public void The_plan_sets_no_option_that_is_not_configured()
    {
        Assert.Equal(["SO_REUSEADDR=1"], Set("tcp://127.0.0.1:1"));
        Assert.Equal(["SO_REUSEADDR=1", "IPV6_V6ONLY=0"], Set("mptcp://[::1]:1"));
        Assert.Equal([], Set("udp://127.0.0.1:1"));
        Assert.Equal(["IPV6_V6ONLY=0"], Set("udp://[::]:1"));
        Assert.Equal([], Set("unix:///run/a"));
        Assert.Equal([], Set("vsock://1:1"));

        static IEnumerable<string> Set(string address)
        {
            var spec = Spec(address);
            return ListenerPlan.Options(spec, ListenerPlan.Domains(spec.Address)[0]).Select(step => $"{step.Option.Name}={step.Value}");
        }
    }

    [Fact]
    public void An_option_that_is_switched_off_is_set_too()
    {
        var spec = Spec("tcp://127.0.0.1:1") with { Bind = new() { ReuseAddress = false }, Accepted = new() { NoDelay = false } };
        Assert.DoesNotContain(ListenerPlan.Options(spec, SocketDomain.IPv4), step => step.Option == SocketOptions.ReuseAddress);
        Assert.Contains(
            ListenerPlan.Options(spec, SocketDomain.IPv4),
            step => step.Option == SocketOptions.NoDelay && step.Value.Number == 0);
    }

    [Fact]
    public void Any_family_is_dual_stack_and_falls_back_to_IPv4()
    {
        var spec = Spec("tcp://*:80");
        Assert.Equal([SocketDomain.IPv6, SocketDomain.IPv4], ListenerPlan.Domains(spec.Address).AsEnumerable());
        Assert.Equal(IPAddress.IPv6Any, Bound(SocketDomain.IPv6).Host);
        Assert.Equal(IPAddress.Any, Bound(SocketDomain.IPv4).Host);

        ListenAddress Bound(SocketDomain domain) => ListenerPlan.For(spec, domain).Steps.OfType<BindStep>().Single().Address;
    }

    [Theory]
    [InlineData("tcp://[::]:1", false, new[] { "IP_TOS", "IPV6_TCLASS", "IP_TTL", "IPV6_UNICAST_HOPS" })]
    [InlineData("tcp://[::]:1", true, new[] { "IPV6_TCLASS", "IPV6_UNICAST_HOPS" })]
    [InlineData("tcp://[2001:db8::1]:1", false, new[] { "IPV6_TCLASS", "IPV6_UNICAST_HOPS" })]
    [InlineData("tcp://[::ffff:192.0.2.1]:1", false, new[] { "IP_TOS", "IPV6_TCLASS", "IP_TTL", "IPV6_UNICAST_HOPS" })]
    [InlineData("tcp://192.0.2.1:1", false, new[] { "IP_TOS", "IP_TTL" })]
    public void A_dual_stack_listener_gets_the_options_of_both_families(string address, bool only, string[] expected)
    {
        var spec = Spec(address) with { Bind = new() { IPv6Only = only }, Accepted = new() { TypeOfService = 16, TimeToLive = 64 } };
        var domain = Assert.Single(ListenerPlan.Domains(spec.Address));
        Assert.Equal(expected, ListenerPlan.Options(spec, domain).Select(step => step.Option.Name)
            .Where(name => name.StartsWith("IP", StringComparison.Ordinal) && name != "IPV6_V6ONLY"));
        Assert.Equal(
            domain == SocketDomain.IPv6 ? [only ? 1 : 0] : Array.Empty<long?>(),
            ListenerPlan.Options(spec, domain).Where(step => step.Option == SocketOptions.V6Only).Select(step => step.Value.Number));
    }

    [Fact]
    public void Each_family_has_its_packet_info_option()
    {
        var spec = Spec("udp://[::]:1") with { Datagram = new() { PacketInfo = true } };
        Assert.Equal(
            ["IPV6_V6ONLY", "IP_PKTINFO", "IPV6_RECVPKTINFO"],
            ListenerPlan.Options(spec, SocketDomain.IPv6).Select(step => step.Option.Name));
    }

    [Fact]
    public void Force_falls_back_to_the_plain_option()
    {
        var spec = Spec("tcp://127.0.0.1:1") with { Buffers = new() { Receive = 4096, Force = true } };
        var step = ListenerPlan.Options(spec, SocketDomain.IPv4).Single(step => step.Option == SocketOptions.ReceiveBufferForce);
        Assert.Equal((SocketOptions.ReceiveBuffer, OptionValue.Of(4096)), (step.Fallback!.Option, step.Fallback.Value));
    }

    [Fact]
    public void Shards_share_the_port() =>
        Assert.Contains(
            ListenerPlan.Options(Spec("tcp://127.0.0.1:1") with { Shards = 2 }, SocketDomain.IPv4),
            step => step.Option == SocketOptions.ReusePort);

    [Fact]
    public void A_path_gets_its_owner_before_its_mode()
    {
        var spec = Spec("unix:///run/a.sock") with { Unix = new() { Mode = 0x1B0, User = "www-data" } };
        Assert.Equal(
            [
                new CreateStep(ListenerKind.UnixStream, SocketDomain.Unix, false),
                new SocketModeStep(0x1B0),
                new BindStep(spec.Address),
                new PathOwnerStep("/run/a.sock", "www-data", null),
                new PathModeStep("/run/a.sock", 0x1B0),
                new ListenStep(4096),
            ],
            ListenerPlan.For(spec, SocketDomain.Unix).Steps.AsEnumerable());
    }

    [Fact]
    public void An_abstract_name_has_no_owner_and_no_mode() =>
        Assert.DoesNotContain(
            ListenerPlan.For(Everything with { Address = Parse("unix://@a") }, SocketDomain.Unix).Steps,
            step => step is SocketModeStep or PathModeStep or PathOwnerStep);

    [Fact]
    public void Groups_are_joined_on_the_bound_socket()
    {
        var membership = new MulticastMembership(IPAddress.Parse("239.1.2.3"), "eth0", IPAddress.Parse("192.0.2.1"));
        var spec = Spec("udp://0.0.0.0:1") with { Datagram = new() { Multicast = [membership] } };
        Assert.Equal(
            [new CreateStep(ListenerKind.Udp, SocketDomain.IPv4, false), new BindStep(spec.Address), new JoinGroupStep(membership)],
            ListenerPlan.For(spec, SocketDomain.IPv4).Steps.AsEnumerable());
    }

    [Fact]
    public void The_socket_call_decides_non_blocking() =>
        Assert.Equal(new CreateStep(ListenerKind.Tcp, SocketDomain.IPv6, true), ListenerPlan.For(Everything, SocketDomain.IPv6).Steps[0]);

    private static ListenerSpec Spec(string address) => new() { Name = "web", Address = Parse(address) };

    private static ListenAddress Parse(string text) =>
        ListenAddress.TryParse(text, out var address, out var error) ? address : throw new FormatException(error.Message);
}
