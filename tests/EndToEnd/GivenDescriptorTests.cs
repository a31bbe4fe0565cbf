using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>Sockets from the process that starts the daemon: LISTEN_FDS.</summary>
public sealed class GivenDescriptorTests
{
    // Binds sockets like systemd without options, keeps them from descriptor 3 on, and executes the daemon.
    private const string Activate = """
        import os, socket, sys
        names, command = sys.argv[1], sys.argv[2:]
        made = []
        for name in names.split(':'):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if name.startswith('udp') else socket.SOCK_STREAM)
            if name.startswith('shared'):
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            s.bind(('127.0.0.1', made and name.startswith('shared') and port or 0))
            port = s.getsockname()[1]
            if not name.startswith('udp'):
                s.listen(33)
            print('made', name, s.getsockname()[1], flush=True)
            made.append(os.dup(s.fileno()))
        for i, fd in enumerate(made):
            os.dup2(fd, 100 + i)
        for i in range(len(made)):
            os.dup2(100 + i, 3 + i)
        for fd in range(3 + len(made), 200):
            try: os.close(fd)
            except OSError: pass
        os.environ['LISTEN_FDS'] = str(len(made))
        os.environ['LISTEN_PID'] = str(os.getpid())
        if '--nameless' not in sys.argv:
            os.environ['LISTEN_FDNAMES'] = names
        os.execvp(command[0], command)
        """;

    [Fact]
    public async Task Adoption_by_name_shows_differences()
    {
        await DaemonUnderTest.WithAsync(
            """
            [listener.web]
            address = "tcp://127.0.0.1:8080"
            listen = { backlog = 100 }
            accepted = { no_delay = true, keep_alive = false }

            [listener.own]
            address = "tcp://127.0.0.1:0"

            [service.web]
            command = ["@hello@"]
            listeners = ["web", "own"]
            """,
            async daemon =>
            {
                await daemon.WaitUntilReadyAsync("web");
                var web = await daemon.ListenerAsync("web");
                Assert.Equal(("inherited-systemd", "listening", "tcp://127.0.0.1:8080"), (web.Origin, web.State, web.Requested));
                Assert.Equal((100L, 33L), (web.Backlog!.Requested, web.Backlog.Effective));
                Assert.Equal("created", (await daemon.ListenerAsync("own")).Origin);

                // The daemon reports each difference: port, backlog, SO_REUSEADDR, TCP_NODELAY.
                var history = await daemon.HistoryAsync("web");
                var adopt = history[0];
                Assert.Equal(("adopt", "execve"), (adopt.Phase, adopt.Call));
                Assert.Contains("web", adopt.Note, StringComparison.Ordinal);
                foreach (var option in new[] { "SO_REUSEADDR", "TCP_NODELAY", "backlog", "address" })
                {
                    Assert.Contains(
                        history,
                        entry => entry.Option == option && entry is { Phase: "adopt", Verdict: "inherited", Note.Length: > 0 });
                    var warning = await daemon.Log.WaitForAsync(0, MessageIds.ListenerInheritedOption, listener: "web", facts: option);
                    Assert.Equal(("Warning", option), (warning.Level, warning["LISTEND_OPTION"]));
                }

                Assert.Contains(history, entry => entry is { Option: "SO_KEEPALIVE", Verdict: "exact" });
                Assert.Equal("inherited", web.Options.Single(option => option.Name == "TCP_NODELAY").Verdict);

                Assert.StartsWith("hello", await GetAsync(await daemon.EndPointAsync("web")), StringComparison.Ordinal);
            },
            With("web"),
            Prepare);
    }

    [Fact]
    public async Task Descriptor_is_adopted_by_address_and_others_are_closed() => await DaemonUnderTest.WithAsync(
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.web]
        command = ["@hello@"]
        listeners = ["web"]
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web");
            var web = await daemon.ListenerAsync("web");
            Assert.Equal("inherited-systemd", web.Origin);
            Assert.Contains("address", (await daemon.HistoryAsync("web"))[0].Note, StringComparison.Ordinal);
            var udp = await daemon.Log.WaitForAsync(0, MessageIds.DescriptorClosed, facts: [" 3 ", "\"udp\""]);
            var third = await daemon.Log.WaitForAsync(0, MessageIds.DescriptorClosed, facts: [" 5 ", "\"third\""]);
            Assert.Equal(("Warning", "Warning"), (udp.Level, third.Level));
            Assert.StartsWith("hello", await GetAsync(await daemon.EndPointAsync("web")), StringComparison.Ordinal);

