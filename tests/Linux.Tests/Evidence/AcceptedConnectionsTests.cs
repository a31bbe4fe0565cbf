using Supervisor.Core.Workers;
using Supervisor.Linux.Probes;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Evidence;

/// <summary>The connections that this process has accepted, as the kernel reports them.</summary>
public class AcceptedConnectionsTests : KernelTest
{
    [Fact]
    public void Accepted_open_connections_are_counted()
    {
        using var listener = Given.Listener("tcp://127.0.0.1:0");
        var question = new AcceptedConnections([listener]);
        using var client = Loopback.Connect(listener.Effective!);
        Assert.Empty(question.Read().All);
        using (Libc.Accept(listener.Descriptor!))
        {
            var connection = Assert.Single(question.Read().All.Values);
            Assert.Equal(("web", EndPoint(client)), (connection.Listener, connection.Peer.ToString()));
            Assert.Null(connection.OpenFor);
            Assert.Equal([connection], question.Read().Of(Processes.CurrentPid)!);

            // The peer has closed; this side has not.
            client.Dispose();
            Assert.Single(question.Read().All);
        }

        Assert.Empty(question.Read().All);
    }

    [Fact]
    public void Listeners_on_one_port_are_counted_separately()
    {
        using var one = Given.Listener("tcp://127.0.0.1:0", spec => spec with { Name = "one" });
        using var two = Given.Listener($"tcp://127.0.0.2:{one.Effective!.Port}", spec => spec with { Name = "two" });
        using var six = Given.Listener(
            $"tcp://[::]:{one.Effective.Port}",
            spec => spec with { Name = "six", Bind = spec.Bind with { IPv6Only = true } });
        using var path = Given.Listener("unix://@linux-tests-accepted", spec => spec with { Name = "path" });
        var sockets = new List<DescriptorHandle>();
        foreach (var (listener, times) in new[] { (one, 1), (two, 2), (six, 3), (path, 4) })
        {
            for (var i = 0; i < times; i++)
            {
                sockets.Add(Loopback.Connect(listener.Effective!));
                sockets.Add(Libc.Accept(listener.Descriptor!));
            }
        }

        var found = new AcceptedConnections([one, two, six, path]).Read(withAges: true).All;
        Assert.Equal(
            [("one", 1), ("path", 4), ("six", 3), ("two", 2)],
            found.Values.GroupBy(connection => connection.Listener).OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => (group.Key, group.Count())));
        Assert.All(found.Values, connection => Assert.Equal(connection.Listener == "path", connection.Peer is null));
        Assert.All(found.Values, connection => Assert.Equal(connection.Listener == "path", connection.OpenFor is null));
        sockets.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task Probes_of_a_unix_listener_are_not_counted()
    {
        using var folder = new TemporaryDirectory();
        using var listener = Given.Listener($"unix://{folder.Path}/probed");
        using var probe = new TcpProbe(
            this, static () => Processes.CurrentPid, "web", listener.Effective!, static () => 0,
            new AcceptProbe(this, static () => Processes.CurrentPid, [("web", 0)]));
        var result = probe.Within(TimeSpan.FromSeconds(20)).ProbeAsync(CancellationToken.None);
        using var accepted = Libc.Accept(listener.Descriptor!);
        Assert.Empty(new AcceptedConnections([listener]).Read().All);
        Assert.Null(await result);

        // The probe has closed its end, and the worker has not.
        Assert.Empty(new AcceptedConnections([listener]).Read().All);
        using var client = Loopback.Connect(listener.Effective!);
        using var served = Libc.Accept(listener.Descriptor!);
        Assert.Single(new AcceptedConnections([listener]).Read().All);
    }

    [Fact]
    public void Connections_of_a_renamed_socket_file_are_counted()
    {
        using var folder = new TemporaryDirectory();
        using var listener = Given.Listener($"unix://{folder.Path}/bound");
        File.Move(folder.Path + "/bound", folder.Path + "/named");
        using var client = Loopback.Connect(Given.Address($"unix://{folder.Path}/named"));
        using var accepted = Libc.Accept(listener.Descriptor!);
        using var renamed = Given.Listener($"unix://{folder.Path}/bound");
        Assert.Equal("web", Assert.Single(new AcceptedConnections([listener]).Read().All.Values).Listener);
        Assert.Single(new AcceptedConnections([renamed]).Read().All);
    }

    [Fact]
    public void A_dual_stack_listener_counts_both_families()
    {
        using var listener = Given.Listener("tcp://[::]:0");
        using var four = Loopback.Connect(Given.Address($"tcp://127.0.0.1:{listener.Effective!.Port}"));
        using var accepted = Libc.Accept(listener.Descriptor!);
        Assert.Equal(EndPoint(four), Assert.Single(new AcceptedConnections([listener]).Read().All.Values).Peer.ToString());
    }

    [Fact]
    public void The_kernels_age_never_exceeds_the_real_age()
    {
        // jiffies: a tick may be 10 ms.
        var tick = TimeSpan.FromMilliseconds(10);
        using var listener = Given.Listener("tcp://127.0.0.1:0");
        var before = TimeProvider.System.GetTimestamp();
        using var client = Loopback.Connect(listener.Effective!);
        using var accepted = Libc.Accept(listener.Descriptor!);
        var least = TimeSpan.FromMilliseconds(50);
        AcceptedConnection seen;
        do
        {
            seen = Assert.Single(new AcceptedConnections([listener]).Read(withAges: true).All.Values);
            var age = TimeProvider.System.GetElapsedTime(before);
            Assert.True(seen.OpenFor <= age + tick, $"{seen.OpenFor} after {age}");
            Assert.Equal(seen.OpenFor, seen.SilentFor);
            Assert.True(age < Patience, "the kernel knows no age");
        }
        while (seen.OpenFor < least);

        // The send ends the silence and does not change the age of the connection.
        Libc.Send(accepted, 1);
        seen = Assert.Single(new AcceptedConnections([listener]).Read(withAges: true).All.Values);
        Assert.True(seen.OpenFor >= least && seen.SilentFor < seen.OpenFor, $"{seen.OpenFor}, silent for {seen.SilentFor}");
    }

    [Fact]
    public void Without_an_accepting_listener_nothing_is_queried()
    {
        using var datagrams = Given.Listener("udp://127.0.0.1:0");
        Assert.True(new AcceptedConnections([datagrams]).IsEmpty);
        Assert.True(new AcceptedConnections([]).IsEmpty);
    }

    private static string EndPoint(DescriptorHandle socket) => Loopback.AddressOf(socket).ToString()["tcp://".Length..];
}
