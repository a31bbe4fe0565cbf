using System.Net;
using Supervisor.Control;

namespace Supervisor.Diagnosis.Tests.Scenarios;

/// <summary>EADDRINUSE of TCP and UDP addresses, each row made for real and explained to root and to an ordinary user.</summary>
public sealed class AddressInUseTests
{
    private const int Port = 8080;

    public static TheoryData<string, string, bool, string, string> Rows => new()
    {
        { "127.0.0.1", "tcp://127.0.0.1:8080", false, "same-address", "tcp://127.0.0.1:8080" },
        { "0.0.0.0", "tcp://0.0.0.0:8080", false, "same-address", "tcp://0.0.0.0:8080" },
        { "::1", "tcp://[::1]:8080", false, "same-address", "tcp://[::1]:8080" },
        { "::", "tcp://[::]:8080", false, "same-address", "tcp://[::]:8080" },
        { "::", "tcp://*:8080", false, "same-address", "tcp://[::]:8080" },
        { "127.0.0.1", "mptcp://127.0.0.1:8080", false, "same-address", "tcp://127.0.0.1:8080" },
        { "::ffff:127.0.0.1", "tcp://127.0.0.1:8080", false, "same-address", "tcp://[::ffff:127.0.0.1]:8080" },
        { "0.0.0.0", "tcp://127.0.0.1:8080", false, "covered-by-wildcard", "tcp://0.0.0.0:8080" },
        { "::", "tcp://[::1]:8080", false, "covered-by-wildcard", "tcp://[::]:8080" },
        { "::", "tcp://[::1]:8080", true, "covered-by-wildcard", "tcp://[::]:8080" },
        { "127.0.0.1", "tcp://0.0.0.0:8080", false, "wildcard-covers-existing", "tcp://127.0.0.1:8080" },
        { "::1", "tcp://[::]:8080", false, "wildcard-covers-existing", "tcp://[::1]:8080" },
        { "::", "tcp://0.0.0.0:8080", false, "dual-stack-overlap", "tcp://[::]:8080" },
        { "::", "tcp://127.0.0.1:8080", false, "dual-stack-overlap", "tcp://[::]:8080" },
        { "0.0.0.0", "tcp://[::]:8080", false, "dual-stack-overlap", "tcp://0.0.0.0:8080" },
        { "127.0.0.1", "tcp://[::]:8080", false, "dual-stack-overlap", "tcp://127.0.0.1:8080" },
        { "127.0.0.1", "tcp://*:8080", false, "dual-stack-overlap", "tcp://127.0.0.1:8080" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_conflicting_listener_is_named_as_the_owner(
        string holder,
        string asked,
        bool v6Only,
        string cause,
        string held) => Stage.Run(stage =>
    {
        stage.Listener(holder, Port, v6Only: v6Only);
        var owner = Assert.Single(Explained.AsRoot(asked).Refused("EADDRINUSE", cause, retry: false).Owners);
        Assert.Equal((Environment.ProcessId, 0L, held, "listen"), (owner.Pid, owner.Uid, owner.Address, owner.State));
        Assert.NotEmpty(owner.Command!);
        Assert.NotEqual(0UL, owner.Inode);

        // An ordinary user sees the socket and whose it is, and is told that the process cannot be seen.
        var document = Explained.AsNobody(asked).Refused("EADDRINUSE", cause, retry: false);
        owner = Assert.Single(document.Owners);
        Assert.Equal((null, null, 0L, held, "listen"), (owner.Pid, owner.Command, owner.Uid, owner.Address, owner.State));
        Assert.Contains("uid 65534", document.Advice, StringComparison.Ordinal);
        Assert.Contains("SO_REUSEPORT", document.Advice, StringComparison.Ordinal);
    });

    [Theory]
    [InlineData("::", true, "tcp://0.0.0.0:8080")]
    [InlineData("127.0.0.2", false, "tcp://127.0.0.1:8080")]
    [InlineData("::1", false, "tcp://0.0.0.0:8080")]
    [InlineData("0.0.0.0", false, "tcp://[::1]:8080")]
    [InlineData("0.0.0.0", false, "udp://0.0.0.0:8080")]
    [InlineData("0.0.0.0", false, "tcp://0.0.0.0:0")]
    public void A_listener_on_another_address_does_not_conflict(string holder, bool v6Only, string asked) => Stage.Run(stage =>
    {
        stage.Listener(holder, Port, v6Only: v6Only);
        Explained.AsRoot(asked).Granted();
        Explained.AsNobody(asked).Granted();
    });

    [Fact]
    public void Ipv6_only_does_not_conflict_with_IPv4() => Stage.Run(stage =>
    {
        stage.Listener("0.0.0.0", Port);
        Explained.AsRoot("tcp://[::]:8080", "--ipv6-only").Granted();
    });

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Reuse_port_on_only_one_side_is_explained(bool held, bool asked) => Stage.Run(stage =>
    {
        stage.Listener("127.0.0.1", Port, reusePort: held);
        string[] args = asked ? ["tcp://0.0.0.0:8080", "--reuse-port"] : ["tcp://0.0.0.0:8080"];
        var owner = Assert.Single(Explained.AsRoot(args).Refused("EADDRINUSE", "reuse-port-mismatch", retry: false).Owners);
        Assert.Equal(Environment.ProcessId, owner.Pid);
    });

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_probe_finds_reuse_port_of_a_hidden_process(bool held, bool asked) => Stage.Run(stage =>
    {
        stage.Listener("127.0.0.1", Port, reusePort: held, uid: Explained.Nobody);
        string[] args = asked ? ["tcp://127.0.0.1:8080", "--reuse-port"] : ["tcp://127.0.0.1:8080"];
        var owner = Assert.Single(Explained.AsNobody(args).Refused("EADDRINUSE", "reuse-port-mismatch", retry: false).Owners);
        Assert.Equal((null, (long)Explained.Nobody), (owner.Pid, owner.Uid));
    });

    [Fact]
    public void Reuse_port_of_another_user_is_explained() => Stage.Run(stage =>
    {
        stage.Listener("127.0.0.1", Port, reusePort: true, uid: Explained.Nobody);
        var owner = Assert.Single(
            Explained.AsRoot("tcp://127.0.0.1:8080", "--reuse-port").Refused("EADDRINUSE", "reuse-port-other-user", retry: false).Owners);
        Assert.Equal(Environment.ProcessId, owner.Pid);

        // The same user shares it.
        Explained.AsNobody("tcp://127.0.0.1:8080", "--reuse-port").Granted();
    });

    [Fact]
    public void Reuse_port_of_root_is_explained_to_an_ordinary_user() => Stage.Run(stage =>
    {
        stage.Listener("127.0.0.1", Port, reusePort: true);
        var document = Explained.AsNobody("tcp://127.0.0.1:8080", "--reuse-port")
            .Refused("EADDRINUSE", "reuse-port-other-user", retry: false);
        Assert.Contains("uid 65534", document.Advice, StringComparison.Ordinal);
    });

    [Theory]
    [InlineData("127.0.0.1", "tcp://127.0.0.1:8080")]
    [InlineData("127.0.0.1", "tcp://0.0.0.0:8080")]
    [InlineData("::", "tcp://127.0.0.1:8080")]
    public void A_socket_that_is_only_bound_is_explained(string holder, string asked) => Stage.Run(stage =>
    {
        stage.Bound(holder, Port);
        var owner = Assert.Single(Explained.AsRoot(asked).Refused("EADDRINUSE", "bound-not-listening", retry: false).Owners);
        Assert.Equal((Environment.ProcessId, "bound"), (owner.Pid, owner.State));
        Assert.Null(Assert.Single(Explained.AsNobody(asked).Refused("EADDRINUSE", "bound-not-listening", retry: false).Owners).Pid);
    });

    [Fact]
    public void Remaining_closed_connections_are_explained() => Stage.Run(stage =>
    {
        var listener = stage.Listener("127.0.0.1", Port, reuseAddress: false);
        var (client, accepted) = stage.Connect(listener);

        // The server's end closes first, so TIME_WAIT is on the port.
        Kernel.ShutdownWrite(accepted);
        Kernel.ReadEnd(client);
        stage.Close(client);
        Kernel.ReadEnd(accepted);
        stage.Close(accepted);
        stage.Close(listener);
        foreach (var explained in new[] { Explained.AsRoot("tcp://127.0.0.1:8080"), Explained.AsNobody("tcp://127.0.0.1:8080") })
        {
            var document = explained.Refused("EADDRINUSE", "time-wait", retry: true);
            Assert.Empty(document.Owners);
            Assert.InRange(document.ClearsInMs!.Value, 1, 60_000);
        }

        Explained.AsRoot("tcp://127.0.0.2:8080").Granted();
    });

    [Fact]
    public void Time_wait_does_not_conflict_if_both_sides_reuse_address() => Stage.Run(stage =>
    {
        var listener = stage.Listener("127.0.0.1", Port);
        var (client, accepted) = stage.Connect(listener);
        Kernel.ShutdownWrite(accepted);
        Kernel.ReadEnd(client);
        stage.Close(client);
        Kernel.ReadEnd(accepted);
        stage.Close(accepted);
        stage.Close(listener);
        Explained.AsRoot("tcp://127.0.0.1:8080").Granted();
        Explained.AsRoot("tcp://127.0.0.1:8080", "--no-reuse-address").Refused("EADDRINUSE", "time-wait", retry: true);
    });

    [Fact]
    public void Connections_of_a_closed_listener_are_explained() => Stage.Run(stage =>
    {
        var listener = stage.Listener("0.0.0.0", Port);
        stage.Connect(listener);
        stage.Close(listener);
        Explained.AsRoot("tcp://0.0.0.0:8080").Granted();
        var owner = Assert.Single(
            Explained.AsRoot("tcp://0.0.0.0:8080", "--no-reuse-address").Refused("EADDRINUSE", "connections-open", retry: true).Owners);
        Assert.Equal((Environment.ProcessId, "established"), (owner.Pid, owner.State));
        Explained.AsNobody("tcp://0.0.0.0:8080", "--no-reuse-address").Refused("EADDRINUSE", "connections-open", retry: true);
    });

    [Fact]
    public void An_outgoing_connection_on_the_port_is_explained() => Stage.Run(stage =>
    {
        var listener = stage.Listener("127.0.0.1", 9000);
        var client = stage.Bound("127.0.0.1", Port);
        Assert.Equal(0, Kernel.Connect(client, IPAddress.Loopback, 9000));
        _ = listener;
        var owner = Assert.Single(Explained.AsRoot("tcp://0.0.0.0:8080").Refused("EADDRINUSE", "connections-open", retry: true).Owners);
        Assert.Equal((Environment.ProcessId, "established"), (owner.Pid, owner.State));
    });

    [Fact]
    public void Udp_sockets_do_not_share() => Stage.Run(stage =>
    {
        stage.Bound("0.0.0.0", Port, udp: true);
        var owner = Assert.Single(
            Explained.AsRoot("udp://127.0.0.1:8080").Refused("EADDRINUSE", "covered-by-wildcard", retry: false).Owners);
        Assert.Equal((Environment.ProcessId, "udp://0.0.0.0:8080", "bound"), (owner.Pid, owner.Address, owner.State));
        Explained.AsNobody("udp://0.0.0.0:8080").Refused("EADDRINUSE", "same-address", retry: false);
        Explained.AsRoot("udp://[::]:8080").Refused("EADDRINUSE", "dual-stack-overlap", retry: false);
        Explained.AsRoot("tcp://0.0.0.0:8080").Granted();
    });

    [Fact]
    public void A_child_that_inherited_the_descriptor_is_named() => Stage.Run(stage =>
    {
        var listener = stage.Listener("127.0.0.1", Port);
        var child = stage.Heir(listener);
        stage.Close(listener);
        var owner = Assert.Single(Explained.AsRoot("tcp://127.0.0.1:8080").Refused("EADDRINUSE", "same-address", retry: false).Owners);
        Assert.Equal(child.Id, owner.Pid);
    });

    [Fact]
    public void Several_holders_of_a_socket_are_named() => Stage.Run(stage =>
    {
        var listener = stage.Listener("127.0.0.1", Port);
        int[] pids = [Environment.ProcessId, stage.Heir(listener).Id, stage.Heir(listener).Id];
        var document = Explained.AsRoot("tcp://127.0.0.1:8080").Refused("EADDRINUSE", "same-address", retry: false);
        Assert.Equal(pids.Order(), document.Owners.Select(owner => owner.Pid!.Value).Order());
        Assert.Single(document.Owners.Select(owner => owner.Inode).Distinct());
    });

    [Fact]
    public void A_worker_that_outlived_its_daemon_is_named() => Stage.Run(stage =>
    {
        var listener = stage.Listener("127.0.0.1", Port);
        var worker = stage.Heir(listener, ("LISTEND_SERVICE", "api"), ("LISTEND_WORKER", "0"));
        stage.Close(listener);
        FailureDocument document = Explained.AsRoot("tcp://127.0.0.1:8080").Refused("EADDRINUSE", "held-by-predecessor", retry: true);
        Assert.Equal(worker.Id, Assert.Single(document.Owners).Pid);
    });

    [Fact]
    public void A_socket_activated_service_of_two_processes_is_named() => Stage.Run(stage =>
    {
        var activate = stage.Start("exec systemd-socket-activate -l 127.0.0.1:8080 sh -c 'exec 5<&0; cat <&5 & echo ready; wait'");
        while (activate.StandardError.ReadLine() is { } line && !line.StartsWith("Listening", StringComparison.Ordinal))
        {
        }

        Assert.Equal("same-address", Explained.AsRoot("tcp://127.0.0.1:8080").Refused("EADDRINUSE", "same-address", retry: false).Cause);
        var client = Kernel.Socket(ipv6: false, udp: false);
        Assert.Equal(0, Kernel.Connect(client, IPAddress.Loopback, Port));
        Assert.Equal("ready", activate.StandardOutput.ReadLine());
        var document = Explained.AsRoot("tcp://0.0.0.0:8080").Refused("EADDRINUSE", "wildcard-covers-existing", retry: false);
        Kernel.Close(client);
        Assert.Equal(2, document.Owners.Count);
        Assert.Contains(activate.Id, document.Owners.Select(owner => owner.Pid!.Value));
    });
}
