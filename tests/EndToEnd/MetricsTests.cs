using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary><c>daemon.metrics</c>, whose clients are not trusted.</summary>
public sealed class MetricsTests
{
    private const string Config = """
        metrics = "127.0.0.1:0"
        metrics_hosts = ["metrics.example.org"]

        [listener.web]
        address = "unix://@dir@/web.sock"
        """;

    [Theory]
    [InlineData(64)]
    [InlineData(200)]
    public Task Silent_connections_do_not_block_a_scraper(int connections) => DaemonUnderTest.WithAsync(Config, async daemon =>
    {
        var address = Address(daemon);
        var held = new List<Socket>();
        try
        {
            for (var i = 0; i < connections; i++)
            {
                // Every second client sends a part of a request's header.
                held.Add(await ConnectAsync(address));
                if (i % 2 == 0)
                {
                    await held[^1].SendAsync("GET /metrics HTTP/1.1\r\nX-Slow: "u8.ToArray());
                }
            }

            for (var i = 0; i < 3; i++)
            {
                var started = Stopwatch.GetTimestamp();
                var answer = await AskAsync(address, "GET", "127.0.0.1");
                Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
                Assert.Contains("\nlistend_info{", answer, StringComparison.Ordinal);
                Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(1));
            }

            // The server closes the remaining ones: a read returns the end, or 408.
            foreach (var socket in held)
            {
                using var limit = new CancellationTokenSource(Patience.Limit);
                Assert.DoesNotContain("200", await RestAsync(socket, limit.Token), StringComparison.Ordinal);
            }
        }
        finally
        {
            held.ForEach(socket => socket.Dispose());
        }
    });

    [Fact]
    public Task A_host_name_that_is_not_configured_is_rejected() => DaemonUnderTest.WithAsync(Config, async daemon =>
    {
        var address = Address(daemon);
        string[] accepted =
        [
            "127.0.0.1", $"127.0.0.1:{address.Port}", "[::1]:1", "10.1.2.3", "localhost", "LOCALHOST:80", Dns.GetHostName(),
            Environment.MachineName, "metrics.example.org", "Metrics.Example.Org.:9469",
        ];
        foreach (var host in accepted)
        {
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", await AskAsync(address, "GET", host), StringComparison.Ordinal);
        }

        string[] rejected =
        [
            "evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "metrics.example.org.evil.example", "127.0.0.1.:80",
            "x" + new string('y', 200),
        ];
        foreach (var host in rejected)
        {
            var answer = await AskAsync(address, "GET", host);
            Assert.StartsWith("HTTP/1.1 421 ", answer, StringComparison.Ordinal);
            Assert.DoesNotContain("listend_up", answer, StringComparison.Ordinal);
            var body = answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
            Assert.Contains("daemon.metrics_hosts", body, StringComparison.Ordinal);
        }
    });

    [Fact]
    public Task Head_gets_the_answer_of_get_without_the_body() => DaemonUnderTest.WithAsync(Config, async daemon =>
    {
        var address = Address(daemon);
        foreach (var (method, status) in new[] { ("HEAD", "200 OK"), ("POST", "405 "), ("DELETE", "405 ") })
        {
            var answer = await AskAsync(address, method, "localhost");
            Assert.StartsWith("HTTP/1.1 " + status, answer, StringComparison.Ordinal);
            Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
        }

        Assert.Contains("Content-Length: ", await AskAsync(address, "HEAD", "localhost"), StringComparison.Ordinal);
        foreach (var path in (string[])["/metrics", "/healthz", "/v1/status", "/v1/events"])
        {
            var answer = await daemon.AskAsync("HEAD " + path);
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
            Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
        }
    });

    [Fact]
    public Task Silent_control_connections_do_not_block_a_client() => DaemonUnderTest.WithAsync(Config, async daemon =>
    {
        var held = new List<Socket>();
        try
        {
            for (var i = 0; i < 300; i++)
            {
                held.Add(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
                var socket = held[^1];

                // One that may wait: the queue is shorter.
                await Task.Run(() => socket.Connect(new UnixDomainSocketEndPoint(daemon.ControlSocket)));
            }

            var started = Stopwatch.GetTimestamp();
            Assert.Equal(0, (await daemon.ListenctlAsync("status")).ExitCode);
            Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(1));
        }
        finally
        {
            held.ForEach(socket => socket.Dispose());
        }
    });

    /// <summary>The daemon's only TCP listener.</summary>
    private static IPEndPoint Address(DaemonUnderTest daemon)
    {
        var own = Processes.Descriptors(daemon.Pid).Values.ToHashSet(StringComparer.Ordinal);

        // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode; 0A listens.
        var row = File.ReadLines("/proc/net/tcp").Skip(1).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Single(fields => fields[3] == "0A" && own.Contains($"socket:[{fields[9]}]"));
        return new IPEndPoint(IPAddress.Loopback, int.Parse(row[1].AsSpan(9), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address);
        return socket;
    }

    private static async Task<string> AskAsync(IPEndPoint address, string method, string host)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        using var socket = await ConnectAsync(address);
        await socket.SendAsync(
            Encoding.ASCII.GetBytes($"{method} /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
            limit.Token);
        return await RestAsync(socket, limit.Token);
    }

    private static async Task<string> RestAsync(Socket socket, CancellationToken limit)
    {
        var answer = new MemoryStream();
        var piece = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(piece, limit) is > 0 and var length)
            {
                answer.Write(piece, 0, length);
            }
        }
        catch (SocketException)
        {
            // A reset is a valid end too.
        }

        return Encoding.ASCII.GetString(answer.ToArray());
    }
}
