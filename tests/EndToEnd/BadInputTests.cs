using System.Text.Json;
using Supervisor.Control;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>Wrong settings: the message names setting, value, stage and remedy, and everybody else goes on.</summary>
public sealed class BadInputTests
{
    [Theory]
    [InlineData("command = [\"@dir@/absent\"]", "command \"@dir@/absent\": executing it: ENOENT", "correct the path")]
    [InlineData("command = [\"absent-program\"]", "command \"absent-program\": finding it:", "write its absolute path")]
    [InlineData("command = [\"@dir@/plain\"]", "command \"@dir@/plain\": executing it: EACCES", "chmod +x")]
    [InlineData("command = [\"@dir@\"]", "command \"@dir@\": executing it: EACCES", "it is a directory")]
    [InlineData("command = [\"@dir@/garbage\"]", "command \"@dir@/garbage\": executing it: ENOEXEC", "begins with #!")]
    [InlineData("command = [\"@dir@/orphan\"]", "command \"@dir@/orphan\": executing it: ENOENT", "the interpreter that its first line names")]
    [InlineData("command = [\"/bin/false\"]", "exited with status 1", "before it was ready")]
    [InlineData("command = [\"/bin/sleep\", \"9\"]\nworking_directory = \"@dir@/nowhere\"", "working_directory \"@dir@/nowhere\": entering it: ENOENT", "create it")]
    [InlineData("command = [\"/bin/sleep\", \"9\"]\nworking_directory = \"@dir@/plain\"", "working_directory \"@dir@/plain\": entering it: ENOTDIR", "no directory")]
    [InlineData("command = [\"/bin/sleep\", \"9\"]\nworking_directory = \"@dir@/locked\"\nuser = \"nobody\"", "working_directory \"@dir@/locked\": entering it: EACCES", "user \"nobody\" may not search it")]
    [InlineData("command = [\"/bin/sleep\", \"9\"]\nlimits = { nofile = 3 }", "listeners \"web\": placing descriptor 3: EBADF", "limits.nofile must leave room")]
    [InlineData("command = [\"/bin/sleep\", \"9\"]\nenvironment_files = [\"@dir@/no.env\"]", "environment_files \"@dir@/no.env\": reading it: there is no file", "may be missing")]
    [InlineData("command = [\"/bin/sleep\", \"9\"]\nenvironment_files = [\"@dir@\"]", "environment_files \"@dir@\": reading it:", "is a directory; name a file in it")]
    [InlineData("command = [\"/bin/sleep\", \"9\"]\nlimits = { nofile = 99999999999 }", "limits.nofile = 99999999999: setting it: EPERM", "it is above fs.nr_open, ")]
    public Task A_service_that_cannot_be_started_says_why_and_the_others_run(string settings, string message, string remedy) => DaemonUnderTest.WithAsync(
        $"""
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.bad]
        listeners = ["web"]
        restart = {"{"} backoff = "10m", backoff_max = "10m" {"}"}
        {settings}

        [service.good]
        command = ["@hello@"]
        listeners = ["web"]
        """,
        async daemon =>
        {
            message = message.Replace("@dir@", daemon.Directory.Path, StringComparison.Ordinal);
            await daemon.Log.WaitAsync(0, "service bad", message, remedy);
            await daemon.WaitUntilReadyAsync("good");
            await daemon.Log.WaitAsync(0, "service bad", "next try in");
            var bad = await daemon.StatusAsync("bad");
            var worker = Assert.Single(bad.Workers);
            Assert.Equal(("backoff", null), (worker.State, worker.Pid));
            Assert.Contains(message, worker.LastExit, StringComparison.Ordinal);
            Assert.Contains(message, bad.Reason, StringComparison.Ordinal);
            Assert.Equal("running", (await daemon.StatusAsync("good")).State);
            var restart = await daemon.ListenctlAsync("restart", "good", "--wait");
            Assert.True(restart.ExitCode == 0, restart.Error);
        },
        prepare: directory =>
        {
            directory.Write("plain", "#!/bin/sh\n");
            directory.WriteScript("garbage", "\u0001\u0002garbage\n");
            directory.WriteScript("orphan", "#!/no/such/interpreter\n");
            Directory.CreateDirectory(directory["locked"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        });

    [Theory]
    [InlineData("user = \"no-such-user\"", "user \"no-such-user\"", "there is no such user")]
    [InlineData("group = \"no-such-group\"", "group \"no-such-group\"", "there is no such group")]
    [InlineData("supplementary_groups = [\"no-such-group\"]", "supplementary_groups \"no-such-group\"", "there is no such group")]
    public Task A_name_that_nobody_has_blocks_its_service_alone(string setting, string message, string remedy) => DaemonUnderTest.WithAsync(
        $"""
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.bad]
        command = ["/bin/sleep", "9"]
        listeners = ["web"]
        {setting}

        [service.good]
        command = ["@hello@"]
        listeners = ["web"]
        """,
        async daemon =>
        {
            await daemon.Log.WaitAsync(0, "service bad", message, remedy);
            await daemon.WaitUntilReadyAsync("good");
            Assert.Equal("failed", (await daemon.StatusAsync("bad")).State);
            Assert.Equal("running", (await daemon.StatusAsync("good")).State);
        });

    [Fact]
    public Task Out_of_descriptors_the_daemon_says_so_and_serves_on() => DaemonUnderTest.WithAsync(
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.good]
        command = ["@hello@"]
        listeners = ["web"]

        [service.many]
        command = ["@hello@"]
        listeners = ["web"]
        workers = 20
        restart = { backoff = "10m", backoff_max = "10m" }
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("good");
            await daemon.Log.WaitAsync(0, "service many", "could not be started", "descriptors:", "the daemon's limit of open files is reached", "LimitNOFILE");

            // And it can still be asked.
            Assert.Equal("running", (await daemon.StatusAsync("good")).State);
            Assert.Contains((await daemon.StatusAsync("many")).Workers, worker => worker.LastExit?.Contains("limit of open files", StringComparison.Ordinal) == true);
            Assert.Equal(1, (await daemon.ListenctlAsync("restart", "many", "--wait")).ExitCode);
        },
        new DaemonOptions { Wrapper = ["/usr/bin/prlimit", "--nofile=60:60"] });

