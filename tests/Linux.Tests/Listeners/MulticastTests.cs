using System.Net;
using Supervisor.Core.Listeners.History;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;
using Sockaddr = Supervisor.Linux.Kernel.Sockaddr;

namespace Supervisor.Linux.Tests.Listeners;

/// <summary>
/// A joined group is received, and an unlisted source is not. Datagrams are looped back and available when sendto() returns, so
/// what is not readable then was not delivered.
/// </summary>
public class MulticastTests : KernelTest
{
    [Theory]
    [InlineData("udp://0.0.0.0:0", "239.1.2.3", "239.1.2.4", "192.0.2.1")]
    [InlineData("udp://[::]:0", "ff12::1234", "ff12::1235", "2001:db8::1")]
    [InlineData("udp://[::]:0", "239.1.2.3", "239.1.2.4", "192.0.2.1")]
    public void A_listener_receives_only_its_joined_group(string address, string group, string other, string sender) => OnInterface(() =>
    {
        using var handle = Given.Listener(
            address,
            spec => spec with { Datagram = new() { Multicast = [new(IPAddress.Parse(group), "v0", null)] } });
        var joined = Assert.Single(handle.History.Entries, entry => entry.Option == "MCAST_JOIN_GROUP");
        Assert.Equal(("setsockopt", Verdict.Exact, $"{group} on v0"), (joined.Call, joined.Verdict, joined.Requested.ToString()));
        SendTo(other, handle, sender);
        Assert.False(Libc.IsReadable(handle.Descriptor!));
        SendTo(group, handle, sender);
        Assert.Equal("hello"u8, Libc.Receive(handle.Descriptor!));
    });

    [Theory]
    [InlineData("udp://0.0.0.0:0", "232.1.2.3", "192.0.2.1", "192.0.2.2")]
    [InlineData("udp://[::]:0", "ff32::1234", "2001:db8::1", "2001:db8::2")]
    public void A_listener_receives_only_the_named_source_of_a_group(
        string address,
        string group,
        string other,
        string source) => OnInterface(() =>
    {
        using var handle = Given.Listener(
            address,
            spec => spec with { Datagram = new() { Multicast = [new(IPAddress.Parse(group), "v0", IPAddress.Parse(source))] } });
        Assert.Single(handle.History.Entries, entry => entry is { Option: "MCAST_JOIN_SOURCE_GROUP", Verdict: Verdict.Exact });
        SendTo(group, handle, other);
        Assert.False(Libc.IsReadable(handle.Descriptor!));
        SendTo(group, handle, source);
        Assert.Equal("hello"u8, Libc.Receive(handle.Descriptor!));
    });

    [Theory]
    [InlineData("nowhere0", "if_nametoindex")]
    [InlineData(null, "setsockopt")]
    public void A_refused_group_does_not_fail_the_listener(
        string? device,
        string call) => KernelThread.InNewNetwork(() =>
    {
        using var handle = Given.Listener(
            "udp://0.0.0.0:0",
            spec => spec with { Datagram = new() { Multicast = [new(IPAddress.Parse("239.1.2.3"), device, null)] } });
        var entry = Assert.Single(handle.History.Entries, entry => entry.Option == "MCAST_JOIN_GROUP");
        Assert.Equal((call, "ENODEV", Verdict.Refused), (entry.Call, entry.Errno, entry.Verdict));
        Assert.NotNull(entry.Note);
    });

    /// <summary>A network with an interface that supports multicast in both families, unlike the loopback interface.</summary>
    private static void OnInterface(Action body) => KernelThread.InNewNetwork(() =>
    {
        var (status, output) = Child.Run("/bin/sh", "-ec", """
            ip link add v0 type veth peer name v1
            ip link set v1 up
            ip link set v0 up
            ip addr add 192.0.2.1/24 dev v0
            ip addr add 192.0.2.2/24 dev v0
            ip addr add 2001:db8::1/64 dev v0 nodad
            ip addr add 2001:db8::2/64 dev v0 nodad
            ip -6 route replace multicast ff00::/8 dev v0 table local
            """);
        Assert.True(status == 0, $"the tests need ip (iproute2) and veth interfaces: {output}");
        body();
    });

    private static void SendTo(string group, ListenerHandle listener, string from)
    {
        var address = IPAddress.Parse(from);
        var isFour = address.GetAddressBytes().Length == 4;
        using var sender = Loopback.Socket(isFour ? 2 : 10, 2);
        Assert.Null(Sockets.Bind(sender, Sockaddr.Encode(address, 0)));
        var v0 = NetworkInterfaces.Index("v0")!.Value;

        // IP_MULTICAST_IF takes the interface's address, IPV6_MULTICAST_IF its number.
        Assert.Null(isFour ? Sockets.SetBytes(sender, 0, 32, address.GetAddressBytes()) : Sockets.SetInt32(sender, 41, 17, (int)v0));
        Libc.SendTo(sender, "hello"u8, Sockaddr.Encode(IPAddress.Parse(group), (int)listener.Effective!.Port, v0));
    }
}
