using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Supervisor.Control;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>Errors that only this host can find are reported like the parser's: all of them, with their places.</summary>
public sealed class ConfigurationErrorTests
{
    private const string Accounts = """
        [listener.web]
        address = "unix://@dir@/web.sock"
        unix = { user = "no-such-a", group = "no-such-b" }
        allow = ["user:root", "user:no-such-c", "group:no-such-d"]

        [service.bad]
        command = ["/bin/sleep", "9"]
        user = "no-such-e"
        group = "no-such-f"
        supplementary_groups = ["root", "no-such-g", "no-such-h"]
        limits = { nofile = 99999999999 }
        workes = 2
        """;

    private static readonly (int Line, int Column, string Setting)[] Expected =
    [
        (3, 17, "listener.web.unix.user"), (3, 38, "listener.web.unix.group"), (4, 23, "listener.web.allow"), (4, 41, "listener.web.allow"),
        (8, 8, "service.bad.user"), (9, 9, "service.bad.group"), (10, 33, "service.bad.supplementary_groups"),
        (10, 46, "service.bad.supplementary_groups"),
        (11, 21, "service.bad.limits.nofile"), (12, 1, "service.bad.workes"),
    ];

    [Fact]
    public async Task Check_finds_every_unknown_user_and_group()
    {
        using var directory = new TemporaryDirectory();
        var file = directory.Write("bad.toml", Accounts.Replace("@dir@", directory.Path, StringComparison.Ordinal));
        var result = await RunningProgram.RunAsync(Published.Listend, ["check", "--config", file, "--json"]);
        Assert.Equal(1, result.ExitCode);
        var errors = JsonSerializer.Deserialize(result.Output, ControlJson.Default.CheckDocument)!.Errors;
        Assert.Equal(Expected, errors.Select(error => (error.Line, error.Column, error.Setting!)));
        Assert.All(errors, error => Assert.True(error.File == file && error.Remedy is not null, error.ToString()));
        Assert.Contains("\"no-such-c\"", errors[2].Message, StringComparison.Ordinal);
        Assert.Contains("fs.nr_open", errors[^2].Message, StringComparison.Ordinal);
    }

    [Fact]
    public Task Reload_rejects_and_start_reports_unknown_users() => DaemonUnderTest.WithAsync(
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.late]
        command = ["@hello@"]
        listeners = ["web"]
        user = "no-such-user"
        supplementary_groups = ["no-such-group"]

        [service.good]
        command = ["@hello@"]
        listeners = ["web"]
        """,
        async daemon =>
        {
            // The user may be created later: the listeners stay open.
            await daemon.WaitUntilReadyAsync("good");
            Assert.Equal("failed", (await daemon.StatusAsync("late")).State);
            var user = Array.FindIndex(
                File.ReadAllLines(daemon.Directory["run.toml"]),
                line => line.StartsWith("user = ", StringComparison.Ordinal)) + 1;
            await daemon.Log.WaitForAsync(0, MessageIds.ConfigError, facts: [$":{user}:8: service.late.user: ", "\"no-such-user\""]);
            await daemon.Log.WaitForAsync(
                0,
                MessageIds.ConfigError,
                facts: [$":{user + 1}:25: service.late.supplementary_groups: ", "\"no-such-group\""]);

            var refused = await daemon.ListenctlAsync("--json", "reload");
            Assert.Equal(1, refused.ExitCode);
            var errors = JsonSerializer.Deserialize(refused.Output, ControlJson.Default.ReloadDocument)!.Errors;
            Assert.Equal(
                [(user, 8, "service.late.user"), (user + 1, 25, "service.late.supplementary_groups")],
                errors.Select(error => (error.Line, error.Column, error.Setting!)));
            Assert.Contains("user", errors[0].Remedy, StringComparison.Ordinal);
            Assert.Contains("group", errors[1].Remedy, StringComparison.Ordinal);
        });

    [Fact]
    public async Task A_wrong_setting_does_not_hide_a_failed_bind()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var port = ((IPEndPoint)taken.LocalEndPoint!).Port;
        using var directory = new TemporaryDirectory();
        var file = directory.Write(
            "bad.toml",
            $"""
            [daemon]
            metrics = "127.0.0.1:{port}"
            [listener.absent]
            address = "tcp://192.0.2.1:80"
            [listener.path]
            address = "unix://{directory["nowhere"]}/x.sock"
            [listener.fine]
            address = "tcp://127.0.0.1:0"
            [listener.taken]
            address = "tcp://127.0.0.1:{port}"
            [listener.all]
            address = "tcp://0.0.0.0:{port}"
            [listener.wrong]
            address = "tcp://192.0.2.1:81"
            shards = 0
            """);
        var result = await RunningProgram.RunAsync(Published.Listend, ["check", "--config", file, "--json"]);
        var document = JsonSerializer.Deserialize(result.Output, ControlJson.Default.CheckDocument)!;
        Assert.Equal(["listener.wrong.shards"], document.Errors.Select(error => error.Setting));
        Assert.All(document.Failures, failure => Assert.Equal((file, 11), (failure.File, failure.Column)));
        Assert.Equal(
            [
                ("daemon.metrics", 2, "duplicate-in-config"), ("absent", 4, "address-absent"), ("path", 6, "directory-absent"),
                ("taken", 10, "same-address"), ("all", 12, "duplicate-in-config"),
            ],
            document.Failures.Select(failure => (failure.Name!, failure.Line!.Value, failure.Cause!)));

        var people = await RunningProgram.RunAsync(Published.Listend, ["check", "--config", file]);
        var absent = Assert.Single(
            people.Error.Split('\n'),
            line => line.StartsWith($"{file}:4:11: listener.absent: ", StringComparison.Ordinal));
        Assert.All(
            (string[])["tcp://192.0.2.1:80", "EADDRNOTAVAIL", "address-absent"],
            fact => Assert.Contains(fact, absent, StringComparison.Ordinal));
        Assert.Contains($"{file}:2:11: daemon.metrics: tcp://127.0.0.1:{port}: ", people.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_address_in_use_is_explained()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        using var directory = new TemporaryDirectory();
        var file = directory.Write(
            "run.toml",
            $"[daemon]\nmetrics = \"{taken.LocalEndPoint}\"\n[listener.web]\naddress = \"tcp://127.0.0.1:0\"\n");
        await using var daemon = RunningProgram.Start(
            Published.Listend,
            ["run", "--log-format", "json", "--config", file, "--runtime-directory", directory["run"]]);
        await daemon.Error.WaitForAsync(
            0, MessageIds.MetricsFailed, facts: ["daemon.metrics", $"{taken.LocalEndPoint}", "EADDRINUSE", "same-address"]);
    }
}
