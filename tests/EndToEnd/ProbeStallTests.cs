using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>The daemon answers in time despite hundreds of thousands of descriptors of a local user.</summary>
public sealed class ProbeStallTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Runs as the local user: a listener and many descriptors in many processes. Prints its port; accepts and closes at once.
    /// </summary>
    private const string Holder = """
        import ctypes, os, resource, signal, socket, threading
        libc = ctypes.CDLL(None)
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        os.setgid(65534)
        os.setuid(65534)
        listener = socket.create_server(('127.0.0.1', 0))
        pair = socket.socketpair()
        for _ in range(15000):
            os.dup(pair[0].fileno())
        for _ in range(20):
            if os.fork() == 0:
                libc.prctl(1, signal.SIGKILL, 0, 0, 0)
                signal.pause()
        print('port', listener.getsockname()[1], flush=True)
        def serve():
            while True:
                listener.accept()[0].close()
        threading.Thread(target=serve, daemon=True).start()
        signal.pause()
        """;

    /// <summary>A worker with many descriptors in many processes, which keeps its accepted connections.</summary>
    private const string Worker = """
        import os, resource, select, signal, socket
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        pair = socket.socketpair()
        for _ in range(15000):
            os.dup(pair[0].fileno())
        for _ in range(20):
            if os.fork() == 0:
                signal.pause()
        listener = socket.socket(fileno=3)
        waiting = select.epoll()
        waiting.register(3, select.EPOLLIN)
        kept = []
        while True:
            waiting.poll()
            kept.append(listener.accept()[0])
        """;

    private const string Config = """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.w]
        command = ["/usr/bin/env", "python3", "@dir@/worker.py"]
        listeners = ["web"]
        ready = "accepting"
        """;

    [Fact]
    public async Task The_daemon_answers_while_a_probe_scans_many_descriptors()
    {
        using var scripts = new TemporaryDirectory();
        await using var holder = RunningProgram.Start("/usr/bin/env", ["python3", scripts.Write("holder.py", Holder)]);
        var port = (await holder.Output.WaitAsync(0, "port "))["port ".Length..];
        await DaemonUnderTest.WithAsync(
            Config,
            async daemon =>
            {
                using var end = new CancellationTokenSource();
                var answers = Task.Factory.StartNew(
                    () => Measure(daemon, end.Token),
                    CancellationToken.None,
                    TaskCreationOptions.LongRunning,
                    TaskScheduler.Default);
                await daemon.WaitUntilReadyAsync("w");

                // With connections, the status must find their processes.
                var address = await daemon.EndPointAsync("web");
                using var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await client.ConnectAsync(address);
                for (var i = 0; i < 5; i++)
                {
                    await daemon.StatusAsync("w");
                }

                // A refused bind searches for the conflict, and each connection that ends at this port causes a new search.
                var file = daemon.Directory["run.toml"];
                await File.AppendAllTextAsync(
                    file,
                    $"\n[listener.taken]\naddress = \"tcp://127.0.0.1:{port}\"\non_conflict = {{ wait = \"30s\" }}\n");
                var refused = await daemon.ListenctlAsync("reload");
                Assert.Equal(1, refused.ExitCode);
                Assert.Contains("EADDRINUSE", refused.Error, StringComparison.Ordinal);
                for (var i = 0; i < 500; i++)
                {
                    using var passing = new Socket(SocketType.Stream, ProtocolType.Tcp);
                    await passing.ConnectAsync("127.0.0.1", int.Parse(port, CultureInfo.InvariantCulture));
                }

                await daemon.ListenctlAsync("reload", "--dry-run");
                await end.CancelAsync();
                Assert.InRange(await answers, TimeSpan.Zero, Longest);
            },
            prepare: directory => directory.Write("worker.py", Worker));
    }

    /// <summary>The longest time of GET /v1/status, on a thread of its own, which excludes delays of the pool.</summary>
    private static TimeSpan Measure(DaemonUnderTest daemon, CancellationToken end)
    {
        var answer = new byte[16 * 1024];
        var longest = TimeSpan.Zero;
        while (!end.IsCancellationRequested)
        {
            var started = Stopwatch.GetTimestamp();
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            {
                ReceiveTimeout = (int)Patience.Limit.TotalMilliseconds,
            };
            socket.Connect(new UnixDomainSocketEndPoint(daemon.ControlSocket));
            socket.Send("GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n"u8);
            var length = socket.Receive(answer);
            Assert.True(answer.AsSpan(0, length).StartsWith("HTTP/1.1 200"u8));
            var took = Stopwatch.GetElapsedTime(started);
            longest = took > longest ? took : longest;
        }

        return longest;
    }
}