    [Fact]
    public Task More_listeners_than_descriptors_leave_enough_for_workers_and_for_those_who_ask() => DaemonUnderTest.WithAsync(
        string.Concat(Enumerable.Range(0, 60).Select(i => $"[listener.l{i}]\naddress = \"tcp://127.0.0.1:0\"\n"))
        + "[service.good]\ncommand = [\"/bin/sleep\", \"1000\"]\nlisteners = [\"l0\"]\nready = \"started\"\n",
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("good");
            var listeners = await daemon.ListenersAsync();
            Assert.Contains(listeners, one => one.Failure is null);
            var failure = listeners.First(one => one.Failure is not null).Failure!;
            Assert.Equal("descriptor-limit", failure.Cause);
            Assert.Contains("LimitNOFILE", failure.Advice, StringComparison.Ordinal);
            Assert.Equal(0, (await daemon.ListenctlAsync("restart", "good", "--wait")).ExitCode);
        },
        new DaemonOptions { Wrapper = ["/usr/bin/prlimit", "--nofile=64:64"] });

    [Theory]
    [InlineData("[listener.web]\naddress = \"tcp://localhost:80\"\n", 2, "listener.web.address")]
    [InlineData("[listener.web]\naddress = \"tcp://127.0.0.1:0\"\nbacklog = 5\n", 3, "backlog")]
    [InlineData("[listener.web]\naddress = \"tcp://127.0.0.1:0\"\nlisten = { backlog = 0 }\n", 3, "listen.backlog")]
    [InlineData("[listener.web]\naddress = \"tcp://127.0.0.1:0\"\nlisten = { backlog = \"many\" }\n", 3, "listen.backlog")]
    [InlineData("[listener.web\n", 1, null)]
    [InlineData("[service.web]\ncommand = [\"/bin/true\"]\nlisteners = [\"nobody\"]\n", 3, "listeners")]
    public async Task Check_tells_position_setting_and_remedy(string text, int line, string? setting)
    {
        using var directory = new TemporaryDirectory();
        var file = directory.Write("bad.toml", text);
        var people = await RunningProgram.RunAsync(Published.Listend, ["check", "--config", file]);
        Assert.Equal((1, ""), (people.ExitCode, people.Output));
        Assert.Contains($"{file}:{line}:", people.Error, StringComparison.Ordinal);

        var json = await RunningProgram.RunAsync(Published.Listend, ["check", "--config", file, "--json"]);
        Assert.Equal(1, json.ExitCode);
        var document = JsonSerializer.Deserialize(Assert.Single(json.Output.Split('\n')), ControlJson.Default.CheckDocument)!;
        Assert.False(document.Ok);
        var error = document.Errors[0];
        Assert.Equal((file, line), (error.File, error.Line));
        Assert.True(error.Column > 0);
        Assert.Contains(setting ?? "", error.Setting ?? "", StringComparison.Ordinal);
        Assert.NotEmpty(error.Message);
        Assert.NotEmpty(error.Remedy ?? "");

        // And the daemon does not start with it.
        var run = await RunningProgram.RunAsync(Published.Listend, ["run", "--config", file, "--runtime-directory", directory["run"]]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"{file}:{line}:", run.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory["run"]));
    }

    [Fact]
    public async Task Check_reports_every_error_at_once_and_every_listener_that_cannot_be_bound()
    {
        using var directory = new TemporaryDirectory();
        var file = directory.Write("bad.toml", "[listener.a]\naddress = \"tcp://nowhere\"\n[listener.b]\naddress = 5\n[service.c]\ncolour = \"red\"\n");
        var result = await RunningProgram.RunAsync(Published.Listend, ["check", "--config", file, "--json"]);
        var errors = JsonSerializer.Deserialize(result.Output, ControlJson.Default.CheckDocument)!.Errors;
        Assert.Superset(new HashSet<int> { 2, 4, 6 }, errors.Select(error => error.Line).ToHashSet());

        file = directory.Write("unbindable.toml", "[listener.absent]\naddress = \"tcp://192.0.2.1:0\"\n[listener.fine]\naddress = \"tcp://127.0.0.1:0\"\n");
        result = await RunningProgram.RunAsync(Published.Listend, ["check", "--config", file, "--json"]);
        Assert.Equal(1, result.ExitCode);
        var failure = Assert.Single(JsonSerializer.Deserialize(result.Output, ControlJson.Default.CheckDocument)!.Failures);
        Assert.Equal(("tcp://192.0.2.1:0", "EADDRNOTAVAIL", false), (failure.Address, failure.Errno, failure.Bindable));

        file = directory.Write("good.toml", "[listener.fine]\naddress = \"tcp://127.0.0.1:0\"\n");
        result = await RunningProgram.RunAsync(Published.Listend, ["check", "--config", file, "--json"]);
        Assert.Equal(0, result.ExitCode);
        Assert.True(JsonSerializer.Deserialize(result.Output, ControlJson.Default.CheckDocument)!.Ok);
    }

    [Fact]
    public async Task Check_and_a_dry_run_warn_of_files_that_are_not_there_and_refuse_nothing()
    {
        using var directory = new TemporaryDirectory();
        directory.WriteScript("orphan", "#!/no/such/interpreter\n");
        var file = directory.Write(
            "run.toml",
            $$"""
            [daemon]
            runtime_directory = "{{directory["run"]}}"

            [service.api]
            command = ["{{directory["api"]}}", "--verbose"]
            working_directory = "{{directory["nowhere"]}}"
            environment_files = ["-{{directory["may.env"]}}", "{{directory["no.env"]}}"]
            environment = { PATH = "{{directory.Path}}" }
            hooks = { pre_start = ["migrate"], post_ready = ["orphan"] }
            restart = { backoff = "10m", backoff_max = "10m" }
            """);
        (int Line, int Column, string Setting, string Message)[] expected =
        [
            (5, 12, "service.api.command", $"there is no program \"{directory["api"]}\""),
            (6, 21, "service.api.working_directory", $"there is no directory \"{directory["nowhere"]}\""),
            (7, 27 + directory["may.env"].Length, "service.api.environment_files", $"there is no file \"{directory["no.env"]}\""),
            (9, 24, "service.api.hooks.pre_start", $"no directory of PATH ({directory.Path}) has a program \"migrate\""),
        ];
        var people = await RunningProgram.RunAsync(Published.Listend, ["check", "--config", file]);
        Assert.Equal((0, $"{file}: 0 listeners, 1 service, no errors, 5 warnings"), (people.ExitCode, people.Output.Trim()));
        Assert.StartsWith($"{file}:5:12: warning: service.api.command: {expected[0].Message}; ", people.Error, StringComparison.Ordinal);

        var json = await RunningProgram.RunAsync(Published.Listend, ["check", "--config", file, "--json"]);
        var document = JsonSerializer.Deserialize(json.Output, ControlJson.Default.CheckDocument)!;
        Assert.True(document.Ok);
        Assert.Empty(document.Errors);
        Assert.Equal(expected, document.Warnings.Take(4).Select(found => (found.Line, found.Column, found.Setting!, found.Message)));
        Assert.Contains("/no/such/interpreter", document.Warnings[4].Message, StringComparison.Ordinal);
        Assert.All(document.Warnings, warning => Assert.NotEmpty(warning.Remedy ?? ""));

        await DaemonUnderTest.WithAsync(
            "[listener.web]\naddress = \"tcp://127.0.0.1:0\"\n",
            async daemon =>
            {
                File.AppendAllText(daemon.Directory["run.toml"], "[service.late]\ncommand = [\"/no/such/program\"]\n");
                var plan = await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload", "--dry-run");
                Assert.Contains(":7:12: warning: service.late.command: there is no program \"/no/such/program\"; ", Assert.Single(plan.Warnings), StringComparison.Ordinal);
            });
    }

    [Fact]
    public Task Without_a_file_a_command_line_is_enough() => DaemonUnderTest.WithAsync(
        "",
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("hello", 2);
            var service = await daemon.StatusAsync("hello");
            Assert.Equal((2, 2, "running"), (service.Desired, service.Ready, service.State));
            Assert.Equal(["listen"], service.Listeners);
            var restart = await daemon.ListenctlAsync("restart", "hello", "--wait");
            Assert.True(restart.ExitCode == 0, restart.Error);
        },
        new DaemonOptions { Arguments = ["--listen", "tcp://127.0.0.1:0", "--workers", "2", "--", "@hello@", "--flag"] });

    [Theory]
    [InlineData("--listen")]
    [InlineData("--listen", "tcp://127.0.0.1:0")]
    [InlineData("--listen", "tcp://localhost:0", "--", "/bin/true")]
    [InlineData("--listen", "tcp://127.0.0.1:0", "--workers", "0", "--", "/bin/true")]
    [InlineData("--listen", "tcp://127.0.0.1:0", "--workers", "two", "--", "/bin/true")]
    [InlineData("--listen", "tcp://127.0.0.1:0", "--handoff", "telepathy", "--", "/bin/true")]
    [InlineData("--listen", "tcp://127.0.0.1:0", "--config", "/etc/listend/listend.toml", "--", "/bin/true")]
    [InlineData("--workers", "2", "--", "/bin/true")]
    [InlineData("--frobnicate")]
    public async Task Wrong_usage_is_2(params string[] arguments)
    {
        using var directory = new TemporaryDirectory();
        var result = await RunningProgram.RunAsync(Published.Listend, ["run", "--runtime-directory", directory["run"], .. arguments]);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains("listend:", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory["run"]));
    }

    [Theory]
    [InlineData("unknown option \"--listne\"; did you mean \"--listen\"?", "run", "--listne", "tcp://127.0.0.1:1", "--", "/bin/true")]
    [InlineData("unknown option \"--foo\"", "run", "--foo")]
    [InlineData("unknown option \"--bogus\"", "run", "--config", "f", "--bogus")]
    [InlineData("unknown option \"--workres\"; did you mean \"--workers\"?", "run", "--listen", "tcp://127.0.0.1:1", "--workres", "3", "--", "/bin/true", "--foo")]
    [InlineData("unknown option \"--confg\"; did you mean \"--config\"?", "check", "--confg=f")]
    [InlineData("command line: --workers: \"x\" is no number of workers; write an integer from 1 to 10000, or \"cpus\"", "run", "--listen", "tcp://127.0.0.1:1", "--workers", "x", "--", "/bin/true")]
    [InlineData("command line: --workers: 99999999999 is out of range (1 to 10000)", "run", "--listen", "tcp://127.0.0.1:1", "--workers", "99999999999", "--", "/bin/true")]
    [InlineData("there is no command \"chek\"; did you mean \"check\"?", "chek")]
    public async Task A_wrong_command_line_names_what_is_wrong(string message, params string[] arguments)
    {
        var result = await RunningProgram.RunAsync(Published.Listend, arguments);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains("listend: " + message, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => !line.Contains("--help", StringComparison.Ordinal));
        Assert.DoesNotContain("System.", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("check")]
    [InlineData("schema")]
    public async Task Each_command_has_a_version_and_says_so(string command)
    {
        var version = await RunningProgram.RunAsync(Published.Listend, [command, "--version"]);
        Assert.Equal((0, ""), (version.ExitCode, version.Error));
        Assert.StartsWith("listend ", version.Output, StringComparison.Ordinal);
        Assert.Equal(version.Output, (await RunningProgram.RunAsync(Published.Listend, ["--version"])).Output);
        Assert.Contains("--version", (await RunningProgram.RunAsync(Published.Listend, [command, "--help"])).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    public async Task Both_programs_introduce_themselves(string argument)
    {
        foreach (var program in new[] { Published.Listend, Published.Listenctl })
        {
            var result = await RunningProgram.RunAsync(program, [argument]);
            Assert.Equal((0, ""), (result.ExitCode, result.Error));
            Assert.NotEmpty(result.Output);
        }
    }
}
