using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using Supervisor.Core.Workers;
using Supervisor.Linux.Probes;

namespace Supervisor.Linux.Tests.Probes;

/// <summary>Which connections have a probe of the daemon at their other end.</summary>
public sealed class OwnConnectionsTests
{
    [Fact]
    public async Task A_port_of_a_former_probe_belongs_to_a_client_again()
    {
        var time = new FakeTimeProvider();
        var own = new OwnConnections(time);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await probe.ConnectAsync(listener.LocalEndpoint);
        var (worker, peer) = (End(probe.RemoteEndPoint), End(probe.LocalEndPoint));
        Assert.False(own.Have(worker, peer));

        own.Add(probe);
        Assert.True(own.Have(worker, peer));
        Assert.False(own.Have(worker, peer with { Port = (ushort)(peer.Port ^ 1) }));

        // A client of another listener may have the probe's port at once.
        Assert.False(own.Have(worker with { Port = (ushort)(worker.Port ^ 1) }, peer));

        time.Advance(OwnConnections.Span);
        own.Add(probe);
        time.Advance(OwnConnections.Span);
        Assert.True(own.Have(worker, peer));

        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(own.Have(worker, peer));
    }

    private static ConnectionPeer End(EndPoint? end) => end is IPEndPoint internet
        ? new(ConnectionPeer.Number(internet.Address), (ushort)internet.Port)
        : throw new ArgumentException("no address", nameof(end));
}
