namespace Supervisor.Diagnosis.Tests.Scenarios;

/// <summary>The other errnos of internet addresses.</summary>
public sealed class OtherRefusalTests
{
    [Fact]
    public void No_interface_has_the_address() => Stage.Run(_ =>
    {
        Explained.AsRoot("tcp://192.0.2.1:8080").Refused("EADDRNOTAVAIL", "address-absent", retry: true);
        Explained.AsNobody("tcp://[2001:db8::1]:8080").Refused("EADDRNOTAVAIL", "address-absent", retry: true);
        Explained.AsRoot("udp://192.0.2.1:8080").Refused("EADDRNOTAVAIL", "address-absent", retry: true);
        Explained.AsNobody("tcp://192.0.2.1:8080", "--free-bind").Granted();
    });

    [Fact]
    public void Duplicate_address_detection_is_not_over() => Stage.Run(_ =>
    {
        // A hundred probes a second apart: not over within the test.
        Shell.Run("""
            ip link add v0 type veth peer name v1
            sysctl -qw net.ipv6.conf.v0.dad_transmits=100 net.ipv6.conf.v0.accept_dad=1
            ip link set v1 up && ip link set v0 up
            ip -6 addr add 2001:db8::7/64 dev v0
            """);
        Explained.AsRoot("tcp://[2001:db8::7]:8080").Refused("EADDRNOTAVAIL", "address-tentative", retry: true);
        Explained.AsNobody("udp://[2001:db8::7]:8080").Refused("EADDRNOTAVAIL", "address-tentative", retry: true);
    });

    [Fact]
    public void The_interface_is_down() => Stage.Run(_ =>
    {
        // An IPv4 address can be bound all the same: its local route does not depend on the interface (net/ipv4/fib_frontend.c,
        // fib_add_ifaddr).
        Shell.Run("ip link add v0 type veth peer name v1 && ip link set v1 up && ip addr add 192.0.2.7/24 dev v0 && ip -6 addr add "
            + "2001:db8::7/64 dev v0 nodad");
        Explained.AsRoot("tcp://192.0.2.7:8080").Granted();
        Shell.Run("ip -6 addr del 2001:db8::7/64 dev v0 && ip -6 addr add 2001:db8::7/64 dev v0");
        var document = Explained.AsRoot("tcp://[2001:db8::7]:8080").Refused("EADDRNOTAVAIL", "interface-down", retry: true);
        Assert.Contains("v0", document.Verdict, StringComparison.Ordinal);
        Explained.AsNobody("udp://[2001:db8::7]:8080").Refused("EADDRNOTAVAIL", "interface-down", retry: true);
    });

    [Fact]
    public void IPv6_is_switched_off() => Stage.Run(_ =>
    {
        Shell.Run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
        Explained.AsRoot("tcp://[::1]:8080").Refused("EADDRNOTAVAIL", "family-disabled", retry: false);
        Explained.AsNobody("tcp://[2001:db8::1]:8080").Refused("EADDRNOTAVAIL", "family-disabled", retry: false);
        Explained.AsRoot("tcp://127.0.0.1:8080").Granted();
    });

    [Fact]
    public void A_multicast_address() => Stage.Run(_ =>
        Explained.AsRoot("tcp://[ff0e::1]:8080").Refused("EINVAL", "not-local-multicast", retry: false));

    [Fact]
    public void A_link_local_address_without_its_interface() => Stage.Run(_ =>
    {
        Explained.AsRoot("tcp://[fe80::1]:8080").Refused("EINVAL", "scope-missing", retry: false);
        Explained.AsNobody("udp://[fe80::1]:8080").Refused("EINVAL", "scope-missing", retry: false);
    });

    [Fact]
    public void An_IPv4_address_in_IPv6_form_with_ipv6_only() => Stage.Run(_ =>
        Explained.AsRoot("tcp://[::ffff:127.0.0.1]:8080", "--ipv6-only").Refused("EINVAL", "mapped-ipv6-only", retry: false));

    [Fact]
    public void A_privileged_port() => Stage.Run(_ =>
    {
        var document = Explained.AsNobody("tcp://127.0.0.1:80").Refused("EACCES", "privileged-port", retry: false);
        Assert.Contains("1024", document.Verdict, StringComparison.Ordinal);
        Explained.AsRoot("tcp://127.0.0.1:80").Granted();
        Shell.Run("sysctl -qw net.ipv4.ip_unprivileged_port_start=80");
        Explained.AsNobody("tcp://127.0.0.1:80").Granted();
    });

    [Fact]
    public void An_interface_that_is_not_there() => Stage.Run(_ =>
    {
        Explained.AsRoot("tcp://0.0.0.0:8080", "--device", "eth7").Refused("ENODEV", "device-absent", retry: false);
        Explained.AsNobody("tcp://0.0.0.0:8080", "--device", "eth7").Refused("ENODEV", "device-absent", retry: false);
        Explained.AsRoot("tcp://[fe80::1%eth7]:8080").Refused("ENODEV", "device-absent", retry: false);
        Explained.AsRoot("tcp://0.0.0.0:8080", "--device", "lo").Granted();
    });

    [Fact]
    public void A_protocol_that_is_switched_off() => Stage.Run(_ =>
    {
        Shell.Run("sysctl -qw net.mptcp.enabled=0");
        Assert.Equal("family-unsupported", Explained.AsRoot("mptcp://127.0.0.1:8080").Document.Cause);
    });

    [Fact]
    public void The_namespace_is_named_where_it_is_not_the_hosts() => Stage.Run(_ =>
        Assert.Contains("net:[", Explained.AsRoot("tcp://192.0.2.1:8080").Document.Advice, StringComparison.Ordinal));
}
