using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>The daemon counts the open connections of a worker from outside.</summary>
public sealed class ConnectionCountTests
{
    [Fact]
    public Task Status_counts_the_open_connections_of_a_worker() => DaemonUnderTest.WithAsync(
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.w]
        command = ["@hello@"]
        listeners = ["web"]
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            Assert.Equal(0, Assert.Single((await daemon.StatusAsync("w")).Workers).Connections);
            var clients = new List<TcpClient>();
            try
            {
                for (var i = 0; i < 3; i++)
                {
                    var client = new TcpClient();
                    clients.Add(client);
                    await client.ConnectAsync(await daemon.EndPointAsync("web"));
                    await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));

                    // A worker that has answered has accepted the connection, and keeps it.
                    Assert.NotEqual(0, await client.GetStream().ReadAsync(new byte[4096]));
                    Assert.Equal(i + 1, Assert.Single((await daemon.StatusAsync("w")).Workers).Connections);
                }
            }
            finally
            {
                clients.ForEach(client => client.Dispose());
            }
        });
}
