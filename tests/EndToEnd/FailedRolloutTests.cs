using System.Text.Json;
using Supervisor.Control;
using Supervisor.Load;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>Failed deploys: the old generation continues, and the client learns the reason.</summary>
public sealed class FailedRolloutTests
{
    private const string Config = """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.web]
        command = ["@dir@/current"]
        listeners = ["web"]
        workers = 4
        start_timeout = "700ms"
        stop_timeout = "5s"
        rollout = { strategy = "STRATEGY" }
        """;

    [Theory]
    [InlineData("rolling", "#!/bin/sh\nexit 3\n", "status 3")]
    [InlineData("overlap", "#!/bin/sh\nexit 3\n", "status 3")]
    [InlineData("rolling", "#!/bin/sh\nHELLO_FAIL=hang exec '@hello@'\n", "start_timeout")]
    [InlineData("overlap", "#!/bin/sh\nHELLO_FAIL=hang exec '@hello@'\n", "start_timeout")]
    [InlineData("rolling", null, "ENOENT")]
    [InlineData("overlap", null, "ENOENT")]
    [InlineData("rolling", "#!/no/such/interpreter\n", "interpreter")]
    public Task The_old_generation_never_stops_serving(string strategy, string? next, string reason) => DaemonUnderTest.WithAsync(
        Config.Replace("STRATEGY", strategy, StringComparison.Ordinal),
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web", 4);
            var before = await daemon.ReadyAsync("web");
            await using var load = LoadRun.Start(
                new LoadPlan { Target = await daemon.EndPointAsync("web"), NewConnectionsPerSecond = 500, SlowInFlight = 8 });
            var current = daemon.Directory["current"];
            if (next is null)
            {
                File.Delete(current);
            }
            else
            {
                // Rename the new release over the old one, whose file is busy.
                File.Move(
                    daemon.Directory.WriteScript("next", next.Replace("@hello@", Published.Hello, StringComparison.Ordinal)),
                    current,
                    overwrite: true);
            }

            var restart = await daemon.ListenctlAsync("restart", "web", "--wait");
            Assert.Equal(1, restart.ExitCode);
            Assert.Contains(reason, restart.Error, StringComparison.Ordinal);

            var json = await daemon.ListenctlAsync("restart", "web", "--wait", "--json");
            Assert.Equal(1, json.ExitCode);
            var document = JsonSerializer.Deserialize(Assert.Single(json.Output.Split('\n')), ControlJson.Default.ChangeDocument)!;
            Assert.Equal(("web", "rolled-back"), (document.Service, document.Outcome));
            Assert.Contains(reason, document.Rollout!.Reason, StringComparison.Ordinal);

            // No worker of the new generation remains when the client gets the outcome.
            var service = await daemon.StatusAsync("web");
            Assert.Equal(("running", 1, 4), (service.State, service.Generation, service.Ready));
            Assert.Equal("rolled-back", service.Rollout!.State);
            Assert.Equal(before, service.Workers.Select(worker => worker.Pid!.Value).Order());
            var report = await load.StopAsync();
            Assert.True(report.Failed == 0, string.Join('\n', report.Samples.Take(10)));

            // A good release still succeeds.
            File.Delete(current);
            File.CreateSymbolicLink(current, Published.Hello);
            var good = await daemon.ListenctlAsync("restart", "web", "--wait", "--json");
            Assert.True(good.ExitCode == 0, good.Error);
            Assert.Equal(
                "done",
                JsonSerializer.Deserialize(Assert.Single(good.Output.Split('\n')), ControlJson.Default.ChangeDocument)!.Outcome);
        },
        prepare: directory => File.CreateSymbolicLink(directory["current"], Published.Hello));

    [Fact]
    public Task Worker_that_dies_within_settle_rolls_back() => DaemonUnderTest.WithAsync(
        Config.Replace("STRATEGY\"", "rolling\", settle = \"300ms\"", StringComparison.Ordinal),
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web", 4);
            var before = await daemon.ReadyAsync("web");
            File.Move(
                daemon.Directory.WriteScript("next", "#!/bin/sh\nsystemd-notify --ready\nexit 4\n"),
                daemon.Directory["current"],
                overwrite: true);
            var restart = await daemon.ListenctlAsync("restart", "web", "--wait");
            Assert.Equal(1, restart.ExitCode);
            Assert.Contains("status 4", restart.Error, StringComparison.Ordinal);
            Assert.Equal(before, await daemon.ReadyAsync("web"));
        },
        prepare: directory => File.CreateSymbolicLink(directory["current"], Published.Hello));

    [Fact]
    public Task Restart_reports_its_own_timeout() => DaemonUnderTest.WithAsync(
        Config.Replace("700ms", "60s", StringComparison.Ordinal).Replace("STRATEGY", "rolling", StringComparison.Ordinal),
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web", 4);
            File.Move(daemon.Directory.WriteScript("next", "#!/bin/sh\nexec sleep 1000\n"), daemon.Directory["current"], overwrite: true);
            var restart = await daemon.ListenctlAsync("restart", "web", "--wait", "--timeout", "200ms", "--json");
            Assert.Equal(1, restart.ExitCode);
            Assert.Equal(
                "timeout",
                JsonSerializer.Deserialize(Assert.Single(restart.Output.Split('\n')), ControlJson.Default.ChangeDocument)!.Outcome);
            Assert.Equal("rolling", (await daemon.StatusAsync("web")).State);

            // A further restart supersedes it and stops its workers.
            File.Delete(daemon.Directory["current"]);
            File.CreateSymbolicLink(daemon.Directory["current"], Published.Hello);
            var good = await daemon.ListenctlAsync("restart", "web", "--wait");
            Assert.True(good.ExitCode == 0, good.Error);
            Assert.Equal(4, (await daemon.StatusAsync("web")).Workers.Count);
        },
        prepare: directory => File.CreateSymbolicLink(directory["current"], Published.Hello));

    [Fact]
    public Task Client_has_the_documented_exit_codes() => DaemonUnderTest.WithAsync(
        Config.Replace("STRATEGY", "rolling", StringComparison.Ordinal),
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("web", 4);
            var unknown = await daemon.ListenctlAsync("restart", "nobody", "--json");
            Assert.Equal(1, unknown.ExitCode);
            Assert.Equal(404, JsonDocument.Parse(unknown.Output).RootElement.GetProperty("status").GetInt32());
            Assert.Contains("web", unknown.Error, StringComparison.Ordinal);

            Assert.Equal((2, ""), await Without("restart"));
            Assert.Equal((2, ""), await Without("restart", "web", "--timeout", "soon"));
            Assert.Equal((2, ""), await Without("frobnicate"));
            Assert.Equal((2, ""), await Without("--json"));

            var absent = await RunningProgram.RunAsync(
                Published.Listenctl,
                ["--socket", daemon.Directory["absent.sock"], "status", "--json"]);
            Assert.Equal((3, ""), (absent.ExitCode, absent.Output));
            Assert.Contains("ENOENT", absent.Error, StringComparison.Ordinal);

            // The socket permits its owner and its group.
            string[] nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
            var stranger = await RunningProgram.RunAsync(
                Needs.Program("setpriv", "util-linux"),
                [.. nobody, Published.Listenctl, "--socket", daemon.ControlSocket, "status", "--json"]);
            Assert.Equal((4, ""), (stranger.ExitCode, stranger.Output));

            // A member of the group may read and not change.
            string[] member = ["--reuid", "65534", "--regid", "0", "--clear-groups"];
            var looks = await RunningProgram.RunAsync(
                "setpriv",
                [.. member, Published.Listenctl, "--socket", daemon.ControlSocket, "status"]);
            Assert.Equal(0, looks.ExitCode);
            var touches = await RunningProgram.RunAsync(
                "setpriv",
                [.. member, Published.Listenctl, "--socket", daemon.ControlSocket, "restart", "web", "--json"]);
            Assert.Equal((4, ""), (touches.ExitCode, touches.Output));
            Assert.Equal(1, (await daemon.StatusAsync("web")).Generation);

            async Task<(int, string)> Without(params string[] arguments)
            {
                var result = await daemon.ListenctlAsync(arguments);
                Assert.NotEmpty(result.Error);
                return (result.ExitCode, result.Output);
            }
        },
        prepare: directory => File.CreateSymbolicLink(directory["current"], Published.Hello));
}
