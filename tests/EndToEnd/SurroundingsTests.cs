using System.Globalization;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>Unusual hosts: PID 1 of a container, hidden processes of other users, a full disk.</summary>
public sealed class SurroundingsTests
{
    private const string Config = """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.w]
        command = ["/bin/sh", "-c", "setsid --fork true; setsid --fork sleep 0.05; systemd-notify --ready; trap 'exit 0' TERM; sleep 1000 & wait"]
        listeners = ["web"]
        workers = 2
        """;

    [Fact]
    public async Task Pid_1_reaps_orphans_and_stops_on_SIGTERM()
    {
        using var directory = new TemporaryDirectory();
        var unshare = Needs.Program("unshare", "util-linux");
        await using var daemon = DaemonUnderTest.Start(
            directory,
            Config,
            new DaemonOptions { Wrapper = [unshare, "--pid", "--fork", "--mount-proc", "--kill-child"] });
        Assert.Equal(1, (await daemon.Log.WaitForAsync(0, MessageIds.DaemonReady)).Number("Pid"));
        await daemon.WaitUntilReadyAsync("w", 2);
        var init = Assert.Single(Children(daemon.Pid));
        for (var i = 0; i < 3; i++)
        {
            var restart = await daemon.ListenctlAsync("restart", "w", "--wait");
            Assert.True(restart.ExitCode == 0, restart.Error);
        }

        // The orphans of the workers exit later, and only the daemon can reap them.
        using var limit = new CancellationTokenSource(Patience.Limit);
        while (Children(init).Any(IsZombie))
        {
            limit.Token.ThrowIfCancellationRequested();
            Assert.Equal("running", (await daemon.StatusAsync("w")).State);
        }

        RunningProgram.Kill(init, Signals.Terminate);
        Assert.Equal(0, await daemon.WaitAsync());
        await daemon.AssertNothingIsLeftAsync();
    }

    [Fact]
    public Task Daemon_runs_where_proc_hides_other_users() => DaemonUnderTest.WithAsync(
        Config.Replace("command = [", "ready = \"started\"\ncommand = [", StringComparison.Ordinal),
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w", 2);
            var before = await daemon.ReadyAsync("w");
            RunningProgram.Kill(before[0], Signals.Kill);
            await daemon.WaitUntilReadyAsync("w", 3);
            var restart = await daemon.ListenctlAsync("restart", "w", "--wait");
            Assert.True(restart.ExitCode == 0, restart.Error);
            var worker = (await daemon.StatusAsync("w")).Workers[0].Pid!.Value;
            Assert.Contains("Uid:\t65534", await File.ReadAllTextAsync($"/proc/{worker}/status"), StringComparison.Ordinal);
        },
        new DaemonOptions
        {
            Wrapper =
            [
                Needs.Program("unshare", "util-linux"), "--mount", "/bin/sh", "-c",
                "mount -t proc -o hidepid=invisible proc /proc && exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$0\" \"$@\"",
            ],
        },
        directory => File.SetUnixFileMode(directory.Path, (UnixFileMode)0b1_111_111_111));

    [Theory]
    [InlineData(512)]
    [InlineData(5000)]
    public Task Descriptor_table_is_large_before_threads_start(int limit) => DaemonUnderTest.WithAsync(
        "[listener.web]\naddress = \"tcp://127.0.0.1:0\"",
        async daemon =>
        {
            const string size = "FDSize:";
            var lines = await File.ReadAllLinesAsync($"/proc/{daemon.Pid}/status");
            var line = lines.Single(line => line.StartsWith(size, StringComparison.Ordinal));
            var least = Math.Min(limit, 4096);
            Assert.InRange(int.Parse(line.AsSpan(size.Length).Trim(), CultureInfo.InvariantCulture), least, 2 * least);
        },
        new DaemonOptions { Wrapper = [Needs.Program("prlimit", "util-linux"), $"--nofile={limit}"] });

    [Fact]
    public async Task Workers_continue_on_a_full_disk()
    {
        using var directory = new TemporaryDirectory();
        var disk = directory["disk"];
        Directory.CreateDirectory(disk);
        var mounted = await RunningProgram.RunAsync("mount", ["-t", "tmpfs", "-o", "size=64k", "listend-test", disk]);
        Assert.True(mounted.ExitCode == 0, mounted.Error);
        try
        {
            await using var daemon = DaemonUnderTest.Start(
                directory,
                Config.Replace("workers = 2", $"workers = 2\nlog = \"file:{disk}/w.log\"", StringComparison.Ordinal)
                    .Replace("systemd-notify", "echo spoken; systemd-notify", StringComparison.Ordinal),
                new DaemonOptions(),
                "disk/run");
            await daemon.WaitUntilUpAsync();
            await daemon.WaitUntilReadyAsync("w", 2);
            await Assert.ThrowsAsync<IOException>(() => File.WriteAllBytesAsync(Path.Combine(disk, "filler"), new byte[128 * 1024]));

            var workers = await daemon.ReadyAsync("w");
            RunningProgram.Kill(workers[0], Signals.Kill);
            await daemon.WaitUntilReadyAsync("w", 3);
            var restart = await daemon.ListenctlAsync("restart", "w", "--wait");
            Assert.True(restart.ExitCode == 0, restart.Error);
            Assert.Equal((2, "running"), ((await daemon.ReadyAsync("w")).Count, (await daemon.StatusAsync("w")).State));
            daemon.Signal(Signals.Terminate);
            Assert.Equal(0, await daemon.WaitAsync());
        }
        finally
        {
            await RunningProgram.RunAsync("umount", ["--lazy", disk]);
        }
    }

    private static IReadOnlyList<int> Children(int pid) =>
        [.. File.ReadAllText($"/proc/{pid}/task/{pid}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(child => int.Parse(child, CultureInfo.InvariantCulture))];

    private static bool IsZombie(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] == 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }
}
