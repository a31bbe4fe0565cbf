using Xunit;
using Xunit.Abstractions;

namespace Supervisor.Security;

/// <summary>Finding 8: requests that cost the daemon more than they cost who sends them.</summary>
public sealed class FloodTests(ITestOutputHelper output)
{
    private static readonly string Services = string.Concat(Enumerable.Range(0, 20).Select(number =>
        $"""
        [listener.l{number}]
        address = "tcp://127.0.0.1:0"

        [service.s{number}]
        command = ["@possessed@", "@orders@"]
        listeners = ["l{number}"]
        workers = 4
        user = "games"

        
        """));

    [Fact]
    public Task The_daemon_answers_a_process_with_60_ancestors_in_time() => Battlefield.WithAsync(
        Services,
        output,
        async (daemon, attack) =>
        {
            await daemon.ReadyWorkersAsync("s19", 4);
            await attack.AssertFailsAsync("4711", "ancestors", daemon.Broker(), "l3", "3");
        });

    [Fact]
    public Task The_daemon_answers_a_worker_with_60_ancestors_in_time() => Battlefield.WithAsync(
        Services,
        output,
        async (daemon, attack) =>
        {
            await daemon.ReadyWorkersAsync("s19", 4);
            await attack.AssertFailsInWorkerAsync("games", daemon.Directory["orders/s19.3"], "ancestors", daemon.Broker(), "l3", "3");
        });
}
