using System.Net;
using System.Net.Sockets;

namespace Supervisor.Load.Tests;

public class LoadRunTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    private const string OkKept = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Requests_to_a_good_server_succeed_and_count_in_their_phase()
    {
        var served = new CountdownOf(60);
        await using var server = ScriptedServer.Start(async (connection, _, cancellation) =>
        {
            var closes = false;
            while (!closes && await ScriptedServer.ReadRequestAsync(connection, cancellation) is { } request)
            {
                closes = request.Contains("Connection: close", StringComparison.Ordinal);
                await ScriptedServer.SendAsync(connection, OkKept, cancellation);
                served.Signal();
            }
        });
        await using var run = LoadRun.Start(new LoadPlan
        {
            Target = server.EndPoint,
            NewConnectionsPerSecond = 500,
            KeepAliveConnections = 2,
            SlowInFlight = 3,
            SlowFor = TimeSpan.Zero,
        }, "first");
        await served.Reached.WaitAsync(Patience);
        run.BeginPhase("second");
        served.Restart(60);
        await served.Reached.WaitAsync(Patience);
        var report = await run.StopAsync();

        Assert.Equal((0, 0), (report.Failed, report.Retried));
        Assert.Equal(report.Requests, report.Succeeded);
        Assert.Equal(["first", "second"], report.Phases.Select(phase => phase.Name));
        Assert.All(
            report.Phases,
            phase => Assert.True(phase.New.Succeeded > 0 && phase.KeepAlive.Succeeded > 0 && phase.Slow.Succeeded > 0));
        Assert.All(report.Phases, phase => Assert.InRange(phase.New.Latency.P50Ms, 0.001, phase.New.Latency.MaxMs));
    }

    [Theory]
    [InlineData("", FailureKind.Unanswered)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le", FailureKind.Truncated)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnot a hundred", FailureKind.Truncated)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", FailureKind.Truncated)]
    [InlineData("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", FailureKind.BadStatus)]
    [InlineData("220 mail.example ESMTP\r\n", FailureKind.BadStatus)]
    public async Task An_invalid_answer_is_classified(string answer, FailureKind kind)
    {
        await using var server = ScriptedServer.Start(async (connection, _, cancellation) =>
        {
            await ScriptedServer.ReadRequestAsync(connection, cancellation);
            await ScriptedServer.SendAsync(connection, answer, cancellation);
        });
        await AssertAllFailAsync(server.EndPoint, kind);
    }

    [Fact]
    public async Task A_connection_reset_counts_as_a_reset()
    {
        await using var server = ScriptedServer.Start(async (connection, _, cancellation) =>
        {
            await ScriptedServer.ReadRequestAsync(connection, cancellation);
            ScriptedServer.Reset(connection);
        });
        await AssertAllFailAsync(server.EndPoint, FailureKind.Reset);
    }

    [Fact]
    public async Task A_bound_port_without_a_listener_counts_as_refused()
    {
        using var bound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await AssertAllFailAsync(bound.LocalEndPoint!, FailureKind.Refused);
    }

    [Fact]
    public async Task A_path_without_a_socket_counts_as_refused() =>
        await AssertAllFailAsync(
            new UnixDomainSocketEndPoint(Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"))),
            FailureKind.Refused);

    [Fact]
    public async Task A_silent_server_counts_as_a_timeout()
    {
        await using var server = ScriptedServer.Start((_, _, cancellation) => Task.Delay(Timeout.Infinite, cancellation));
        await AssertAllFailAsync(server.EndPoint, FailureKind.TimedOut);
    }

    [Fact]
    public async Task A_full_accept_queue_counts_as_a_timeout()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        await AssertAllFailAsync(listener.LocalEndPoint!, FailureKind.TimedOut);
    }

    [Fact]
    public async Task A_request_above_the_in_flight_limit_is_an_overrun()
    {
        await using var server = ScriptedServer.Start((_, _, cancellation) => Task.Delay(Timeout.Infinite, cancellation));
        await using var run = LoadRun.Start(
            new LoadPlan { Target = server.EndPoint, NewConnectionsPerSecond = 1000, MaxInFlight = 5, Timeout = TimeSpan.FromSeconds(1) });
        await UntilAsync(() => run.Snapshot().Failures.ContainsKey(FailureKind.Overrun));
        var report = await run.StopAsync();

        Assert.True(report.Failures[FailureKind.TimedOut] <= 5);
        Assert.Equal(report.Requests, report.Failed);
    }

    [Fact]
    public async Task A_unix_socket_can_be_a_target()
    {
        var directory = Directory.CreateTempSubdirectory("load");
        try
        {
            var path = new UnixDomainSocketEndPoint(Path.Combine(directory.FullName, "s"));
            await using var server = ScriptedServer.Start(path, async (connection, _, cancellation) =>
            {
                await ScriptedServer.ReadRequestAsync(connection, cancellation);
                await ScriptedServer.SendAsync(connection, Ok, cancellation);
            });
            await using var run = LoadRun.Start(new LoadPlan { Target = server.EndPoint, NewConnectionsPerSecond = 500 });
            await UntilAsync(() => run.Snapshot().Succeeded >= 20);
            Assert.Equal(0, (await run.StopAsync()).Failed);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task An_announced_close_of_a_kept_connection_is_not_a_failure()
    {
        await using var server = ScriptedServer.Start(async (connection, _, cancellation) =>
        {
            await ScriptedServer.ReadRequestAsync(connection, cancellation);
            await ScriptedServer.SendAsync(connection, Ok, cancellation);
        });
        var report = await KeepAliveAsync(server, () => server.Accepted >= 5);
        Assert.Equal((0, 0), (report.Failed, report.Retried));
    }

    [Fact]
    public async Task A_close_of_an_idle_kept_connection_is_not_a_failure()
    {
        // Answers and closes at once, long before the next request is due.
        await using var server = ScriptedServer.Start(async (connection, _, cancellation) =>
        {
            await ScriptedServer.ReadRequestAsync(connection, cancellation);
            await ScriptedServer.SendAsync(connection, OkKept, cancellation);
        });
        var report = await KeepAliveAsync(server, () => server.Accepted >= 3, TimeSpan.FromMilliseconds(300));
        Assert.Equal((0, 0), (report.Failed, report.Retried));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_request_on_a_closing_kept_connection_is_retried_once(bool reset)
    {
        // Every connection answers its first request and closes after it has read the second.
        await using var server = ScriptedServer.Start(async (connection, _, cancellation) =>
        {
            await ScriptedServer.ReadRequestAsync(connection, cancellation);
            await ScriptedServer.SendAsync(connection, OkKept, cancellation);
            await ScriptedServer.ReadRequestAsync(connection, cancellation);
            if (reset)
            {
                ScriptedServer.Reset(connection);
            }
        });
        var report = await KeepAliveAsync(server, () => server.Accepted >= 5);
        Assert.Equal(0, report.Failed);
        Assert.True(report.Retried >= 4);
    }

    [Fact]
    public async Task A_request_that_fails_on_the_new_connection_too_fails()
    {
        await using var server = ScriptedServer.Start(async (connection, number, cancellation) =>
        {
            await ScriptedServer.ReadRequestAsync(connection, cancellation);
            if (number == 0)
            {
                await ScriptedServer.SendAsync(connection, OkKept, cancellation);
                await ScriptedServer.ReadRequestAsync(connection, cancellation);
            }
        });
        var report = await KeepAliveAsync(server, () => server.Accepted >= 4);
        Assert.Equal((1, 1), (report.Succeeded, report.Retried));
        Assert.Equal(report.Failed, report.Failures[FailureKind.Unanswered]);
        Assert.True(report.Failed >= 2);
    }

    [Fact]
    public async Task A_pause_has_no_requests_in_flight_and_adds_no_latency()
    {
        await using var server = ScriptedServer.Start(async (connection, _, cancellation) =>
        {
            var closes = false;
            while (!closes && await ScriptedServer.ReadRequestAsync(connection, cancellation) is { } request)
            {
                closes = request.Contains("Connection: close", StringComparison.Ordinal);
                await ScriptedServer.SendAsync(connection, OkKept, cancellation);
            }
        });
        await using var run = LoadRun.Start(new LoadPlan
        {
            Target = server.EndPoint,
            NewConnectionsPerSecond = 200,
            KeepAliveConnections = 4,
            SlowInFlight = 4,
            SlowFor = TimeSpan.Zero,
        });
        await UntilAsync(() => run.Snapshot() is var now && now.Phases[0].KeepAlive.Succeeded >= 10 && now.Phases[0].Slow.Succeeded >= 10);
        await run.PauseLanesAsync().WaitAsync(Patience);
        var paused = run.Snapshot().Phases[0];
        Assert.Equal(paused.KeepAlive.Requests, paused.KeepAlive.Succeeded);
        Assert.Equal(paused.Slow.Requests, paused.Slow.Succeeded);

        // New connections continue and measure the pause: 300 of them take one and a half seconds.
        await UntilAsync(() => run.Snapshot().Phases[0].New.Succeeded >= paused.New.Succeeded + 300);
        var still = run.Snapshot().Phases[0];
        Assert.Equal((paused.KeepAlive.Requests, paused.Slow.Requests), (still.KeepAlive.Requests, still.Slow.Requests));
        run.ResumeLanes();
        await UntilAsync(() => run.Snapshot().Phases[0] is var now
            && now.KeepAlive.Succeeded >= still.KeepAlive.Succeeded + 10
            && now.Slow.Succeeded >= still.Slow.Succeeded + 10);
        var report = await run.StopAsync();

        Assert.Equal(0, report.Failed);
        Assert.True(report.Phases[0].KeepAlive.Latency.MaxMs < 1500);
    }

    [Fact]
    public async Task A_stalled_server_is_charged_with_every_request_due()
    {
        var standing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = ScriptedServer.Start(async (connection, _, cancellation) =>
        {
            await ScriptedServer.ReadRequestAsync(connection, cancellation);
            await standing.Task.WaitAsync(cancellation);
            await ScriptedServer.SendAsync(connection, Ok, cancellation);
        });
        await using var run = LoadRun.Start(new LoadPlan { Target = server.EndPoint, NewConnectionsPerSecond = 200 });
        await UntilAsync(() => run.Snapshot().Requests >= 100);
        standing.SetResult();
        var report = await run.StopAsync();

        // 100 requests were due while the server stood still for half a second, so the median one has waited for a quarter.
        Assert.Equal(0, report.Failed);
        Assert.True(report.Phases[0].New.Latency.P50Ms > 100);
    }

    private static async Task AssertAllFailAsync(EndPoint target, FailureKind kind)
    {
        await using var run = LoadRun.Start(new LoadPlan
        {
            Target = target,
            NewConnectionsPerSecond = 200,
            KeepAliveConnections = 1,
            SlowInFlight = 1,
            SlowFor = TimeSpan.Zero,
            Timeout = TimeSpan.FromMilliseconds(kind == FailureKind.TimedOut ? 200 : 30_000),
        });
        await UntilAsync(() => run.Snapshot().Phases[0] is { New.Failed: >= 10, KeepAlive.Failed: >= 1, Slow.Failed: >= 1 });
        var report = await run.StopAsync();

        Assert.Equal(0, report.Retried);
        Assert.Equal(report.Requests, report.Failed);
        Assert.True(report.Failures.Keys.SequenceEqual([kind]), string.Join('\n', report.Samples));
    }

    private static async Task<LoadReport> KeepAliveAsync(ScriptedServer server, Func<bool> enough, TimeSpan? interval = null)
    {
        await using var run = LoadRun.Start(new LoadPlan
        {
            Target = server.EndPoint,
            KeepAliveConnections = 1,
            KeepAliveInterval = interval ?? TimeSpan.FromMilliseconds(10),
        });
        await UntilAsync(enough);
        return await run.StopAsync();
    }

    // The run has no event for a number of requests, so poll at its interval of one millisecond.
    private static async Task UntilAsync(Func<bool> reached)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        using var patience = new CancellationTokenSource(Patience);
        while (!reached())
        {
            await timer.WaitForNextTickAsync(patience.Token);
        }
    }
}