            // The daemon has only one descriptor of a TCP listener, which it adopted.
            Assert.Single(Processes.Descriptors(daemon.Pid), one => one.Value == $"socket:[{web.Inode}]");
        },
        With("udp:first:third"),
        Prepare);

    [Fact]
    public async Task Socket_activation_answers_the_first_connection()
    {
        var activate = Needs.Program("systemd-socket-activate", "systemd");
        using var directory = new TemporaryDirectory();
        var options = new DaemonOptions { Wrapper = [activate, "-l", "@dir@/web.sock", "--fdname=web"] };
        await using var daemon = DaemonUnderTest.Start(
            directory,
            """
            [listener.web]
            address = "unix://@dir@/web.sock"

            [service.web]
            command = ["@hello@"]
            listeners = ["web"]
            """,
            options);
        await daemon.Log.WaitAsync(0, "Listening on", "web.sock");

        // systemd-socket-activate executes the daemon at the first connection.
        var first = GetAsync(new UnixDomainSocketEndPoint(directory["web.sock"]));
        await daemon.WaitUntilUpAsync();
        Assert.StartsWith("hello from worker 0", await first, StringComparison.Ordinal);
        var web = await daemon.ListenerAsync("web");
        Assert.Equal(("inherited-systemd", $"unix://{directory["web.sock"]}"), (web.Origin, web.Effective));
        Assert.Null(web.Failure);
        var restart = await daemon.ListenctlAsync("restart", "web", "--wait");
        Assert.True(restart.ExitCode == 0, restart.Error);
        await daemon.LeaveAsync();

        // The daemon does not remove a socket file that it did not create.
        Assert.True(File.Exists(directory["web.sock"]));
    }

    [Fact]
    public async Task Descriptor_of_another_kind_fails_only_its_listener() => await DaemonUnderTest.WithAsync(
        """
        [listener.udp]
        address = "tcp://127.0.0.1:0"

        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.web]
        command = ["@hello@"]
        listeners = ["web"]
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web");
            var wrong = await daemon.ListenerAsync("udp");
            Assert.Equal("failed", wrong.State);
            Assert.Contains("udp", wrong.Failure!.Advice, StringComparison.Ordinal);
            await daemon.Log.WaitForAsync(0, MessageIds.ListenerFailed, listener: "udp");
        },
        With("udp"),
        Prepare);

    [Fact]
    public async Task Descriptors_of_one_name_become_shards() => await DaemonUnderTest.WithAsync(
        """
        [listener.shared]
        address = "tcp://127.0.0.1:0"
        shards = 4

        [listener.single]
        address = "tcp://127.0.0.1:0"
        shards = 2

        [service.web]
        command = ["@hello@"]
        listeners = ["shared"]
        workers = 4
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web", 4);
            var shared = await daemon.ListenerAsync("shared");
            Assert.Equal(("inherited-systemd", 4), (shared.Origin, shared.Shards));
            Assert.Equal([33L, 33L, 4096L, 4096L], shared.Sockets!.Select(socket => socket.Queue!.Limit!.Value));
            var history = await daemon.HistoryAsync("shared");
            Assert.Equal(
                ["shard 0", "shard 1"],
                history.Where(entry => entry is { Phase: "adopt", Call: "execve" }).Select(entry => entry.Note!.Split(':')[0]));
            Assert.Equal(2, history.Count(entry => entry.Call == "bind"));
            Assert.StartsWith("hello", await GetAsync(await daemon.EndPointAsync("shared")), StringComparison.Ordinal);

            // Without SO_REUSEPORT no other socket can be bound next to it, and listend does not set it on a socket of another program.
            var single = await daemon.ListenerAsync("single");
            Assert.Equal("failed", single.State);
            Assert.Contains("1 of 2 shards", single.Failure!.Advice, StringComparison.Ordinal);
            Assert.Contains("SO_REUSEPORT", single.Failure.Advice, StringComparison.Ordinal);
        },
        With("shared:shared:single"),
        Prepare);

    private static DaemonOptions With(string names) =>
        new() { Wrapper = [Needs.Program("python3", "python3"), "@dir@/activate.py", names] };

    private static void Prepare(TemporaryDirectory directory) => directory.Write("activate.py", Activate);

    private static async Task<string> GetAsync(EndPoint target)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        using var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(target, limit.Token);
        await socket.SendAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray(), limit.Token);
        var answer = new StringBuilder();
        var buffer = new byte[4096];
        int count;
        while ((count = await socket.ReceiveAsync(buffer, limit.Token)) > 0)
        {
            answer.Append(Encoding.ASCII.GetString(buffer.AsSpan(0, count)));
        }

        var text = answer.ToString();
        Assert.StartsWith("HTTP/1.1 200", text, StringComparison.Ordinal);
        return text[(text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
    }
}
