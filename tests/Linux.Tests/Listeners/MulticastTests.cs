using System.Net;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;
using SocketAddress = Supervisor.Linux.Listeners.SocketAddress;

namespace Supervisor.Linux.Tests.Listeners;

/// <summary>A group that was joined is heard; a source that was not named is not.</summary>
public class MulticastTests : KernelTest
{
    [Theory]
    [InlineData("udp://0.0.0.0:0", "239.1.2.3", "127.0.0.1")]
    [InlineData("udp://[::]:0", "ff12::1234", "::1")]
    [InlineData("udp://[::]:0", "239.1.2.3", "127.0.0.1")]
    public void A_joined_group_is_heard(string address, string group, string sender) => KernelThread.InNewNetwork(() =>
    {
        using var handle = Given.Listener(address, spec => spec with { Datagram = new() { Multicast = [new(IPAddress.Parse(group), "lo", null)] } });
        var joined = Assert.Single(handle.History.Entries, entry => entry.Option == "MCAST_JOIN_GROUP");
        Assert.Equal(("setsockopt", Verdict.Exact, $"{group} on lo"), (joined.Call, joined.Verdict, joined.Requested.ToString()));
        SendTo(IPAddress.Parse(group), handle, IPAddress.Parse(sender));
        Assert.Equal("hello"u8, Libc.Receive(handle.Descriptor!));
    });

    /// <summary>Datagrams on the loopback are there when send() returns: one of the other source would come first.</summary>
    [Fact]
    public void Of_a_group_with_a_source_that_source_alone_is_heard() => KernelThread.InNewNetwork(() =>
    {
        var group = IPAddress.Parse("232.1.2.3");
        using var handle = Given.Listener("udp://0.0.0.0:0", spec => spec with { Datagram = new() { Multicast = [new(group, "lo", IPAddress.Parse("127.0.0.2"))] } });
        Assert.Single(handle.History.Entries, entry => entry is { Option: "MCAST_JOIN_SOURCE_GROUP", Verdict: Verdict.Exact });
        SendTo(group, handle, IPAddress.Parse("127.0.0.1"));
        Assert.False(Libc.IsReadable(handle.Descriptor!));
        SendTo(group, handle, IPAddress.Parse("127.0.0.2"));
        Assert.Equal("hello"u8, Libc.Receive(handle.Descriptor!));
    });

    [Fact]
    public void Of_an_IPv6_group_with_a_source_that_source_alone_is_heard() => KernelThread.InNewNetwork(() =>
    {
        var group = IPAddress.Parse("ff32::1234");
        using var deaf = Given.Listener("udp://[::]:0", spec => spec with { Datagram = new() { Multicast = [new(group, "lo", IPAddress.Parse("2001:db8::1"))] } });
        SendTo(group, deaf, IPAddress.IPv6Loopback);
        Assert.False(Libc.IsReadable(deaf.Descriptor!));
        deaf.Dispose();
        using var handle = Given.Listener("udp://[::]:0", spec => spec with { Datagram = new() { Multicast = [new(group, "lo", IPAddress.IPv6Loopback)] } });
        SendTo(group, handle, IPAddress.IPv6Loopback);
        Assert.Equal("hello"u8, Libc.Receive(handle.Descriptor!));
    });

    [Theory]
    [InlineData("nowhere0", "ENODEV")]
    [InlineData(null, "ENODEV")]
    public void A_group_that_cannot_be_joined_is_refused_and_the_listener_goes_on(string? device, string errno) => KernelThread.InNewNetwork(() =>
    {
        using var handle = Given.Listener("udp://0.0.0.0:0", spec => spec with { Datagram = new() { Multicast = [new(IPAddress.Parse("239.1.2.3"), device, null)] } });
        var entry = Assert.Single(handle.History.Entries, entry => entry.Option == "MCAST_JOIN_GROUP");
        Assert.Equal((errno, Verdict.Refused), (entry.Errno, entry.Verdict));
        Assert.NotNull(entry.Note);
    });

    private static void SendTo(IPAddress group, ListenerHandle listener, IPAddress from)
    {
        var isFour = from.GetAddressBytes().Length == 4;
        using var sender = Loopback.Socket(isFour ? 2 : 10, 2);
        Assert.Null(Sockets.Bind(sender, SocketAddress.Encode(from, 0)));
        var lo = NetworkInterfaces.Index("lo")!.Value;
        if (isFour)
        {
            // IP_MULTICAST_IF takes the address of the interface.
            Assert.Null(Sockets.SetBytes(sender, 0, 32, IPAddress.Loopback.GetAddressBytes()));
        }
        else
        {
            Libc.RouteGroupsOverLoopback();
            Assert.Null(Sockets.SetInt32(sender, 41, 17, (int)lo));
        }

        Libc.SendTo(sender, "hello"u8, SocketAddress.Encode(group, (int)listener.Effective!.Port, lo));
    }
}
