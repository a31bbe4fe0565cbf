using System.Text.Json;
using Supervisor.Control;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>Wrong settings: the message names setting, value, stage and remedy, and everything else continues.</summary>
public sealed class BadInputTests
{
    [Theory]
    [InlineData("command = [\"@dir@/absent\"]", "command \"@dir@/absent\"", "ENOENT", "does not exist")]
    [InlineData("command = [\"absent-program\"]", "command \"absent-program\"", "PATH")]
    [InlineData("command = [\"@dir@/plain\"]", "command \"@dir@/plain\"", "EACCES", "chmod +x")]
    [InlineData("command = [\"@dir@\"]", "command \"@dir@\"", "EACCES", "directory")]
    [InlineData("command = [\"@dir@/garbage\"]", "command \"@dir@/garbage\"", "ENOEXEC", "#!")]
    [InlineData("command = [\"@dir@/orphan\"]", "command \"@dir@/orphan\"", "ENOENT", "interpreter")]
    [InlineData("command = [\"/bin/false\"]", "status 1")]
    [InlineData(
        "command = [\"/bin/sleep\", \"9\"]\nworking_directory = \"@dir@/nowhere\"",
        "working_directory \"@dir@/nowhere\"", "ENOENT")]
    [InlineData(
        "command = [\"/bin/sleep\", \"9\"]\nworking_directory = \"@dir@/plain\"",
        "working_directory \"@dir@/plain\"", "ENOTDIR")]
    [InlineData(
        "command = [\"/bin/sleep\", \"9\"]\nworking_directory = \"@dir@/locked\"\nuser = \"nobody\"",
        "working_directory \"@dir@/locked\"", "EACCES", "user \"nobody\"")]
    [InlineData(
        "command = [\"/bin/sleep\", \"9\"]\nlimits = { nofile = 3 }",
        "listeners \"web\"", "descriptor 3", "EBADF", "limits.nofile")]
    [InlineData(
        "command = [\"/bin/sleep\", \"9\"]\nenvironment_files = [\"@dir@/no.env\"]",
        "environment_files \"@dir@/no.env\"", "file")]
    [InlineData("command = [\"/bin/sleep\", \"9\"]\nenvironment_files = [\"@dir@\"]", "environment_files \"@dir@\"", "directory")]
    [InlineData(
        "command = [\"/bin/sleep\", \"9\"]\nlimits = { nofile = 99999999999 }",
        "limits.nofile = 99999999999", "EPERM", "fs.nr_open")]
    public Task Service_that_cannot_start_names_setting_and_errno(string settings, params string[] facts) => DaemonUnderTest.WithAsync(
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
            facts = [.. facts.Select(fact => fact.Replace("@dir@", daemon.Directory.Path, StringComparison.Ordinal))];
            await daemon.Log.WaitForAsync(0, 1, Failed, "bad cannot be started");
            await daemon.WaitUntilReadyAsync("good");
            await daemon.Log.WaitForAsync(0, MessageIds.WorkerBackingOff, "bad");
            var bad = await daemon.StatusAsync("bad");
            var worker = Assert.Single(bad.Workers);
            Assert.Equal(("backoff", null), (worker.State, worker.Pid));
            Assert.All(facts, fact => Assert.Contains(fact, worker.LastExit, StringComparison.Ordinal));
            Assert.All(facts, fact => Assert.Contains(fact, bad.Reason, StringComparison.Ordinal));
            Assert.Equal("running", (await daemon.StatusAsync("good")).State);
            var restart = await daemon.ListenctlAsync("restart", "good", "--wait");
            Assert.True(restart.ExitCode == 0, restart.Error);

            bool Failed(LogMessage message) => message is { Service: "bad", Kind: MessageIds.WorkerStartFailed or MessageIds.WorkerDied }
                && facts.All(fact => message.Text.Contains(fact, StringComparison.Ordinal));
        },
        prepare: directory =>
        {
            directory.Write("plain", "#!/bin/sh\n");
            directory.WriteScript("garbage", "\u0001\u0002garbage\n");
            directory.WriteScript("orphan", "#!/no/such/interpreter\n");
            Directory.CreateDirectory(directory["locked"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        });

    [Theory]
    [InlineData("user = \"no-such-user\"", "user", "no-such-user")]
    [InlineData("group = \"no-such-group\"", "group", "no-such-group")]
    [InlineData("supplementary_groups = [\"no-such-group\"]", "supplementary_groups", "no-such-group")]
    public Task Unknown_user_or_group_blocks_only_its_service(string line, string setting, string name) => DaemonUnderTest.WithAsync(
        $"""
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.bad]
        command = ["/bin/sleep", "9"]
        listeners = ["web"]
        {line}

        [service.good]
        command = ["@hello@"]
        listeners = ["web"]
        """,
        async daemon =>
        {
            await daemon.Log.WaitForAsync(0, MessageIds.ServiceBlocked, "bad", facts: $"{setting} \"{name}\"");
            await daemon.WaitUntilReadyAsync("good");
            Assert.Equal("failed", (await daemon.StatusAsync("bad")).State);
            Assert.Equal("running", (await daemon.StatusAsync("good")).State);
        });

    [Fact]
    public Task Daemon_serves_at_its_limit_of_descriptors() => DaemonUnderTest.WithAsync(
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
            await daemon.Log.WaitForAsync(0, MessageIds.WorkerStartFailed, "many", facts: "LimitNOFILE");

            // The control socket still answers.
            Assert.Equal("running", (await daemon.StatusAsync("good")).State);
            Assert.Contains(
                (await daemon.StatusAsync("many")).Workers,
                worker => worker.LastExit?.Contains("LimitNOFILE", StringComparison.Ordinal) == true);
            Assert.Equal(1, (await daemon.ListenctlAsync("restart", "many", "--wait")).ExitCode);
        },
        new DaemonOptions { Wrapper = ["/usr/bin/prlimit", "--nofile=66:66"] });

