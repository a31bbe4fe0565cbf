using System.Globalization;
using Supervisor.EndToEnd;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.Security;

/// <summary>Findings 9, 10, 11 and 14: what a worker leaves behind, says and keeps.</summary>
public sealed class WorkerTests(ITestOutputHelper output)
{
    private const string Services =
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.web]
        command = ["@possessed@", "@orders@"]
        listeners = ["web"]
        user = "games"
        stop_timeout = "2s"
        """;

    /// <summary>Lines that refused messages may cost: one for each worker, reason and minute; the reasons are few.</summary>
    private const int MostLines = 20;

    [Fact]
    public Task A_worker_cannot_keep_a_listener_after_its_service_ends() => Battlefield.WithAsync(
        Services,
        output,
        async (daemon, attack) =>
        {
            await daemon.ReadyWorkersAsync("web", 1);
            var folder = attack.FolderOf("games", "loot");
            await attack.AssertFailsInWorkerAsync("games", daemon.Directory["orders/web.0"], "escape", Path.Combine(folder, "pid"));
            var escaped = int.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "pid")), CultureInfo.InvariantCulture);
            try
            {
                Assert.Equal(0, (await daemon.ListenctlAsync("stop", "web", "--wait")).ExitCode);
                await Processes.EndedAsync(escaped);
                Assert.Contains(
                    daemon.Log.Messages,
                    message => message.Kind == MessageIds.OrphanKilled && message.Number("Pid") == escaped);
            }
            finally
            {
                RunningProgram.Kill(escaped, Signals.Kill);
            }
        });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Refused_messages_do_not_fill_the_log(bool isInWorker) => Battlefield.WithAsync(Services, output, async (daemon, attack) =>
    {
        var worker = (await daemon.ReadyWorkersAsync("web", 1))[0];
        var before = daemon.Log.Count;
        var socket = Battlefield.Variable(worker, "NOTIFY_SOCKET");
        await (isInWorker
            ? attack.AssertFailsInWorkerAsync("games", daemon.Directory["orders/web.0"], "notify-flood", socket, "3")
            : attack.AssertFailsAsync("games", "notify-flood", socket, "3"));
        await daemon.StatusAsync("web");
        var lines = daemon.Log.Lines.Skip(before).ToArray();
        output.WriteLine($"{lines.Length} lines of log");
        Assert.True(lines.Length <= MostLines, $"{lines.Length} lines of log, such as:\n{string.Join('\n', lines.Take(10))}");
    });

    [Fact]
    public Task Text_from_outside_is_escaped_before_it_reaches_a_terminal() => Battlefield.WithAsync(
        Services,
        output,
        async (daemon, attack) =>
        {
            await daemon.ReadyWorkersAsync("web", 1);
            await attack.AssertFailsAsync("4711", "control-characters", "broker", daemon.Broker());
            await attack.AssertFailsInWorkerAsync("games", daemon.Directory["orders/web.0"], "control-characters", "worker");
            await using var evil = attack.Start("4711", "control-characters", "listen");
            var port = (await evil.Output.WaitAsync(0, "port "))["port ".Length..];
            File.AppendAllText(daemon.Directory["run.toml"], $"\n[listener.taken]\naddress = \"tcp://127.0.0.1:{port}\"\n");
            var answers = new[]
            {
                await daemon.ListenctlAsync("explain", $"tcp://127.0.0.1:{port}"),
                await daemon.ListenctlAsync("reload"),
                await daemon.ListenctlAsync("status"),
                await daemon.ListenctlAsync("history", "web"),
                await daemon.ListenctlAsync("events"),
                await daemon.ListenctlAsync("logs", "web"),
                await RunningProgram.RunAsync(Published.Listend, ["check", "--config", daemon.Directory["run.toml"]]),
            };
            foreach (var answer in answers)
            {
                AssertClean(answer.Output.Split('\n').Concat(answer.Error.Split('\n')));
            }

            AssertClean(daemon.Log.Lines);
        },
        new DaemonOptions { LogFormat = "text", LogLevel = "debug" });

    /// <summary>A set-user-id program in a worker is a process of another user, whatever environment it carries.</summary>
    [Fact]
    public async Task A_successor_kills_no_process_of_another_user()
    {
        using var directory = new TemporaryDirectory();
        var attack = new Attack(directory, output);
        attack.Copy("possessed-worker");
        Directory.CreateDirectory(directory["orders"]);
        File.SetUnixFileMode(directory["orders"], (UnixFileMode)0x1FF);
        File.SetUnixFileMode(attack.Copy("another-users-process"), (UnixFileMode)0x9ED);
        var folder = attack.FolderOf("games", "loot");
        await using var daemon = DaemonUnderTest.Start(
            directory,
            """
            [service.web]
            command = ["@dir@/possessed-worker", "@dir@/orders"]
            listeners = []
            user = "games"
            no_new_privileges = false
            capabilities = ["CAP_SETUID", "CAP_DAC_OVERRIDE"]
            stop_timeout = "1s"
            """,
            new DaemonOptions());
        await daemon.WaitUntilUpAsync();
        var worker = (await daemon.ReadyWorkersAsync("web", 1))[0];
        await attack.AssertFailsInWorkerAsync("games", directory["orders/web.0"], "another-users-process", Path.Combine(folder, "pid"));
        var other = int.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "pid")), CultureInfo.InvariantCulture);
        try
        {
            RunningProgram.Kill(daemon.Pid, Signals.Kill);
            await daemon.WaitAsync();
            var successor = daemon.Again();
            await successor.WaitUntilUpAsync();
            Assert.Equal(worker, (await successor.ReadyWorkersAsync("web", 1))[0]);
            Assert.Equal(0, (await successor.ListenctlAsync("stop", "web", "--wait")).ExitCode);
            await Processes.EndedAsync(worker);

            // What is left of a worker is looked for beside the loop: not done when it has ended.
            for (var start = Environment.TickCount64; Processes.IsAlive(other) && Environment.TickCount64 - start < 1_500;)
            {
                await successor.StatusAsync("web");
            }

            Assert.True(Processes.IsAlive(other), "a process of root was killed");
        }
        finally
        {
            RunningProgram.Kill(other, Signals.Kill);
        }
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("capabilities = [\"CAP_NET_BIND_SERVICE\"]", 1UL << 10)]
    public Task A_worker_has_only_its_configured_capabilities(string setting, ulong expected) => Battlefield.WithAsync(
        Services + "\n" + setting,
        output,
        async (daemon, _) =>
        {
            var worker = (await daemon.ReadyWorkersAsync("web", 1))[0];
            foreach (var name in (string[])["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"])
            {
                var line = File.ReadLines($"/proc/{worker}/status").First(line => line.StartsWith(name, StringComparison.Ordinal));
                Assert.Equal($"{name} {expected:x16}", line.Replace('\t', ' '));
            }
        });

    private static void AssertClean(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            Assert.False(line.StartsWith("FORGED", StringComparison.Ordinal), $"a line that was forged: {line}");
            var raw = line.FirstOrDefault(c => (char.IsControl(c) && c != '\t')
                || c is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069') or '\u200E' or '\u200F');
            Assert.True(raw == default, $"U+{(int)raw:X4} in: {line}");
        }
    }
}
