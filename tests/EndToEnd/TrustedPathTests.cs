using System.Diagnostics;
using System.Text.Json;
using Supervisor.Control;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>
/// Only root may have write access to files that root opens: a start rejects others, "listend check" reports them, a setting accepts them.
/// </summary>
public sealed class TrustedPathTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Config => _directory.Write("listend.toml", $"""
        [daemon]
        runtime_directory = "{_directory["run"]}"

        [listener.web]
        address = "tcp://127.0.0.1:0"
        """);

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("run", "0755")]
    [InlineData(".", "0755")]
    [InlineData("run", "0777")]
    public async Task Run_rejects_a_runtime_directory_that_others_can_change(string exposed, string mode)
    {
        var config = Config;
        Directory.CreateDirectory(_directory["run"]);
        await Run("chown", "root", _directory[exposed]);
        await Run("chmod", mode, _directory[exposed]);
        if (mode == "0755")
        {
            await Run("chown", "nobody", _directory[exposed]);
        }

        var started = await RunningProgram.RunAsync(Published.Listend, ["run", "--config", config, "--log-format", "text"]);
        Assert.Equal(exposed == "." ? 78 : 1, started.ExitCode);
        Assert.Contains(mode == "0777" ? "chmod o-w" : "chown root", started.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_directory["run/listend.lock"]));
        var check = await RunningProgram.RunAsync(Published.Listend, ["check", "--config", config]);
        Assert.Equal(1, check.ExitCode);
        Assert.Contains(_directory["run"], check.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("link")]
    [InlineData("owner")]
    [InlineData("mode")]
    [InlineData("hard link")]
    public async Task Run_never_reads_a_state_file_others_could_write(string how)
    {
        var config = Config;
        Directory.CreateDirectory(_directory["run"]);
        var state = _directory["run/state.json"];
        var forged = _directory.Write("forged", """{"format": "it would be an error to read this"}""");
        if (how == "link")
        {
            File.CreateSymbolicLink(state, forged);
        }
        else if (how == "hard link")
        {
            await Run("ln", forged, state);
        }
        else
        {
            File.Copy(forged, state);
            await (how == "owner" ? Run("chown", "nobody", state) : Run("chmod", "0666", state));
        }

        var started = await RunningProgram.RunAsync(Published.Listend, ["run", "--config", config, "--log-format", "text"]);
        Assert.Equal(1, started.ExitCode);
        Assert.Contains(state, started.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Configuration_needs_a_trusted_owner()
    {
        var config = Config;
        await Run("chown", "nobody", config);
        foreach (var command in new[] { "run", "check" })
        {
            var refused = await RunningProgram.RunAsync(Published.Listend, [command, "--config", config]);
            Assert.Equal(command == "run" ? 78 : 1, refused.ExitCode);
            Assert.All(
                (string[])[config, "nobody", "65534", "0644", "--trusted-owner"],
                fact => Assert.Contains(fact, refused.Error, StringComparison.Ordinal));
        }

        var accepted = await RunningProgram.RunAsync(Published.Listend, ["check", "--config", config, "--trusted-owner", "nobody"]);
        Assert.True(accepted.ExitCode == 0, accepted.Error);
    }

    [Fact]
    public async Task Check_reports_untrusted_files_and_the_owners_of_paths()
    {
        Directory.CreateDirectory(_directory["theirs"]);
        File.CreateSymbolicLink(_directory["link"], "theirs");
        await Run("chown", "nobody", _directory["theirs"]);
        string Services(string daemon) => _directory.Write("services.toml", $"""
            [daemon]
            runtime_directory = "{_directory["run"]}"
            {daemon}

            [service.root]
            command = ["/bin/sleep", "9"]
            ready = "started"
            log = "file:{_directory["link/out.log"]}"
            environment_files = ["-{_directory["env"]}", "-{_directory["theirs/env"]}"]

            [service.other]
            command = ["/bin/sleep", "9"]
            ready = "started"
            user = "nobody"
            log = "file:{_directory["link/other.log"]}"
            """);
        var config = Services("");
        var check = await RunningProgram.RunAsync(Published.Listend, ["check", "--config", config, "--json"]);
        Assert.Equal(1, check.ExitCode);
        var document = JsonSerializer.Deserialize(check.Output, ControlJson.Default.CheckDocument)!;
        Assert.Equal(
            [(8, "service.root.log"), (9, "service.root.environment_files")],
            document.Errors.Select(error => (error.Line, error.Setting!)));
        Assert.Contains($"{_directory["link"]} -> theirs", document.Errors[0].Message, StringComparison.Ordinal);
        Assert.Contains("daemon.trusted_owners = [\"nobody\"]", document.Errors[0].Remedy, StringComparison.Ordinal);
        var other = Assert.Single(document.Paths, path => path.Setting == "service.other.log");
        Assert.Equal(("nobody", false), (other.OpenedBy, other.Trusted));
        Assert.Contains(other.Components, component => component.Path == _directory["link"] && component.Target == "theirs");
        Assert.Equal(
            ExitCode.InvalidConfiguration, (await RunningProgram.RunAsync(Published.Listend, ["run", "--config", config])).ExitCode);

        var accepting = Services("trusted_owners = [\"nobody\"]");
        var clean = await RunningProgram.RunAsync(Published.Listend, ["check", "--config", accepting]);
        Assert.True(clean.ExitCode == 0, clean.Error);
    }

    [Fact]
    public Task Links_of_a_worker_do_not_redirect_root() => DaemonUnderTest.WithAsync(
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.evil]
        command = ["/bin/sh", "-c", "echo written by root; exec sleep 600"]
        listeners = ["web"]
        ready = "started"
        user = "nobody"
        log = "file:@dir@/theirs/out.log"
        restart = { policy = "never" }

        [service.reader]
        command = ["/bin/sh", "-c", "echo got $SECRET; exec sleep 600"]
        listeners = ["web"]
        ready = "started"
        user = "nobody"
        environment_files = ["@dir@/theirs/env"]
        """,
        async daemon =>
        {
            await daemon.Log.WaitForAsync(0, MessageIds.LogFileFailed, "evil", facts: "theirs/out.log");
            await daemon.Log.WaitForAsync(0, MessageIds.WorkerStartFailed, "reader", facts: ["environment_files", "EACCES"]);
            Assert.Equal("SECRET=1\n", File.ReadAllText(daemon.Directory["secret/file"]));
            Assert.Equal([daemon.Directory["secret/file"]], Directory.GetFiles(daemon.Directory["secret"]));
        },
        prepare: directory =>
        {
            Directory.CreateDirectory(directory["theirs"]);
            Directory.CreateDirectory(directory["secret"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            directory.Write("secret/file", "SECRET=1\n");
            File.CreateSymbolicLink(directory["theirs/out.log"], directory["secret/new"]);
            File.CreateSymbolicLink(directory["theirs/env"], directory["secret/file"]);
            Run("chown", "-h", "nobody", directory["theirs"], directory["theirs/out.log"], directory["theirs/env"]).Wait();
        });

    private static async Task Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }
}
