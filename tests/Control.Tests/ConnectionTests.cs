using System.Net.Sockets;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Terminal;
using Xunit;

namespace Supervisor.Control.Tests;

public sealed class ConnectionTests
{
    [Theory]
    [InlineData("status")]
    [InlineData("listeners")]
    [InlineData("history web")]
    [InlineData("history web --follow")]
    [InlineData("restart api")]
    [InlineData("restart api --wait --json")]
    public void An_absent_socket_exits_3_with_path_cause_and_remedy(string command)
    {
        var result = Listenctl.Run(command.Split(' '), "/nonexistent/control.sock");
        Assert.Equal(
            new Listenctl(
                ExitCode.Unreachable,
                "",
                "listenctl: cannot connect to listend at /nonexistent/control.sock: ENOENT, no such socket\n" +
                "Start it with \"systemctl start listend\" or \"listend run\", or name its socket with --socket PATH or $LISTEND_CONTROL.\n"),
            result);
    }

    [Fact]
    public void A_socket_without_a_listening_process_exits_3()
    {
        var directory = Directory.CreateTempSubdirectory("listend-");
        try
        {
            var path = Path.Combine(directory.FullName, "control.sock");
            using var bound = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            bound.Bind(new UnixDomainSocketEndPoint(path));
            var result = Listenctl.Run(["status", "--json"], path);
            Assert.Equal((ExitCode.Unreachable, ""), (result.ExitCode, result.Output));
            Assert.StartsWith(
                $"listenctl: cannot connect to listend at {path}: ECONNREFUSED, no program listens on it\n", result.Error,
                StringComparison.Ordinal);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_path_that_is_too_long_exits_3()
    {
        var result = Listenctl.Run(["status"], "/" + new string('a', 200));
        Assert.Equal(ExitCode.Unreachable, result.ExitCode);
        Assert.Contains("ENAMETOOLONG", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "lost the connection")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: appl", "lost the connection")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"daemon\":", "lost the connection")]
    [InlineData(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", "lost the connection")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "is not listend: its answer is not HTTP")]
    [InlineData(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi",
        "is not listend: its answer is text/html, not application/json")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}", "is not listend: its answer has no length")]
    [InlineData(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "is not listend: a chunk of its answer has no length")]
    [InlineData(
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi",
        "is not listend: HTTP status 404 without a problem document")]
    public void A_truncated_or_foreign_answer_exits_3_without_a_document(string answer, string message)
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Bytes(answer));
        var result = Listenctl.Run(daemon, "status", "--json");
        Assert.Equal((ExitCode.Unreachable, ""), (result.ExitCode, result.Output));
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Contains(daemon.SocketPath, result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("status --json")]
    [InlineData("restart api --wait")]
    [InlineData("restart api --timeout 1h")]
    [InlineData("events --follow")]
    [InlineData("top")]
    [InlineData("take web -- true")]
    public void A_socket_of_an_exited_daemon_exits_3_and_gets_no_request(string command)
    {
        using var kept = new KeptSocket();
        var result = Listenctl.Run(command.Split(' '), kept.Path);
        Assert.Equal((ExitCode.Unreachable, ""), (result.ExitCode, result.Output));
        Assert.Equal(
            $"listenctl: no listend runs at {kept.Path}: the last one (pid 4711) has exited without closing the socket\n" +
            "Start it with \"systemctl start listend\" or \"listend run\". Until then its listeners stay open and its workers continue.\n",
            result.Error);
        Assert.Equal("", kept.Heard());
    }

    [Fact]
    public async Task A_daemon_that_exits_with_a_queued_request_exits_3()
    {
        using var kept = new KeptSocket();
        using var claim = kept.Claim();
        var asked = Task.Run(() => Listenctl.Run(["restart", "api", "--wait"], kept.Path));
        await kept.ConnectedAsync();
        claim.Dispose();
        var result = await asked.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal((ExitCode.Unreachable, ""), (result.ExitCode, result.Output));
        Assert.StartsWith($"listenctl: no listend runs at {kept.Path}: ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_client_waits_for_a_successor_and_for_a_silent_daemon()
    {
        using var kept = new KeptSocket();
        var clock = new WaitingClock();
        var asked = Task.Run(() => Listenctl.Run(["listeners", "--json"], kept.Path, clock: clock));
        using var connection = await kept.ConnectedAsync();
        using var claim = kept.Claim();
        clock.Start();

        // Longer than the client's limits for an answer and for a successor.
        Assert.NotSame(asked, await Task.WhenAny(asked, Task.Delay(ControlClient.DaemonCheckInterval * 6)));
        await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"u8.ToArray());
        Assert.Equal(new Listenctl(ExitCode.Done, "[]\n", ""), await asked.WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public void The_client_reads_chunks_with_extensions_and_trailers()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Bytes(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\n[\r\n1\r\n]\r\n0\r\nX-Trailer: 1\r\n\r\n"));
        Assert.Equal(new Listenctl(ExitCode.Done, "[]\n", ""), Listenctl.Run(daemon, "listeners", "--json"));
    }

    [Fact]
    public void The_client_passes_on_a_long_answer_completely()
    {
        var entry = """{"seq":1,"at":"2026-03-04T12:00:00Z","phase":"create","call":"socket","verdict":"exact","since_creation_us":0}""";
        var json = "[" + string.Join(",", Enumerable.Repeat(entry, 10_000)) + "]";
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json(json));
        Assert.Equal(json + "\n", Listenctl.Run(daemon, "history", "web", "--json").Output);
    }

    [Theory]
    [InlineData(true, false, null, null, "/run/listend/control.sock")]
    [InlineData(false, false, null, "/run/user/1000x", "/run/user/1000x/listend/control.sock")]
    [InlineData(false, true, null, "/run/user/1000x", "/run/listend/control.sock")]
    [InlineData(true, true, "/nowhere/c", "/run/user/1000x", "/nowhere/c")]
    public void The_default_socket_comes_from_the_variable_or_the_user(
        bool isRoot, bool mayOpen, string? control, string? runtime, string expected)
    {
        var variables = new Dictionary<string, string>();
        if (control is not null)
        {
            variables["LISTEND_CONTROL"] = control;
        }

        if (runtime is not null)
        {
            variables["XDG_RUNTIME_DIR"] = runtime;
        }

        // Checks only the path, because a daemon may run on this machine.
        var client = ControlClient.For(null, new CommandContext
        {
            Output = Stream.Null,
            Error = TextWriter.Null,
            IsRoot = isRoot,
            MayOpen = _ => mayOpen,
            Variable = variables.GetValueOrDefault,
        });
        Assert.Equal(expected, client.SocketPath);
    }

    [Fact]
    public void Without_a_default_socket_exit_3_names_what_to_set()
    {
        var result = Listenctl.Run(["status"]);
        Assert.Equal((ExitCode.Unreachable, ""), (result.ExitCode, result.Output));
        Assert.Contains(
            "neither LISTEND_CONTROL nor XDG_RUNTIME_DIR is set\nName the socket with --socket PATH, or set LISTEND_CONTROL.",
            result.Error, StringComparison.Ordinal);
    }
}
