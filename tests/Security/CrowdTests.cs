using System.Net;
using System.Net.Sockets;
using System.Text;
using Supervisor.EndToEnd;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.Security;

/// <summary>Findings 12 and 13: who takes the places of others.</summary>
public sealed class CrowdTests(ITestOutputHelper output)
{
    [Fact]
    public Task Idle_connections_of_four_users_do_not_shut_out_a_worker() => Battlefield.WithAsync(
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.web]
        command = ["@possessed@", "@orders@"]
        listeners = ["web"]
        user = "games"
        """,
        output,
        async (daemon, attack) =>
        {
            await daemon.ReadyWorkersAsync("web", 1);
            List<RunningProgram> crowd = [];
            try
            {
                for (var user = 0; user < 4; user++)
                {
                    crowd.Add(attack.Start($"{4711 + user}", "idle-connections", daemon.Broker(), "80"));
                    await crowd[^1].Output.WaitAsync(0, "holding");
                }

                await attack.AssertFailsInWorkerAsync("games", daemon.Directory["orders/web.0"], "shut-out", daemon.Broker(), "web");
            }
            finally
            {
                foreach (var one in crowd)
                {
                    await one.DisposeAsync();
                }
            }
        });

    [Fact]
    public async Task Half_open_connections_do_not_block_the_metrics()
    {
        var port = FreePort();
        await Battlefield.WithAsync(
            Metrics(port),
            output,
            (_, attack) => attack.AssertFailsAsync("4711", "half-open", $"{port}", "64"));
    }

    [Fact]
    public async Task Metrics_require_the_right_host_name()
    {
        var port = FreePort();
        await Battlefield.WithAsync(Metrics(port), output, async (_, _) =>
        {
            foreach (var host in (string[])["evil.example", $"evil.example:{port}", "127.0.0.1.evil.example"])
            {
                foreach (var path in (string[])["/metrics", "/healthz", "/readyz"])
                {
                    var answer = await AskAsync(port, $"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
                    Assert.False(answer.StartsWith("HTTP/1.1 2", StringComparison.Ordinal), $"{path} for {host}: {answer}");
                }
            }

            foreach (var host in (string[])["127.0.0.1", $"127.0.0.1:{port}", $"localhost:{port}"])
            {
                foreach (var method in (string[])["GET", "HEAD"])
                {
                    var answer = await AskAsync(port, $"{method} /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
                    Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
                }
            }
        });
    }

    private static string Metrics(int port) =>
        $"""
        metrics = "127.0.0.1:{port}"

        [listener.web]
        address = "tcp://127.0.0.1:0"
        """;

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static async Task<string> AskAsync(int port, string request)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port, limit.Token);
        await socket.SendAsync(Encoding.ASCII.GetBytes(request), limit.Token);
        await using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(limit.Token);
    }
}
