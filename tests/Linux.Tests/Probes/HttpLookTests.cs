using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Probes;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Probes;

/// <summary>
/// The accepting process is known before the request is sent. .NET sockets keep descriptors open, so the test does not count
/// descriptors.
/// </summary>
public sealed class HttpLookTests
{
    /// <summary>Instead of an answer: the server resets the connection.</summary>
    private const string Reset = "reset";

    /// <summary>The server of a test may take long to accept while other tests run.</summary>
    private static readonly TimeSpan Patient = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("tcp://127.0.0.1:0")]
    [InlineData("tcp://*:0")]
    [InlineData("unix://@linux-tests-http")]
    public async Task A_2xx_answer_of_the_probed_worker_means_ready(string address)
    {
        using var listener = Given.Listener(address);
        using var server = Server(listener, "HTTP/1.1 204 No Content\r\n\r\n", out var requests);
        Assert.Null(await Look(listener, Processes.CurrentPid));
        Assert.StartsWith("GET /healthz HTTP/1.1\r\nHost: ", Assert.Single(requests), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 503 no\r\n\r\n", "the answer is 503")]
    [InlineData("HTTP/1.0 302 Found\r\n\r\n", "the answer is 302")]
    [InlineData("SSH-2.0-OpenSSH\r\n", "the answer is not HTTP")]
    [InlineData("", "closed without an answer; a port with TLS needs \"tcp\" or \"exec:COMMAND\"")]
    [InlineData("\u0015\u0003\u0001\0\u0002\u0002\n", "the answer is TLS; a port with TLS needs \"tcp\" or \"exec:COMMAND\"")]
    [InlineData(Reset, "reset without an answer; a port with TLS needs \"tcp\" or \"exec:COMMAND\"")]
    public async Task Any_other_answer_does_not_mean_ready(string answer, string seen)
    {
        using var listener = Given.Listener("tcp://127.0.0.1:0");
        using var server = Server(listener, answer, out _);
        using var probe = Probe(listener, Processes.CurrentPid);
        Assert.EndsWith(seen, await probe.ProbeAsync(default), StringComparison.Ordinal);
        Assert.Equal(ProbeFinding.Answered, probe.Finding);
    }

    [Fact]
    public async Task A_connection_that_cannot_be_made_says_nothing_about_the_worker()
    {
        using var listener = Given.Listener("tcp://127.0.0.1:0");
        using var probe = Probe(listener, Processes.CurrentPid);
        listener.Dispose();
        Assert.Equal("cannot connect to \"web\": ECONNREFUSED", await probe.ProbeAsync(default));
        Assert.True(probe.WasUnable);
    }

    [Fact]
    public async Task A_connection_of_another_process_gets_no_request()
    {
        using var listener = Given.Listener("tcp://127.0.0.1:0");
        using var server = Server(listener, "HTTP/1.1 200 OK\r\n\r\n", out var requests);
        Assert.Contains("\"web\"", await Look(listener, pid: int.MaxValue), StringComparison.Ordinal);
        Assert.DoesNotContain(requests, request => request.EndsWith("\r\n\r\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_probe_reports_that_no_process_accepts()
    {
        using var listener = Given.Listener("tcp://127.0.0.1:0");
        Assert.Contains(
            "\"web\"", await Look(listener, Processes.CurrentPid, TimeSpan.FromMilliseconds(250)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:0")]
    [InlineData("unix://@linux-tests-tcp")]
    public async Task A_worker_that_accepts_a_connection_passes_the_probe_tcp(string address)
    {
        using var listener = Given.Listener(address);
        using var server = Server(listener, "", out var requests);
        Assert.Null(await Connect(listener, Processes.CurrentPid));
        Assert.Contains("other processes", await Connect(listener, int.MaxValue), StringComparison.Ordinal);
        Assert.All(requests, request => Assert.Equal("", request));
    }

    private static async Task<string?> Connect(ListenerHandle listener, int pid)
    {
        var owner = new object();
        using var probe = new TcpProbe(
            owner, () => pid, "web", listener.Effective!, others: () => 1, new AcceptProbe(owner, () => pid, [("web", 0)]));
        return await probe.Within(Patient).ProbeAsync(default);
    }

    private static Task<string?> Look(ListenerHandle listener, int pid, TimeSpan? time = null) =>
        Probe(listener, pid, time).ProbeAsync(default);

    private static ListenerProbe Probe(ListenerHandle listener, int pid, TimeSpan? time = null) =>
        new HttpProbe(new object(), () => pid, "/healthz", "web", listener.Effective!, others: () => 1).Within(time ?? Patient);

    /// <summary>Answers each complete request and records the data of each connection.</summary>
    private static Socket Server(ListenerHandle listener, string answer, out ConcurrentQueue<string> requests)
    {
        var copy = Descriptors.Duplicate(listener.Descriptor!, out _)!;
        var socket = new Socket(new SafeSocketHandle(copy.Number, ownsHandle: true));
        copy.SetHandleAsInvalid();
        var seen = requests = new ConcurrentQueue<string>();
        _ = Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    using var connection = await socket.AcceptAsync();
                    var request = new StringBuilder();
                    var buffer = new byte[4096];
                    while (!request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
                    {
                        var count = await connection.ReceiveAsync(buffer);
                        if (count == 0)
                        {
                            break;
                        }

                        request.Append(Encoding.ASCII.GetString(buffer, 0, count));
                    }

                    seen.Enqueue(request.ToString());
                    if (request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
                    {
                        if (answer == Reset)
                        {
                            connection.LingerState = new LingerOption(enable: true, seconds: 0);
                            continue;
                        }

                        await connection.SendAsync(Encoding.ASCII.GetBytes(answer));
                    }
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                // The test is over.
            }
        });
        return socket;
    }
}
