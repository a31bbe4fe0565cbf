using System.Text.Json;
using Xunit;

namespace Supervisor.Control.Tests;

public sealed class StatusTests
{
    private const string Status = """
        {"daemon":{"pid":4242,"version":"0.1.0","started_at":"2026-03-04T08:48:00+00:00","upgrades":0,"runtime_directory":"/run/listend","config_file":"/etc/listend/listend.toml","later":1},
         "services":[
          {"name":"api","state":"running","reason":null,"generation":3,"desired":2,"ready":2,"listeners":["web","admin"],"rollout":null,"later":"é",
           "workers":[
            {"pid":4711,"slot":0,"generation":3,"state":"ready","started_at":"2026-03-04T11:56:47Z","ready_at":"2026-03-04T11:56:48Z","restarts":0,"connections":12,"status_text":"serving","last_exit":null,"next_try":null},
            {"pid":10712,"slot":1,"generation":3,"state":"ready","started_at":"2026-03-04T11:56:47Z","ready_at":"2026-03-04T11:56:48Z","restarts":1,"connections":0,"status_text":"a\u001b[31mb\nc","last_exit":"killed by SIGKILL","next_try":null}]},
          {"name":"billing","state":"degraded","reason":"worker slot 0 ends before it is ready","generation":7,"desired":1,"ready":0,"listeners":[],
           "rollout":{"state":"rolled-back","from":7,"to":8,"replaced":0,"total":1,"reason":"worker slot 0 (pid 5) exited with status 1 before it was ready","strategy":"rolling","draining":0,"elapsed_ms":1240},
           "workers":[
            {"pid":null,"slot":0,"generation":7,"state":"backoff","started_at":null,"ready_at":null,"restarts":5,"connections":null,"status_text":null,"last_exit":"exited with status 1","next_try":"2026-03-04T12:00:12Z"}]},
          {"name":"old","state":"stopped","reason":null,"generation":1,"desired":2,"ready":0,"listeners":["legacy"],"rollout":null,"workers":[]}]}
        """;

    [Fact]
    public void Text_output_shows_the_daemon_then_services_and_workers()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json(Status));
        var result = Listenctl.Run(daemon, "status");
        Assert.Equal(
            """
            listend 0.1.0, pid 4242, up 3h12m since 2026-03-04 08:48:00, 1 of 2 services ready, 1 stopped, /etc/listend/listend.toml

            api      running   generation 3  2/2 ready  web, admin
              SLOT    PID  GEN  STATE      FOR  RESTARTS  CONNECTIONS  STATUS
                 0   4711    3  ready    3m12s         0           12  serving
                 1  10712    3  ready    3m12s         1            0  a\x1B[31mb c, last exit: killed by SIGKILL

            billing  degraded  generation 7  0/1 ready  no listeners
              generation 8 rolled back to generation 7 after 1.24s: worker slot 0 (pid 5) exited with status 1 before it was ready
              worker slot 0 ends before it is ready
              SLOT    PID  GEN  STATE      FOR  RESTARTS  CONNECTIONS  STATUS
                 0      -    7  backoff      -         5            -  last exit: exited with status 1, next try in 12s

            old      stopped   generation 1  0/2 ready  legacy

            """,
            result.Output);
        Assert.Equal(("", ExitCode.Done), (result.Error, result.ExitCode));
    }

    [Theory]
    [InlineData(
        "2026-03-04T12:00:05Z",
        "told to stop at 2026-03-04 11:59:00: not ready, workers drain from 2026-03-04 12:00:05 on; a second SIGTERM begins that now")]
    [InlineData("2026-03-04T11:59:30Z", "told to stop at 2026-03-04 11:59:00: exits when the last worker has exited")]
    public void Text_output_says_that_the_daemon_stops(string workersStopAt, string line)
    {
        var stopping = $$"""{"daemon":{"stopping":{"requested_at":"2026-03-04T11:59:00Z","workers_stop_at":"{{workersStopAt}}"},"pid":""";
        var status = Status.Replace("{\"daemon\":{\"pid\":", stopping, StringComparison.Ordinal);
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json(status));
        Assert.Equal(line, Listenctl.Run(daemon, "status").Output.Split('\n')[1]);
    }

    [Fact]
    public void Json_output_is_the_daemons_unchanged_bytes()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json(Status));
        Assert.Equal(new Listenctl(ExitCode.Done, Status + "\n", ""), Listenctl.Run(daemon, "status", "--json"));
        Assert.Equal(["GET /v1/status"], daemon.Requests);
    }

    [Fact]
    public void Json_of_one_service_keeps_its_shape_and_unknown_fields()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json(Status));
        var result = Listenctl.Run(daemon, "--json", "status", "api");
        using var document = JsonDocument.Parse(result.Output);
        Assert.Equal(1, document.RootElement.GetProperty("daemon").GetProperty("later").GetInt32());
        var service = Assert.Single(document.RootElement.GetProperty("services").EnumerateArray());
        Assert.Equal(("api", "é"), (service.GetProperty("name").GetString(), service.GetProperty("later").GetString()));
        Assert.Equal(ExitCode.Done, result.ExitCode);
    }

    [Fact]
    public void Status_of_one_service_shows_only_this_service()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json(Status));
        var result = Listenctl.Run(daemon, "status", "old");
        Assert.Equal(
            """
            listend 0.1.0, pid 4242, up 3h12m since 2026-03-04 08:48:00, /etc/listend/listend.toml

            old  stopped  generation 1  0/2 ready  legacy

            """,
            result.Output);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_unknown_service_fails_and_lists_the_known_services(bool json)
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json(Status));
        var result = Listenctl.Run(daemon, json ? ["status", "nope", "--json"] : ["status", "nope"]);
        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Equal("listenctl: no service named \"nope\"; services: api, billing, old\n", result.Error);
        if (json)
        {
            using var problem = JsonDocument.Parse(result.Output);
            Assert.Equal(404, problem.RootElement.GetProperty("status").GetInt32());
        }
        else
        {
            Assert.Empty(result.Output);
        }
    }

    [Fact]
    public void A_terminal_gets_colours_unless_NO_COLOR_is_set()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json(Status));
        var coloured = Listenctl.Run(["status"], daemon.SocketPath, new() { ["TERM"] = "xterm" }, isTerminal: true).Output;
        var plain = Listenctl.Run(["status"], daemon.SocketPath, new() { ["TERM"] = "xterm", ["NO_COLOR"] = "1" }, isTerminal: true).Output;
        var dumb = Listenctl.Run(["status"], daemon.SocketPath, new() { ["TERM"] = "dumb" }, isTerminal: true).Output;
        Assert.Contains("\e[32mready", coloured, StringComparison.Ordinal);
        Assert.DoesNotContain("\e[40m", coloured, StringComparison.Ordinal);
        Assert.DoesNotContain("\e[3", plain, StringComparison.Ordinal);
        Assert.DoesNotContain("\e", dumb, StringComparison.Ordinal);
    }

    [Fact]
    public void Output_wraps_on_a_narrow_terminal_without_truncation()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json(Status));
        var result = Listenctl.Run(["status"], daemon.SocketPath, new() { ["TERM"] = "dumb" }, isTerminal: true, columns: 80);
        Assert.All(result.Output.Split('\n'), line => Assert.True(line.Length <= 80, line));
        Assert.DoesNotContain("…", result.Output, StringComparison.Ordinal);
    }
}