    [Fact]
    public Task Listeners_leave_descriptors_for_workers_and_clients() => DaemonUnderTest.WithAsync(
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
    public async Task Check_reports_position_setting_and_remedy(string text, int line, string? setting)
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

        // The daemon does not start with this configuration.
        var run = await RunningProgram.RunAsync(Published.Listend, ["run", "--config", file, "--runtime-directory", directory["run"]]);
        Assert.Equal(ExitCode.InvalidConfiguration, run.ExitCode);
        Assert.Contains($"{file}:{line}:", run.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory["run"]));
    }

    [Fact]
    public async Task Check_reports_all_errors_and_failed_binds()
    {
        using var directory = new TemporaryDirectory();
        var file = directory.Write(
            "bad.toml",
            "[listener.a]\naddress = \"tcp://nowhere\"\n[listener.b]\naddress = 5\n[service.c]\ncolour = \"red\"\n");
        var result = await RunningProgram.RunAsync(Published.Listend, ["check", "--config", file, "--json"]);
        var errors = JsonSerializer.Deserialize(result.Output, ControlJson.Default.CheckDocument)!.Errors;
        Assert.Superset(new HashSet<int> { 2, 4, 6 }, errors.Select(error => error.Line).ToHashSet());

        file = directory.Write(
            "unbindable.toml",
            "[listener.absent]\naddress = \"tcp://192.0.2.1:0\"\n[listener.fine]\naddress = \"tcp://127.0.0.1:0\"\n");
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
    public async Task Check_and_dry_run_warn_about_missing_files()
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
        (int Line, int Column, string Setting, string Name)[] expected =
        [
            (5, 12, "service.api.command", directory["api"]),
            (6, 21, "service.api.working_directory", directory["nowhere"]),
            (7, 27 + directory["may.env"].Length, "service.api.environment_files", directory["no.env"]),
            (9, 24, "service.api.hooks.pre_start", "migrate"),
        ];
        var people = await RunningProgram.RunAsync(Published.Listend, ["check", "--config", file]);
        Assert.Equal(0, people.ExitCode);
        Assert.All(
            (string[])[$"{file}: ", "0 listeners", "1 service", "5 warnings"],
            fact => Assert.Contains(fact, people.Output, StringComparison.Ordinal));
        Assert.StartsWith($"{file}:5:12: warning: service.api.command: ", people.Error, StringComparison.Ordinal);
        Assert.Contains(expected[0].Name, people.Error.Split('\n')[0], StringComparison.Ordinal);

        var json = await RunningProgram.RunAsync(Published.Listend, ["check", "--config", file, "--json"]);
        var document = JsonSerializer.Deserialize(json.Output, ControlJson.Default.CheckDocument)!;
        Assert.True(document.Ok);
        Assert.Empty(document.Errors);
        Assert.Equal(
            expected.Select(one => (one.Line, one.Column, one.Setting)),
            document.Warnings.Take(4).Select(found => (found.Line, found.Column, found.Setting!)));
        Assert.All(
            expected.Zip(document.Warnings),
            pair => Assert.Contains(pair.First.Name, pair.Second.Message, StringComparison.Ordinal));
        Assert.Contains("/no/such/interpreter", document.Warnings[4].Message, StringComparison.Ordinal);
        Assert.All(document.Warnings, warning => Assert.NotEmpty(warning.Remedy ?? ""));

        await DaemonUnderTest.WithAsync(
            "[listener.web]\naddress = \"tcp://127.0.0.1:0\"\n",
            async daemon =>
            {
                File.AppendAllText(daemon.Directory["run.toml"], "[service.late]\ncommand = [\"/no/such/program\"]\n");
                var plan = await daemon.AskAsync(ControlJson.Default.ReloadDocument, "reload", "--dry-run");
                Assert.Contains(":7:12: warning: service.late.command: ", Assert.Single(plan.Warnings), StringComparison.Ordinal);
                Assert.Contains("\"/no/such/program\"", plan.Warnings[0], StringComparison.Ordinal);
            });
    }

    [Fact]
    public Task A_command_line_replaces_a_configuration_file() => DaemonUnderTest.WithAsync(
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
    public async Task Wrong_usage_exits_2(params string[] arguments)
    {
        using var directory = new TemporaryDirectory();
        var result = await RunningProgram.RunAsync(Published.Listend, ["run", "--runtime-directory", directory["run"], .. arguments]);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains("listend:", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory["run"]));
    }

    [Theory]
    [InlineData("\"--listne\" \"--listen\"", "run", "--listne", "tcp://127.0.0.1:1", "--", "/bin/true")]
    [InlineData("\"--foo\"", "run", "--foo")]
    [InlineData("\"--bogus\"", "run", "--config", "f", "--bogus")]
    [InlineData("\"--workres\" \"--workers\"", "run", "--listen", "tcp://127.0.0.1:1", "--workres", "3", "--", "/bin/true", "--foo")]
    [InlineData("\"--confg\" \"--config\"", "check", "--confg=f")]
    [InlineData("--workers: \"x\" 10000 \"cpus\"", "run", "--listen", "tcp://127.0.0.1:1", "--workers", "x", "--", "/bin/true")]
    [InlineData("--workers: 99999999999 10000", "run", "--listen", "tcp://127.0.0.1:1", "--workers", "99999999999", "--", "/bin/true")]
    [InlineData("\"chek\" \"check\"", "chek")]
    public async Task A_wrong_command_line_names_the_word_and_the_remedy(string facts, params string[] arguments)
    {
        var result = await RunningProgram.RunAsync(Published.Listend, arguments);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.StartsWith("listend: ", result.Error, StringComparison.Ordinal);
        Assert.All(facts.Split(' '), fact => Assert.Contains(fact, result.Error, StringComparison.Ordinal));
        Assert.Single(
            result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            line => !line.Contains("--help", StringComparison.Ordinal));
        Assert.DoesNotContain("System.", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("check")]
    [InlineData("schema")]
    public async Task Each_command_has_version_and_help(string command)
    {
        var version = await RunningProgram.RunAsync(Published.Listend, [command, "--version"]);
        Assert.Equal((0, ""), (version.ExitCode, version.Error));
        Assert.StartsWith("listend ", version.Output, StringComparison.Ordinal);
        Assert.Equal(version.Output, (await RunningProgram.RunAsync(Published.Listend, ["--version"])).Output);
        Assert.Contains(
            "--version",
            (await RunningProgram.RunAsync(Published.Listend, [command, "--help"])).Output,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    public async Task Both_programs_have_help_and_version(string argument)
    {
        foreach (var program in new[] { Published.Listend, Published.Listenctl })
        {
            var result = await RunningProgram.RunAsync(program, [argument]);
            Assert.Equal((0, ""), (result.ExitCode, result.Error));
            Assert.NotEmpty(result.Output);
        }
    }
}
