using Supervisor.Control;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd;

/// <summary>A successor that starts while the daemon runs.</summary>
public sealed class TakeoverTests(ITestOutputHelper output) : SuccessionScenario(output)
{
    [Fact]
    public Task Successor_takes_over_from_a_running_daemon() => UnderLoadAsync(async (daemon, before) =>
    {
        for (var i = 0; i < 3; i++)
        {
            var former = daemon.Pid;
            daemon = await SucceedAsync(daemon);
            var status = await daemon.AskAsync(ControlJson.Default.StatusDocument, "status");
            Assert.Equal(daemon.Pid, status.Daemon.Pid);
            Assert.Equal(before.Workers, status.Services[0].Workers.Select(worker => worker.Pid!.Value));
            var web = await daemon.ListenerAsync("web");
            Assert.Equal((before.Inode, "recovered"), (web.Inode!.Value, web.Origin));
            Assert.Equal(before.Lone, (await daemon.ListenerAsync("lone")).Inode);
            Assert.Contains(
                await daemon.HistoryAsync("web"),
                entry => entry is { Phase: "adopt", Call: "recvmsg", Note: { } note }
                    && note.Contains($"{daemon.Pid}", StringComparison.Ordinal)
                    && note.Contains($"{former}", StringComparison.Ordinal));
        }

        // The successor supervises the workers: it notices their exits, and a restart replaces them.
        RunningProgram.Kill(before.Workers[1], Signals.Terminate);
        await daemon.Log.WaitForAsync(0, MessageIds.WorkerDied, "web", pid: before.Workers[1], slot: 1);
        var restart = await daemon.ListenctlAsync("restart", "web", "--wait");
        Assert.True(restart.ExitCode == 0, restart.Error);
        return daemon;
    });

    [Fact]
    public Task Rollout_continues_after_a_takeover() => UnderLoadAsync(
        async (daemon, _) =>
        {
            await daemon.AskAsync("POST /v1/services/web/restart");
            await daemon.Log.WaitForAsync(0, MessageIds.WorkerReady, "web", generation: 2);
            daemon = await SucceedAsync(daemon);
            Assert.Equal("rolling", (await daemon.StatusAsync("web")).State);
            await daemon.AskAsync("POST /v1/services/web/promote");
            await daemon.Log.WaitForAsync(0, MessageIds.RolloutDone, "web", generation: 2);
            Assert.All((await daemon.StatusAsync("web")).Workers, worker => Assert.Equal(2, worker.Generation));
            return daemon;
        },
        "rollout = { canary = 1, canary_hold = \"0s\" }\n");

    [Fact]
    public Task One_of_several_successors_takes_over() => UnderLoadAsync(async (daemon, before) =>
    {
        DaemonUnderTest[] all = [daemon, daemon.Again(), daemon.Again(), daemon.Again()];
        while (all.Count(one => !one.HasEnded) > 1)
        {
            await Task.WhenAny(all.Where(one => !one.HasEnded).Select(one => one.WaitAsync()));
        }

        var last = all.Single(one => !one.HasEnded);
        Assert.NotSame(daemon, last);
        await last.WaitUntilUpAsync();
        Assert.Equal(last.Pid, (await last.AskAsync(ControlJson.Default.StatusDocument, "status")).Daemon.Pid);
        Assert.Equal(before.Workers, (await last.StatusAsync("web")).Workers.Select(worker => worker.Pid!.Value));

        // Each of the others has handed over to a successor, or was rejected with the pid of the running daemon.
        foreach (var one in all.Where(one => one != last))
        {
            Assert.Contains(one.Log.Messages, message => message.Kind is MessageIds.TakeoverDone or MessageIds.DaemonRefused);
        }

        return last;
    });

    [Fact]
    public Task Daemon_continues_when_the_successor_does_not_commit() => UnderLoadAsync(async (daemon, before) =>
    {
        for (var i = 1; i <= 3; i++)
        {
            var mark = daemon.Log.Count;
            using (var link = await BrokerAsync(daemon))
            {
                await link.SendAsync("{\"method\":\"succeed\"}"u8.ToArray());
                Assert.True(await link.ReceiveAsync(new byte[64 * 1024]) > 0);
            }

            await daemon.Log.WaitForAsync(mark, MessageIds.TakeoverFailed);
        }

        Assert.Equal(before.Workers, (await daemon.StatusAsync("web")).Workers.Select(worker => worker.Pid!.Value));
        return await SucceedAsync(daemon);
    });

