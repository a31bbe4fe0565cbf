using System.Text.RegularExpressions;
using Supervisor.EndToEnd;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.Security;

/// <summary>
/// Findings 5, 6 and 7: what root opens, in folders of another user. A daemon that refuses to start there has withstood; one
/// that starts must not have followed anything. "accepted": the administrator has named the user in daemon.trusted_owners, and
/// may then be led elsewhere by it, but not be kept waiting.
/// </summary>
public sealed class PathTests(ITestOutputHelper output)
{
    private const string Untouched = "untouched";

    public static TheoryData<string, bool> Kinds()
    {
        var data = new TheoryData<string, bool>();
        foreach (var kind in (string[])["symlink", "hardlink", "swap", "fifo", "directory", "socket"])
        {
            data.Add(kind, false);
        }

        foreach (var kind in (string[])["fifo", "directory", "socket"])
        {
            data.Add(kind, true);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public Task A_log_file_path_does_not_redirect_root(string kind, bool isAccepted) => RunAsync(
        $$"""
        {{Accepted(isAccepted)}}
        [service.web]
        command = ["@possessed@", "@orders@"]
        listeners = []
        user = "games"
        log = "file:@dir@/theirs/web.log"

        [service.other]
        command = ["@possessed@", "@orders@"]
        listeners = []
        user = "news"
        log = "file:@dir@/other.log"
        """,
        kind,
        "web.log",
        Untouched,
        async (daemon, attack) =>
        {
            if (IsPossessed(daemon))
            {
                await SpeakAsync(attack, daemon, "games", "web.0");
            }

            await daemon.ListenctlAsync("restart", "web", "--wait", "--timeout", "3s");
            if (IsPossessed(daemon))
            {
                await SpeakAsync(attack, daemon, "games", "web.0");
            }

            // Whatever the one's file is, the other's is written.
            await daemon.ReadyWorkersAsync("other", 1);
            await SpeakAsync(attack, daemon, "news", "other.0");
            var log = daemon.Directory["other.log"];
            var end = Environment.TickCount64 + 10_000;
            while (!(File.Exists(log) && new FileInfo(log).Length > 0) && Environment.TickCount64 < end)
            {
                await daemon.StatusAsync("other");
            }

            Assert.True(File.Exists(log) && new FileInfo(log).Length > 0, "the other service's log is not written any more");
        });

    [Theory]
    [MemberData(nameof(Kinds))]
    public Task An_environment_file_discloses_nothing(string kind, bool isAccepted) => EnvironmentAsync(kind, isAccepted, null);

    [Theory]
    [InlineData("/dev/zero", false)]
    [InlineData("/dev/zero", true)]
    [InlineData("/proc/kmsg", false)]
    public Task The_daemon_limits_the_size_of_an_environment_file(string target, bool isAccepted) =>
        EnvironmentAsync("symlink", isAccepted, target);

    private Task EnvironmentAsync(string kind, bool isAccepted, string? target) => RunAsync(
        $$"""
        {{Accepted(isAccepted)}}
        [service.web]
        command = ["@possessed@", "@orders@"]
        listeners = []
        user = "games"
        environment_files = ["@dir@/theirs/web.env"]
        """,
        kind,
        "web.env",
        "SECRET=untouched",
        async (daemon, attack) =>
        {
            for (var round = 0; round < 2; round++)
            {
                foreach (var worker in (await daemon.StatusAsync("web")).Workers.Where(worker => worker.Pid is > 0))
                {
                    Assert.DoesNotContain("SECRET=untouched", Battlefield.Environment(worker.Pid!.Value));
                }

                await daemon.ListenctlAsync("restart", "web", "--wait", "--timeout", "1s");
            }
        },
        target);

    [Theory]
    [InlineData("listend.lock")]
    [InlineData("state.json")]
    [InlineData("state.json.new")]
    [InlineData("notify")]
    public async Task The_daemon_rejects_a_runtime_directory_of_another_user(string name)
    {
        using var directory = new TemporaryDirectory();
        var attack = Prepare(directory, Untouched);
        attack.FolderOf("games", "run");
        var target = directory[name == "notify" ? "secret" : "secret/new"];
        await attack.AssertFailsAsync("games", "replace-file", "symlink", directory["run/" + name], target);
        await using var daemon = DaemonUnderTest.Start(directory, Web(directory), new DaemonOptions());
        await CheckAsync(daemon, directory, Untouched, null);
    }

    [Fact]
    public async Task The_daemon_does_not_execute_a_forged_state()
    {
        using var directory = new TemporaryDirectory();
        var attack = Prepare(directory, Untouched);
        await using (var template = DaemonUnderTest.Start(directory, Web(directory), new DaemonOptions(), "template"))
        {
            await template.WaitUntilUpAsync();
            await template.ReadyWorkersAsync("web", 1);
            RunningProgram.Kill(template.Pid, Signals.Kill);
            await template.WaitAsync();
        }

        var evil = directory.WriteScript("evil", $"#!/bin/sh\nid -u > {directory["secret/marker"]}\n");
        var state = (await File.ReadAllTextAsync(directory["template/state.json"]))
            .Replace(directory["template"], directory["run"], StringComparison.Ordinal)
            .Replace(directory["possessed-worker"], evil, StringComparison.Ordinal)
            .Replace("\"user\":\"games\"", "\"user\":null", StringComparison.Ordinal);
        state = Regex.Replace(state, "\"(uid|gid)\":\\d+", "\"$1\":null");
        attack.FolderOf("games", "run");
        directory.Write("run/state.json", state);
        Assert.Equal(0, (await RunningProgram.RunAsync("/bin/chown", ["games", directory["run/state.json"]])).ExitCode);

        await using var daemon = DaemonUnderTest.Start(directory, Web(directory), new DaemonOptions());
        await CheckAsync(daemon, directory, Untouched, () => daemon.ListenctlAsync("restart", "web", "--wait", "--timeout", "3s"));
        Assert.False(File.Exists(directory["secret/marker"]), "a program of the forged state was executed as root");
    }

    private static string Accepted(bool isAccepted) => isAccepted ? "trusted_owners = [\"games\"]\n" : "";

    private static string Web(TemporaryDirectory directory) =>
        $"""
        [service.web]
        command = ["{directory["possessed-worker"]}", "{directory["orders"]}"]
        listeners = []
        user = "games"
        """;

    private static bool IsPossessed(DaemonUnderTest daemon) => File.Exists(daemon.Directory["orders/web.0"]);

    // The worker writes a line to its output, which goes to its log.
    private static Task SpeakAsync(Attack attack, DaemonUnderTest daemon, string user, string worker) =>
        attack.AssertFailsInWorkerAsync(user, daemon.Directory["orders/" + worker], "control-characters", "worker");

    private Attack Prepare(TemporaryDirectory directory, string secret)
    {
        var attack = new Attack(directory, output);
        attack.Copy("possessed-worker");
        Directory.CreateDirectory(directory["orders"]);
        File.SetUnixFileMode(directory["orders"], (UnixFileMode)0x1FF);
        Directory.CreateDirectory(directory["secret"]);
        directory.Write("secret/old", secret);
        File.SetUnixFileMode(directory["secret"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return attack;
    }

    private async Task RunAsync(
        string config,
        string kind,
        string name,
        string secret,
        Func<DaemonUnderTest, Attack, Task> test,
        string? target = null)
    {
        using var directory = new TemporaryDirectory();
        var attack = Prepare(directory, secret);
        var path = Path.Combine(attack.FolderOf("games", "theirs"), name);
        target ??= directory["secret/old"];
        await using var swap = kind == "swap" ? attack.Start("games", "replace-file", kind, path, target) : null;
        if (swap is not null)
        {
            await swap.Output.WaitAsync(0, "swapping");
        }
        else
        {
            await attack.AssertFailsAsync("games", "replace-file", kind, path, target);
        }

        await using var daemon = DaemonUnderTest.Start(
            directory,
            config.Replace("@possessed@", "@dir@/possessed-worker", StringComparison.Ordinal)
                .Replace("@orders@", "@dir@/orders", StringComparison.Ordinal),
            new DaemonOptions());
        await CheckAsync(daemon, directory, secret, () => test(daemon, attack));
    }

    /// <summary>
    /// The daemon refuses to start, or it starts and answers in time, unless there is no test; either way nothing of root's has
    /// changed.
    /// </summary>
    private async Task CheckAsync(DaemonUnderTest daemon, TemporaryDirectory directory, string secret, Func<Task>? test)
    {
        var isUp = true;
        try
        {
            await daemon.WaitUntilUpAsync().WaitAsync(TimeSpan.FromSeconds(10));
        }
        catch (InvalidOperationException)
        {
            isUp = false;
            var status = await daemon.WaitAsync();
            output.WriteLine($"refused with exit status {status}:\n{daemon.Log.Tail(6)}");
            Assert.True(status is 1 or 78, $"exit status {status}");
        }
        catch (TimeoutException)
        {
            Assert.Fail("the daemon neither started nor refused to within 10 s");
        }

        if (isUp && test is not null)
        {
            await using var times = await AnswerTimes.StartAsync(daemon);
            await test();
            await times.AssertAsync(output);
            output.WriteLine($"started:\n{daemon.Log.Tail(6)}");
        }

        Assert.Equal(
            ["old"],
            Directory.EnumerateFileSystemEntries(directory["secret"]).Select(Path.GetFileName).Where(name => name != "marker"));
        Assert.Equal(secret, await File.ReadAllTextAsync(directory["secret/old"]));
        if (isUp)
        {
            daemon.Signal(Signals.Terminate);
            await daemon.WaitAsync();
        }

        Assert.True(!isUp || test is not null, "the daemon uses a directory of another user");
    }
}
