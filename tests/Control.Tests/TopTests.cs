using System.Text;
using System.Text.Json;
using Supervisor.Listenctl;
using Xunit;

namespace Supervisor.Control.Tests;

public sealed class TopTests
{
    private const string Status = """
        {"daemon":{"pid":4242,"version":"0.1.0","started_at":"2026-03-04T08:48:00+00:00","upgrades":0,"runtime_directory":"/run/listend","config_file":null},
         "services":[{"name":"api","state":"rolling","reason":null,"generation":3,"desired":2,"ready":2,"listeners":["web"],
          "rollout":{"state":"replacing","from":3,"to":4,"replaced":1,"total":2,"reason":null,"strategy":"rolling","draining":1,"elapsed_ms":1240,"draining_connections":3},
          "workers":[
           {"pid":null,"slot":0,"generation":4,"state":"ready","started_at":"2026-03-04T11:59:47Z","ready_at":"2026-03-04T11:59:48Z","restarts":0,"connections":12,"status_text":"serving","last_exit":null,"next_try":null},
           {"pid":null,"slot":1,"generation":3,"state":"draining","started_at":"2026-03-04T11:56:47Z","ready_at":"2026-03-04T11:56:48Z","restarts":1,"connections":3,"status_text":null,"last_exit":null,"next_try":null,"drain":{"connections":3,"listeners":[{"name":"web","connections":3}],"oldest_ms":72000,"silent_ms":800,"killed_at":"2026-03-04T12:00:20Z","keeps_accepting":null,"peers":[]}}]}]}
        """;

    private const string Listeners = """
        [{"name":"web","kind":"tcp","state":"listening","requested":"tcp://*:80","effective":"tcp://[::]:80","inode":7,"fd":5,"shards":1,
          "backlog":{"requested":4096,"effective":4096},"queue":{"length":9,"limit":4096},"options":[],"origin":"created","drift":false,"failure":null,"services":["api"]}]
        """;

    [Fact]
    public void Not_on_a_terminal_it_is_one_frame()
    {
        using var daemon = new FakeDaemon(Answer);
        var result = Listenctl.Run(daemon, "top");
        Assert.Equal(
            """
            listend 0.1.0, pid 4242, up 3h12m since 2026-03-04 08:48:00, 1 of 1 service ready

            LISTENER  ADDRESS        STATE       QUEUE  SERVICES
            web       tcp://[::]:80  listening  9/4096  api

            api  rolling  generation 3  2/2 ready  web
              ##########----------  replacing 3 -> 4: 1 of 2 replaced, 1 draining with 3 connections, 1.2 s
              SLOT  PID  GEN  STATE       FOR  CONN  RESTARTS  STATUS
                 0    -    4  ready       12s    12         0  serving
                 1    -    3  draining  3m13s     3         1  3 of web, oldest 1m12s at least, killed in 20s

            """,
            result.Output);
        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
    }

    [Fact]
    public void As_json_it_is_one_document()
    {
        using var daemon = new FakeDaemon(Answer);
        using var document = JsonDocument.Parse(Listenctl.Run(daemon, "top", "--json").Output);
        Assert.Equal("api", document.RootElement.GetProperty("status").GetProperty("services")[0].GetProperty("name").GetString());
        Assert.Equal("web", document.RootElement.GetProperty("listeners")[0].GetProperty("name").GetString());
    }

    [Theory]
    [InlineData('q')]
    [InlineData('\u0003')]
    public void On_a_terminal_it_is_drawn_again_until_a_key_ends_it(char end)
    {
        using var daemon = new FakeDaemon(Answer);
        var (exitCode, screen) = OnTerminal(daemon.SocketPath, rows: 24, null, null, end);
        Assert.Equal(ExitCode.Done, exitCode);
        Assert.Equal(3, screen.Split("\u001b[H").Length - 1);
        Assert.StartsWith("\u001b[?1049h\u001b[?25l", screen, StringComparison.Ordinal);
        Assert.EndsWith("\u001b[?25h\u001b[?1049l", screen, StringComparison.Ordinal);
        Assert.Equal(6, daemon.Requests.Count);
    }

    [Fact]
    public void A_low_terminal_says_how_much_it_does_not_show()
    {
        using var daemon = new FakeDaemon(Answer);
        var (_, screen) = OnTerminal(daemon.SocketPath, rows: 5, 'q');
        Assert.Contains("6 more lines: make the window higher.", screen, StringComparison.Ordinal);
        Assert.Equal(4, screen.Count(c => c == '\n'));
    }

    [Fact]
    public void A_daemon_that_goes_away_is_waited_for()
    {
        var daemon = new FakeDaemon(Answer);
        var socket = daemon.SocketPath;
        var keys = 0;
        var (exitCode, screen) = OnTerminal(socket, 24, () =>
        {
            keys++;
            if (keys == 1)
            {
                daemon.Dispose();
            }

            return keys == 3 ? 'q' : null;
        });
        Assert.Equal(ExitCode.Done, exitCode);
        Assert.Contains("cannot reach listend at", screen, StringComparison.Ordinal);
        Assert.Contains("asked again each second", screen, StringComparison.Ordinal);
    }

    [Fact]
    public void A_daemon_that_was_never_there_is_exit_3() =>
        Assert.Equal((ExitCode.Unreachable, ""), (Listenctl.Run(["top"], "/nowhere/control.sock") is var result ? result.ExitCode : -1, result.Output));

    private static Action<System.Net.Sockets.Socket> Answer(string request) => FakeDaemon.Json(request.Contains("listeners", StringComparison.Ordinal) ? Listeners : Status);

    private static (int ExitCode, string Screen) OnTerminal(string socket, int rows, params char?[] keys)
    {
        var next = new Queue<char?>(keys);
        return OnTerminal(socket, rows, () => next.Dequeue());
    }

    private static (int ExitCode, string Screen) OnTerminal(string socket, int rows, Func<char?> key)
    {
        var output = new MemoryStream();
        var exitCode = ListenctlProgram.Run(["--socket", socket, "top"], new Standard
        {
            Output = output,
            Error = new StringWriter(),
            OutputIsTerminal = true,
            Size = () => (100, rows),
            Key = _ => key() is { } pressed ? new ConsoleKeyInfo(pressed, ConsoleKey.None, false, false, false) : null,
            Variable = name => name == "TERM" ? "xterm" : null,
        });
        return (exitCode, Encoding.UTF8.GetString(output.ToArray()));
    }
}
