namespace Supervisor.Diagnosis.Tests.Scenarios;

/// <summary>The other errnos of internet addresses.</summary>
public sealed class OtherRefusalTests
{
    [Fact]
    public void An_address_without_an_interface_is_explained() => Stage.Run(_ =>
    {
        Explained.AsRoot("tcp://192.0.2.1:8080").Refused("EADDRNOTAVAIL", "address-absent", retry: true);
        Explained.AsNobody("tcp://[2001:db8::1]:8080").Refused("EADDRNOTAVAIL", "address-absent", retry: true);
        Explained.AsRoot("udp://192.0.2.1:8080").Refused("EADDRNOTAVAIL", "address-absent", retry: true);
        Explained.AsNobody("tcp://192.0.2.1:8080", "--free-bind").Granted();
    });

    [Fact]
    public void Unfinished_duplicate_address_detection_is_explained() => Stage.Run(_ =>
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
    public void An_interface_that_is_down_is_explained() => Stage.Run(_ =>
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
    public void Disabled_IPv6_is_explained() => Stage.Run(_ =>
    {
        Shell.Run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
        Explained.AsRoot("tcp://[::1]:8080").Refused("EADDRNOTAVAIL", "family-disabled", retry: false);
        Explained.AsNobody("tcp://[2001:db8::1]:8080").Refused("EADDRNOTAVAIL", "family-disabled", retry: false);
        Explained.AsRoot("tcp://127.0.0.1:8080").Granted();
    });

    [Fact]
    public void Bind_to_a_multicast_address_is_explained() => Stage.Run(_ =>
        Explained.AsRoot("tcp://[ff0e::1]:8080").Refused("EINVAL", "not-local-multicast", retry: false));

    [Fact]
    public void A_link_local_address_without_an_interface_is_explained() => Stage.Run(_ =>
    {
        Explained.AsRoot("tcp://[fe80::1]:8080").Refused("EINVAL", "scope-missing", retry: false);
        Explained.AsNobody("udp://[fe80::1]:8080").Refused("EINVAL", "scope-missing", retry: false);
    });

    [Fact]
    public void A_mapped_IPv4_address_with_ipv6_only_is_explained() => Stage.Run(_ =>
        Explained.AsRoot("tcp://[::ffff:127.0.0.1]:8080", "--ipv6-only").Refused("EINVAL", "mapped-ipv6-only", retry: false));

    [Fact]
    public void A_privileged_port_is_explained() => Stage.Run(_ =>
    {
        var document = Explained.AsNobody("tcp://127.0.0.1:80").Refused("EACCES", "privileged-port", retry: false);
        Assert.Contains("1024", document.Verdict, StringComparison.Ordinal);
        Explained.AsRoot("tcp://127.0.0.1:80").Granted();
        Shell.Run("sysctl -qw net.ipv4.ip_unprivileged_port_start=80");
        Explained.AsNobody("tcp://127.0.0.1:80").Granted();
    });

    [Fact]
    public void A_missing_interface_is_explained() => Stage.Run(_ =>
    {
        Explained.AsRoot("tcp://0.0.0.0:8080", "--device", "eth7").Refused("ENODEV", "device-absent", retry: false);
        Explained.AsNobody("tcp://0.0.0.0:8080", "--device", "eth7").Refused("ENODEV", "device-absent", retry: false);
        Explained.AsRoot("tcp://[fe80::1%eth7]:8080").Refused("ENODEV", "device-absent", retry: false);
        Explained.AsRoot("tcp://0.0.0.0:8080", "--device", "lo").Granted();
    });

    [Fact]
    public void A_disabled_protocol_is_explained() => Stage.Run(_ =>
    {
        Shell.Run("sysctl -qw net.mptcp.enabled=0");
        Assert.Equal("family-unsupported", Explained.AsRoot("mptcp://127.0.0.1:8080").Document.Cause);
    });

    [Fact]
    public void A_namespace_other_than_the_hosts_is_named() => Stage.Run(_ =>
        Assert.Contains("net:[", Explained.AsRoot("tcp://192.0.2.1:8080").Document.Advice, StringComparison.Ordinal));
}
