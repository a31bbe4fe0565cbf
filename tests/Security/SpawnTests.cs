using Supervisor.EndToEnd;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.Security;

/// <summary>
/// Findings 1 and 2: what a worker's user can do between the fork of a worker and the moment that it executes its program.
/// </summary>
public sealed class SpawnTests(ITestOutputHelper output)
{
    private const string Workers =
        """
        [service.web]
        command = ["@possessed@", "@orders@"]
        listeners = []
        workers = 8
        user = "games"
        restart = { backoff = "20ms", backoff_max = "20ms", limit = 0 }
        start_timeout = "30s"
        stop_timeout = "1s"
        """;

    [Fact]
    public Task A_worker_cannot_read_the_daemons_memory() => Battlefield.WithAsync(Workers, output, async (daemon, attack) =>
    {
        await daemon.ReadyWorkersAsync("web", 8);
        await attack.AssertFailsAsync(
            "games", "memory-of-the-daemon", daemon.PidText(), Published.Listend, daemon.Directory["orders/crash"], "5");
        await daemon.ReadyWorkersAsync("web", 8);
    });

    [Fact]
    public Task A_stopped_successor_blocks_no_other_worker() => Battlefield.WithAsync(Workers, output, async (daemon, attack) =>
    {
        await daemon.ReadyWorkersAsync("web", 8);
        await attack.AssertFailsAsync("games", "stopped-child", daemon.PidText(), daemon.Broker(), "4");
        await daemon.ReadyWorkersAsync("web", 8);
    });

    /// <summary>Every way on which something is started as another user: one worker, many, hooks, probes, a re-executed daemon.</summary>
    [Fact]
    public Task No_process_of_another_user_shares_memory_with_the_daemon() => Battlefield.WithAsync(
        Workers + """

            hooks = { pre_start = ["/bin/true"], post_ready = ["/bin/true"], post_stop = ["/bin/true"] }
            """,
        output,
        async (daemon, attack) =>
        {
            await daemon.ReadyWorkersAsync("web", 8);
            await using var watch = RunningProgram.Start(Attack.Program("spawn-watch"), [daemon.PidText()]);
            await watch.Output.WaitAsync(0, "watching");
            Assert.Equal(0, (await daemon.ListenctlAsync("restart", "web", "--wait")).ExitCode);
            foreach (var worker in await daemon.ReadyWorkersAsync("web", 8))
            {
                RunningProgram.Kill(worker, Signals.Kill);
                await Processes.EndedAsync(worker);
            }

            await daemon.ReadyWorkersAsync("web", 8);
            Assert.Equal(0, (await daemon.ListenctlAsync("stop", "web", "--wait")).ExitCode);
            Assert.Equal(0, (await daemon.ListenctlAsync("start", "web", "--wait")).ExitCode);
            watch.Signal(Signals.Terminate);
            await attack.AssertFailsAsync(watch, "spawn-watch");
        });

    /// <summary>What a worker is started with lies in a file system of its user that answers nothing.</summary>
    [Theory]
    [InlineData("command = [\"@possessed@\", \"@orders@\"]\nworking_directory = \"@dir@/theirs/folder\"")]
    [InlineData("command = [\"@dir@/theirs/program\"]")]
    [InlineData("command = [\"program\"]\nenvironment = { PATH = \"@dir@/theirs\" }")]
    public async Task A_hanging_file_system_blocks_no_other_worker(string settings)
    {
        RunningProgram? files = null;
        try
        {
            await Battlefield.WithAsync(
                $$"""
                [service.hangs]
                {{settings}}
                listeners = []
                user = "games"
                start_timeout = "1s"
                stop_timeout = "1s"

                [service.fine]
                command = ["@possessed@", "@orders@"]
                listeners = []
                user = "news"
                """,
                output,
                async (daemon, attack) =>
                {
                    await daemon.ReadyWorkersAsync("fine", 1);
                    await daemon.ListenctlAsync("restart", "hangs", "--wait", "--timeout", "2s");
                    Assert.Equal(0, (await daemon.ListenctlAsync("restart", "fine", "--wait", "--timeout", "20s")).ExitCode);
                    await daemon.ListenctlAsync("stop", "hangs", "--wait", "--timeout", "2s");
                    files!.Signal(Signals.Terminate);
                    await attack.AssertFailsAsync(files, "hanging-files");
                },
                prepare: attack =>
                {
                    var folder = attack.FolderOf("games", "theirs");
                    files = attack.Start("0", "hanging-files", folder, "5");
                    files.Output.WaitAsync(0, "mounted").GetAwaiter().GetResult();
                });
        }
        finally
        {
            // Its end by a signal that it handles: the mount goes with it, and who waits in it goes on.
            if (files is not null)
            {
                files.Signal(Signals.Terminate);
                await files.WaitAsync();
                await files.DisposeAsync();
            }
        }
    }
}