    [Fact]
    public async Task Another_configuration_needs_take_over()
    {
        using var directory = new TemporaryDirectory();
        await using var daemon = DaemonUnderTest.Start(directory, Config, new DaemonOptions());
        await daemon.WaitUntilUpAsync();
        await daemon.WaitUntilReadyAsync("web", 2);
        var other = directory.Write(
            "other.toml",
            File.ReadAllText(directory["run.toml"]).Replace("workers = 2", "workers = 1", StringComparison.Ordinal));
        var refused = await RunningProgram.RunAsync(Published.Listend, ["run", "--config", other]);
        Assert.Equal(1, refused.ExitCode);
        Assert.All(
            (string[])[$"pid {daemon.Pid}", daemon.Runtime, directory["run.toml"], "--take-over"],
            fact => Assert.Contains(fact, refused.Error, StringComparison.Ordinal));
        Assert.False(daemon.HasEnded);

        await using var next = daemon.Again("--config", other, "--take-over");
        Assert.Equal(0, await daemon.WaitAsync());
        await next.Log.WaitForAsync(0, MessageIds.ReloadAction, "web", facts: ["workers", "from 2 to 1"]);
        Assert.Equal((1, 1), ((await next.StatusAsync("web")).Desired, (await next.StatusAsync("web")).Ready));
        await next.LeaveAsync();
    }

    [Fact]
    public async Task A_managed_daemon_rejects_a_takeover()
    {
        using var directory = new TemporaryDirectory();
        var options = new DaemonOptions { Environment = new Dictionary<string, string?> { ["NOTIFY_SOCKET"] = directory["nobody.sock"] } };
        await using var daemon = DaemonUnderTest.Start(directory, Config, options);
        await daemon.WaitUntilUpAsync();
        await using var next = daemon.Again();
        Assert.Equal(1, await next.WaitAsync());
        await next.Log.WaitForAsync(0, MessageIds.DaemonRefused, facts: [$"pid {daemon.Pid}", "listenctl upgrade"]);
        await daemon.WaitUntilReadyAsync("web", 2);
        await daemon.LeaveAsync();
    }

    [Fact]
    public async Task Recovery_applies_a_changed_configuration()
    {
        using var directory = new TemporaryDirectory();
        var first = DaemonUnderTest.Start(directory, Config, new DaemonOptions());
        var daemon = first;
        try
        {
            await daemon.WaitUntilUpAsync();
            await daemon.WaitUntilReadyAsync("web", 2);
            var workers = await daemon.ReadyAsync("web");
            var file = directory["run.toml"];
            var before = File.ReadAllText(file);

            // With errors: the previous configuration stays in force.
            daemon = await DieAsync(daemon, before.Replace("workers = 2", "workers = 3\nworkres = 4", StringComparison.Ordinal));
            await daemon.Log.WaitForAsync(0, MessageIds.ReloadError, facts: ["workres", "workers"]);
            await daemon.Log.WaitForAsync(0, MessageIds.ReloadRefused);
            Assert.Equal(workers, await daemon.ReadyAsync("web"));

            // Without errors: a difference that does not affect workers, and one that needs new workers.
            daemon = await DieAsync(daemon, before.Replace("workers = 2", "workers = 3", StringComparison.Ordinal));
            await daemon.Log.WaitForAsync(0, MessageIds.ReloadAction, "web", facts: ["workers", "from 2 to 3"]);
            await daemon.WaitUntilReadyAsync("web");
            Assert.Equal(
                workers,
                (await daemon.StatusAsync("web")).Workers.Where(worker => worker.Slot < 2).Select(worker => worker.Pid!.Value));
            daemon = await DieAsync(
                daemon,
                before.Replace("workers = 2", "workers = 3\nenvironment = { MODE = \"b\" }", StringComparison.Ordinal));
            await daemon.Log.WaitForAsync(0, MessageIds.RolloutDone, "web", generation: 2);
            Assert.Equal((2, 3), ((await daemon.StatusAsync("web")).Generation, (await daemon.StatusAsync("web")).Ready));

            // The same configuration again changes nothing.
            daemon = await DieAsync(daemon, null);
            Assert.DoesNotContain(
                daemon.Log.Messages,
                message => message.Kind is MessageIds.ConfigChanged or MessageIds.ReloadApplied or MessageIds.ReloadRefused);
            await daemon.LeaveAsync();
        }
        finally
        {
            await daemon.DisposeAsync();
        }

        async Task<DaemonUnderTest> DieAsync(DaemonUnderTest daemon, string? config)
        {
            daemon.Signal(Signals.Kill);
            await daemon.WaitAsync();
            if (config is not null)
            {
                directory.Write("run.toml", config);
            }

            var next = daemon.Again();
            await next.WaitUntilUpAsync();
            return next;
        }
    }
}
