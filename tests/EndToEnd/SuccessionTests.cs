using Supervisor.Control;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd;

/// <summary>
/// Successions of the daemon, by an upgrade in its own process or by another process after its death. Clients do not notice:
/// no request is refused, reset or unanswered, workers keep their pids and listeners their inodes.
/// </summary>
public sealed class SuccessionTests(ITestOutputHelper output) : SuccessionScenario(output)
{
    [Fact]
    public Task Fifty_upgrades_lose_no_request() => UnderLoadAsync(async (daemon, before) =>
    {
        const int upgrades = 50;
        for (var i = 1; i <= upgrades; i++)
        {
            var upgraded = await daemon.ListenctlAsync("upgrade", "--json");
            Assert.True(upgraded.ExitCode == 0, upgraded.Error);
            var now = await daemon.AskAsync(ControlJson.Default.StatusDocument, "status");
            Assert.Equal(daemon.Pid, now.Daemon.Pid);
            Assert.Equal(i, now.Daemon.Upgrades);
            Assert.Equal(before.Workers, now.Services[0].Workers.Select(worker => worker.Pid!.Value));
        }

        var web = await daemon.ListenerAsync("web");
        Assert.Equal(before.Inode, web.Inode);
        Assert.Equal("inherited-upgrade", web.Origin);
        Assert.Equal(upgrades, (await daemon.HistoryAsync("web")).Count(entry => entry is { Phase: "adopt", Call: "execve" }));
        return daemon;
    });

    [Fact]
    public Task Rollout_continues_through_upgrades() => UnderLoadAsync(async (daemon, before) =>
    {
        var mark = daemon.Log.Count;
        for (var i = 0; i < 3; i++)
        {
            // As many requests as fit into the roll-out.
            await daemon.AskAsync("POST /v1/services/web/restart");
            var served = daemon.Log.WaitForAsync(mark, MessageIds.RolloutDone, "web", generation: i + 2);
            do
            {
                var upgraded = await daemon.ListenctlAsync("upgrade");
                Assert.True(upgraded.ExitCode == 0, upgraded.Error);
            }
            while (!served.IsCompleted);
            await served;
        }

        Assert.All((await daemon.StatusAsync("web")).Workers, worker => Assert.Equal(4, worker.Generation));
        return daemon;
    });

    [Fact]
    public Task Killed_daemon_is_recovered() => UnderLoadAsync(async (daemon, before) =>
    {
        for (var i = 0; i < 3; i++)
        {
            daemon.Signal(Signals.Kill);
            await daemon.WaitAsync();
            daemon = daemon.Again();
            await daemon.WaitUntilUpAsync();
            var web = await daemon.ListenerAsync("web");
            Assert.Equal(before.Inode, web.Inode);
            Assert.Equal("recovered", web.Origin);
            Assert.Equal(before.Lone, (await daemon.ListenerAsync("lone")).Inode);
            Assert.Equal(before.Workers, (await daemon.StatusAsync("web")).Workers.Select(worker => worker.Pid!.Value));
        }

        // The successor supervises the workers: a restart replaces them, and it notices their exits.
        var restart = await daemon.ListenctlAsync("restart", "web", "--wait");
        Assert.True(restart.ExitCode == 0, restart.Error);
        return daemon;
    });

    [Fact]
    public Task Rollout_continues_after_recovery() => UnderLoadAsync(async (daemon, _) =>
    {
        await daemon.AskAsync("POST /v1/services/web/restart");
        daemon.Signal(Signals.Kill);
        await daemon.WaitAsync();
        daemon = daemon.Again();
        await daemon.Log.WaitForAsync(0, MessageIds.RolloutDone, "web", generation: 2);
        var service = await daemon.StatusAsync("web");
        Assert.Equal("running", service.State);
        Assert.Equal(2, service.Ready);
        Assert.All(service.Workers, worker => Assert.Equal(2, worker.Generation));
        return daemon;
    });

    [Theory]
    [InlineData("#!/bin/sh\nexit 3\n", true, "status 3")]
    [InlineData("#!/bin/sh\nkill -SEGV $$\n", true, "SIGSEGV")]
    [InlineData("#!/bin/sh\nexit 0\n", true, "listend-copy")]
    [InlineData("no program", true, "ENOEXEC")]
    [InlineData("#!/bin/sh\nexit 0\n", false, "chmod 755")]
    [InlineData(null, false, "ENOENT")]
    public async Task Upgrade_rejects_an_unfit_executable(string? content, bool executable, string reason)
    {
        using var directory = new TemporaryDirectory();
        var program = directory["listend-copy"];
        File.Copy(Published.Listend, program);
        await using var daemon = DaemonUnderTest.Start(directory, Config, new DaemonOptions { Program = program });
        await daemon.WaitUntilUpAsync();
        await daemon.WaitUntilReadyAsync("web", 2);
        var workers = await daemon.ReadyAsync("web");
        File.Delete(program);
        if (content is not null)
        {
            directory.Write("listend-copy", content);
            File.SetUnixFileMode(program, executable ? UnixFileMode.UserRead | UnixFileMode.UserExecute : UnixFileMode.UserRead);
        }

        var refused = await daemon.ListenctlAsync("upgrade");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains(reason, refused.Error, StringComparison.Ordinal);
        Assert.Equal(workers, await daemon.ReadyAsync("web"));

        // A good executable afterwards is accepted.
        File.Delete(program);
        File.Copy(Published.Listend, program);
        Assert.Equal(0, (await daemon.ListenctlAsync("upgrade")).ExitCode);
        Assert.Equal(workers, await daemon.ReadyAsync("web"));
        await daemon.LeaveAsync();
    }

    [Fact]
    public async Task Recovery_stops_workers_missing_from_the_state()
    {
        using var directory = new TemporaryDirectory();
        await using var daemon = DaemonUnderTest.Start(directory, Config, new DaemonOptions());
        await daemon.WaitUntilUpAsync();
        await daemon.WaitUntilReadyAsync("web", 2);
        daemon.Signal(Signals.Kill);
        await daemon.WaitAsync();

        // As if the daemon had died before its first save: the successor knows no worker.
        var state = Path.Combine(daemon.Runtime, "state.json");
        var document = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(state))!;
        document["services"]![0]!["workers"] = new System.Text.Json.Nodes.JsonArray();
        File.WriteAllText(state, document.ToJsonString());
        await using var next = daemon.Again();
        await next.WaitUntilUpAsync();
        await next.Log.WaitForAsync(0, MessageIds.OrphanStopped);
        await next.WaitUntilReadyAsync("web", 2);
        Assert.Equal(2, (await next.StatusAsync("web")).Ready);
        await next.LeaveAsync();
    }
}
