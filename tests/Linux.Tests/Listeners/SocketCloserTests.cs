using System.Diagnostics;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Listeners;

/// <summary>Closing a socket does not block, whatever other processes did to it or left in it.</summary>
public class SocketCloserTests : KernelTest
{
    /// <summary>Longer than any wait of the loop, and much shorter than a day.</summary>
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(5);

    [Fact]
    public void A_lingering_connection_closes_on_another_thread()
    {
        using var lingering = new Lingering();
        var clock = Stopwatch.StartNew();
        SocketCloser.Close(lingering.Socket);
        Assert.True(clock.Elapsed < AtOnce, clock.Elapsed.ToString());
    }

    [Fact]
    public void A_listener_with_queued_data_closes_on_another_thread()
    {
        using var directory = new TemporaryDirectory();
        using var lingering = new Lingering();
        var listener = Loopback.Bound($"unix://{directory["u"]}", 1);
        using (var client = Loopback.Socket(1, 1))
        {
            Assert.Null(Sockets.Connect(client, Sockaddr.Encode(Loopback.AddressOf(listener))!));
            lingering.Give(socket => Assert.True(DescriptorPassing.Send(client, "x"u8, [socket], wait: true, out _)));
        }

        var clock = Stopwatch.StartNew();
        SocketCloser.Close(listener);
        Assert.True(clock.Elapsed < AtOnce, clock.Elapsed.ToString());
    }

    [Fact]
    public void A_closed_listener_frees_its_address()
    {
        var listener = Loopback.Bound("tcp://127.0.0.1:0", 1);
        var address = Loopback.AddressOf(listener);
        SocketCloser.Close(listener);
        using var again = Loopback.Socket(2, 1);
        Assert.Null(Sockets.Bind(again, Sockaddr.Encode(address)!));
    }
}
