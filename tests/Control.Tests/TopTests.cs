using System.Text;
using System.Text.Json;
using Supervisor.Listenctl;
using Supervisor.Listenctl.Terminal;
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

    private const string Diagnosis = """
        {"at":"2026-03-04T12:00:00Z","interval_ms":1000,"verdict":"Nothing waits.","listeners":[],
          "host":{"findings":[],"bounds":{}}}
        """;

    [Fact]
    public void Top_works_with_a_daemon_that_cannot_diagnose()
    {
        using var daemon = new FakeDaemon(request => request.Contains("diagnose", StringComparison.Ordinal)
            ? FakeDaemon.Problem(404, "no such resource")
            : Answer(request));
        var result = Listenctl.Run(daemon, "top");
        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
        Assert.Contains("tcp://[::]:80", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Top_prints_one_frame_without_a_terminal()
    {
        using var daemon = new FakeDaemon(Answer);
        var result = Listenctl.Run(daemon, "top");
        Assert.Equal(
            """
            listend 0.1.0, rolling: api, pid 4242, up 3h12m since 2026-03-04 08:48:00, 1 of 1 service ready

            LISTENER  ADDRESS        STATE       QUEUE  SERVICES
            web       tcp://[::]:80  listening  9/4096  api

            api  rolling  generation 3  2/2 ready  web
              ##########----------  replacing, generation 4: 1 of 2 replaced, 1 draining with 3 connections (1.2 s)
              SLOT  PID  GEN  STATE       FOR  CONN  RESTARTS  STATUS
                 0    -    4  ready       12s    12         0  serving
                 1    -    3  draining  3m13s     3         1  3 on web, oldest at least 1m12s, killed in 20s

            """,
            result.Output);
        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
    }

    [Fact]
    public void Json_output_is_one_document()
    {
        using var daemon = new FakeDaemon(Answer);
        using var document = JsonDocument.Parse(Listenctl.Run(daemon, "top", "--json").Output);
        Assert.Equal("api", document.RootElement.GetProperty("status").GetProperty("services")[0].GetProperty("name").GetString());
        Assert.Equal("web", document.RootElement.GetProperty("listeners")[0].GetProperty("name").GetString());
    }

    [Theory]
    [InlineData('q')]
    [InlineData('\u0003')]
    public void Top_redraws_on_a_terminal_until_a_key_stops_it(char end)
    {
        using var daemon = new FakeDaemon(Answer);
        var (exitCode, screen) = OnTerminal(daemon.SocketPath, rows: 24, null, null, end);
        Assert.Equal(ExitCode.Done, exitCode);
        Assert.Equal(3, screen.Split("\u001b[H").Length - 1);
        Assert.StartsWith("\u001b[?1049h\u001b[?25l\u001b[?7l", screen, StringComparison.Ordinal);
        Assert.EndsWith("\u001b[?7h\u001b[?25h\u001b[?1049l", screen, StringComparison.Ordinal);
        Assert.Equal(6, Looks(daemon));
    }

    [Fact]
    public void Top_scrolls_to_the_lines_that_do_not_fit()
    {
        using var daemon = new FakeDaemon(request => Answer(request, Seven));
        const string press = "jkG g ";
        var next = new Queue<char?>([.. press.Select(key => (char?)key), 'q']);
        var (_, screen) = OnTerminal(daemon.SocketPath, 14, () => next.Dequeue());
        var frames = screen.Split("\u001b[H")[1..];
        Assert.All(frames, frame => Assert.Equal(13, frame.Count(c => c == '\n')));

        // Services that need attention come first, and the first line always names them.
        Assert.All(
            frames,
            frame => Assert.Contains("failed: s5, degraded: s6, rolling: s3", Plain(frame).Split('\n')[0], StringComparison.Ordinal));
        var footers = frames.Select(
            frame => Plain(frame).Split('\n')[^1].Split(["-", " of ", "  "], StringSplitOptions.None)[..3].Select(int.Parse)
                .ToArray()).ToArray();
        var (room, all) = (footers[0][1], footers[0][2]);
        Assert.Equal([1, 2, 1, all - room + 1, all - room + 1, 1, room], footers.Select(footer => footer[0]));
        Assert.Equal("s5", Plain(frames[0]).Split('\n')[14 - 1 - room + 1].Split(' ')[0]);
        Assert.Contains("tcp://[::]:80", frames[3], StringComparison.Ordinal);
        Assert.Equal(2, Looks(daemon));
    }

    [Fact]
    public void A_small_terminal_shows_services_first_one_per_line()
    {
        using var daemon = new FakeDaemon(request => Answer(request, Seven));
        var next = new Queue<char?>(['q']);
        var (_, screen) = OnTerminal(daemon.SocketPath, 6, () => next.Dequeue(), columns: 30);
        var lines = Plain(screen.Split("\u001b[H")[1]).Split('\n');
        Assert.Equal(6, lines.Length);
        Assert.Equal(
            ["4 of 7 ready, 1 failed, 1", "s5", "s6", "s3", "s1"],
            lines.Take(5).Select((line, i) => i == 0 ? line[..25] : line.Split(' ')[0]));
    }

    [Fact]
    public void Top_waits_for_a_daemon_that_disappears()
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
        Assert.Contains("cannot connect to listend at", screen, StringComparison.Ordinal);
        Assert.Contains("retrying every second", screen, StringComparison.Ordinal);
    }

    [Fact]
    public void Top_exits_3_if_no_daemon_was_ever_running() =>
        Assert.Equal(
            (ExitCode.Unreachable, ""),
            (Listenctl.Run(["top"], "/nowhere/control.sock") is var result ? result.ExitCode : -1, result.Output));

    /// <summary>A frame without escape codes.</summary>
    private static string Plain(string frame) =>
        System.Text.RegularExpressions.Regex.Replace(frame, "\u001b\\[[?0-9;]*[a-zA-Z]", "").Replace("\r", "", StringComparison.Ordinal);

    private static string Seven => $$"""
        {"daemon":{"pid":4242,"version":"0.1.0","started_at":"2026-03-04T08:48:00+00:00","upgrades":0,"runtime_directory":"/run/listend","config_file":null},
         "services":[{{string.Join(',', Enumerable.Range(1, 7).Select(i => Service($"s{i}", i switch { 5 => "failed", 6 => "degraded", 3 => "rolling", _ => "running" })))}}]}
        """;

    private static string Service(string name, string state) => $$"""
        {"name":"{{name}}","state":"{{state}}","reason":null,"generation":3,"desired":1,
          "ready":{{(state == "running" ? 1 : 0)}},"listeners":["web"],"rollout":null,
          "workers":[{"pid":null,"slot":0,"generation":3,"state":"ready","started_at":"2026-03-04T11:59:47Z",
            "ready_at":"2026-03-04T11:59:48Z","restarts":0,"connections":1,"status_text":null,"last_exit":null,"next_try":null}]}
        """;

    private static Action<System.Net.Sockets.Socket> Answer(string request) => Answer(request, Status);

    private static Action<System.Net.Sockets.Socket> Answer(string request, string status) => FakeDaemon.Json(
        request.Contains("listeners", StringComparison.Ordinal) ? Listeners
        : request.Contains("diagnose", StringComparison.Ordinal) ? Diagnosis
        : status);

    /// <summary>How many requests there were, without those for diagnoses, which a thread of their own makes.</summary>
    private static int Looks(FakeDaemon daemon) => daemon.Requests.ToArray().Count(
        request => !request.Contains("diagnose", StringComparison.Ordinal));

    private static (int ExitCode, string Screen) OnTerminal(string socket, int rows, params char?[] keys)
    {
        var next = new Queue<char?>(keys);
        return OnTerminal(socket, rows, () => next.Dequeue());
    }

    private static (int ExitCode, string Screen) OnTerminal(string socket, int rows, Func<char?> key, int columns = 100)
    {
        var output = new MemoryStream();
        var exitCode = ListenctlProgram.Run(["--socket", socket, "top"], new CommandContext
        {
            Output = output,
            Error = new StringWriter(),
            OutputIsTerminal = true,
            Size = () => (columns, rows),
            Key = _ => key() is { } pressed ? new ConsoleKeyInfo(pressed, ConsoleKey.None, false, false, false) : null,
            Variable = name => name == "TERM" ? "xterm" : null,
        });
        return (exitCode, Encoding.UTF8.GetString(output.ToArray()));
    }
}
