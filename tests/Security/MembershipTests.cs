using Xunit;
using Xunit.Abstractions;

namespace Supervisor.Security;

/// <summary>Finding 4: a process of one service that says of itself that it is another's.</summary>
public sealed class MembershipTests(ITestOutputHelper output)
{
    private const string Services =
        """
        [listener.of-a]
        address = "tcp://127.0.0.1:0"

        [listener.of-b]
        address = "tcp://127.0.0.1:0"

        [service.a]
        command = ["@possessed@", "@orders@"]
        listeners = ["of-a"]
        user = "games"

        [service.b]
        command = ["@possessed@", "@orders@"]
        listeners = ["of-b"]
        user = "news"
        """;

    [Fact]
    public Task A_process_cannot_join_by_the_path_of_a_notify_socket() =>
        RunAsync(static b => [$"NOTIFY_SOCKET={Battlefield.Variable(b, "NOTIFY_SOCKET")}"]);

    [Fact]
    public Task A_process_cannot_join_by_guessed_variables()
    {
        string[] prefixes = ["NOTIFY_", "LISTEND_", "LISTEN_"];
        return RunAsync(b => [.. Battlefield.Environment(b)
            .Where(variable => prefixes.Any(prefix => variable.StartsWith(prefix, StringComparison.Ordinal)))]);
    }

    /// <summary>More than it can know: another user's environment cannot be read.</summary>
    [Fact]
    public Task A_process_cannot_join_by_a_copy_of_the_environment() => RunAsync(static b => Battlefield.Environment(b));

    [Fact]
    public Task A_worker_cannot_name_a_foreign_main_process() => Battlefield.WithAsync(Services, output, async (daemon, attack) =>
    {
        var b = (await daemon.ReadyWorkersAsync("b", 1))[0];
        var a = (await daemon.ReadyWorkersAsync("a", 1))[0];
        var socket = Battlefield.Variable(b, "NOTIFY_SOCKET");
        await attack.AssertFailsInWorkerAsync(
            "games", daemon.Directory["orders/a.0"], "foreign-main", daemon.Broker(), "of-b", $"{b}", socket);
        Assert.Equal(a, (await daemon.ReadyWorkersAsync("a", 1))[0]);
        Assert.Equal(b, (await daemon.ReadyWorkersAsync("b", 1))[0]);
        Assert.Null((await daemon.StatusAsync("b")).Workers[0].StatusText);
    });

    private Task RunAsync(Func<int, IReadOnlyList<string>> environment) => Battlefield.WithAsync(Services, output, async (daemon, attack) =>
    {
        await daemon.ReadyWorkersAsync("a", 1);
        var b = (await daemon.ReadyWorkersAsync("b", 1))[0];
        string[] arguments = [daemon.Broker(), "of-b", .. environment(b)];
        await attack.AssertFailsInWorkerAsync("games", daemon.Directory["orders/a.0"], "forged-membership", arguments);

        // From outside of every service, as its user and as another one.
        await attack.AssertFailsAsync("games", "forged-membership", arguments);
        await attack.AssertFailsAsync("4711", "forged-membership", arguments);
    });
}
