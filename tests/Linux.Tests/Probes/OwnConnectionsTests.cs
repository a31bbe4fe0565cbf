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
        var local = Assert.IsType<IPEndPoint>(probe.LocalEndPoint);
        var peer = new ConnectionPeer(ConnectionPeer.Number(local.Address), (ushort)local.Port);
        Assert.False(own.Have(peer));

        own.Add(probe);
        Assert.True(own.Have(peer));
        Assert.False(own.Have(peer with { Port = (ushort)(peer.Port ^ 1) }));

        time.Advance(OwnConnections.Span);
        own.Add(probe);
        time.Advance(OwnConnections.Span);
        Assert.True(own.Have(peer));

        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(own.Have(peer));
    }
}
