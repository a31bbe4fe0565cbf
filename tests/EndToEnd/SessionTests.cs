using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd;

/// <summary>
/// Clients that number their datagrams, through restarts, an upgrade, a take-over and the death of the daemon: each answer comes from
/// the worker that began the flow, once and in order. With LISTEND_TEST_SECONDS there are 20 restarts and 1,000 flows.
/// </summary>
public sealed class SessionTests(ITestOutputHelper output)
{
    private const int Workers = 4;

    private static bool IsLong { get; } = Environment.GetEnvironmentVariable("LISTEND_TEST_SECONDS") is { Length: > 0 };

    private static int Flows { get; } = IsLong ? 1000 : 200;

    private static int Restarts { get; } = IsLong ? 20 : 3;

    [Fact]
    public Task No_datagram_is_lost_or_misrouted_by_restarts() => WithAsync(async (daemon, load) =>
    {
        for (var restart = 1; restart <= Restarts; restart++)
        {
            await RestartAsync(daemon, load, restart + 1);
        }
    });

    [Fact]
    public Task Neither_an_upgrade_nor_a_takeover_nor_the_death_of_the_daemon_moves_a_flow() => WithAsync(async (daemon, load) =>
    {
        await RestartAsync(daemon, load, 2);
        Assert.Equal(0, (await daemon.ListenctlAsync("upgrade")).ExitCode);
        await load.RoundsAsync(2);

        await BeginSwitchAsync(daemon);
        await using var second = daemon.Again();
        Assert.Equal(0, await daemon.WaitAsync());
        await EndSwitchAsync(second, load, 3);
        await RestartAsync(second, load, 4);

        await BeginSwitchAsync(second);
        second.Signal(Signals.Kill);
        await second.WaitAsync();
        await load.RoundsAsync(2);
        await using var third = second.Again();
        await EndSwitchAsync(third, load, 5);
        await AssertNothingIsLostAsync(load);
        await third.LeaveAsync();
    });

    /// <summary>Returns in the middle of a switch: some of the new workers serve.</summary>
    private static async Task BeginSwitchAsync(DaemonUnderTest daemon)
    {
        var mark = daemon.Log.Count;
        Assert.Equal(0, (await daemon.ListenctlAsync("restart", "w")).ExitCode);
        await daemon.WaitUntilReadyAsync("w", 1, mark);
    }

    private static async Task EndSwitchAsync(DaemonUnderTest successor, FlowLoad load, int generation)
    {
        await successor.WaitUntilUpAsync();
        await successor.UntilAsync(async () => await successor.StatusAsync("w") is
        { Ready: Workers, Rollout.State: "done" or "draining" } now && now.Generation == generation);
        await NewFlowsAsync(load, generation);
    }

    private static async Task RestartAsync(DaemonUnderTest daemon, FlowLoad load, int generation)
    {
        await load.RoundsAsync(2);
        Assert.Equal(0, (await daemon.ListenctlAsync("restart", "w")).ExitCode);
        await daemon.UntilAsync(async () =>
            (await daemon.ListenerAsync("udp")).Steering is { Shares: var shares }
            && shares.Any(share => share.Generation == generation && share.Percent == 100));
        await NewFlowsAsync(load, generation);
    }

    private static async Task NewFlowsAsync(FlowLoad load, int generation)
    {
        var begun = await load.ReplaceAsync(Flows / 4);
        Assert.All(begun, flow => Assert.Equal(generation, flow));
    }

    private Task WithAsync(Func<DaemonUnderTest, FlowLoad, Task> test, DaemonOptions? options = null) => DaemonUnderTest.WithAsync(
        $$"""
        [listener.udp]
        address = "udp://127.0.0.1:0"
        affinity = { by = "flow", idle = "300s" }
        buffers = { receive = "8MiB", force = true }

        [service.w]
        command = {{SteeredWorker.Command("udp")}}
        listeners = ["udp"]
        workers = {{Workers}}
        stop_timeout = "300s"
        rollout = { settle = "0s", max_generations = 100 }
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w", Workers);
            await using var load = new FlowLoad(await daemon.EndPointAsync("udp"), Flows);
            await load.RoundsAsync(3);
            await test(daemon, load);
            await AssertNothingIsLostAsync(load);
        },
        options);

    private async Task AssertNothingIsLostAsync(FlowLoad load)
    {
        var (sent, received, misrouted, disordered) = await load.EndAsync();
        output.WriteLine($"{sent} sent, {received} received, {misrouted} by another worker, {disordered} twice or out of order");
        Assert.Equal((sent, 0L, 0L), (received, misrouted, disordered));
    }
}
