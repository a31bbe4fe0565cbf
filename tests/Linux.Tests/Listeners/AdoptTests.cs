using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Listeners;

/// <summary>listend adopts a foreign descriptor unchanged: it reads the options back and compares them.</summary>
public class AdoptTests : KernelTest
{
    [Theory]
    [InlineData("tcp://127.0.0.1:0")]
    [InlineData("tcp://[::1]:0")]
    [InlineData("mptcp://127.0.0.1:0")]
    [InlineData("udp://127.0.0.1:0")]
    [InlineData("unix://@linux-tests-adopt")]
    [InlineData("unix-dgram://@linux-tests-adopt")]
    [InlineData("unix-seqpacket://@linux-tests-adopt")]
    public void A_matching_descriptor_is_adopted(string address)
    {
        using var handle = Adopt(Given.Spec(address), Loopback.Bound(address, Given.Address(address).Kind.Listens() ? 4096 : null));
        Assert.Null(handle.Failure);
        Assert.Equal(HandleOrigin.InheritedSystemd, handle.Origin);
        Assert.Equal(Loopback.AddressOf(handle.Descriptor!), handle.Effective);
        Assert.Equal($"socket:[{handle.Inode}]", ProcessDescriptors.LinkOf(handle.Descriptor!.Number));
        var first = handle.History.Entries.First();
        Assert.Equal((HandlePhase.Adopt, "execve", 1, "systemd"), (first.Phase, first.Call, first.Actor!.Pid, first.Actor.Name));
        Assert.DoesNotContain(handle.History.Entries, entry => entry.Call is "setsockopt" or "bind" or "socket");
    }

    [Fact]
    public void Adoption_shows_each_difference_and_changes_nothing()
    {
        using var handle = Adopt(
            Given.Spec("tcp://127.0.0.1:1", spec => spec with
            {
                Listen = new() { Backlog = 100 },
                Accepted = new() { NoDelay = true },
                Buffers = new() { Receive = 100_000 }
            }),
            Loopback.Bound("tcp://127.0.0.1:0", 5));
        Assert.Null(handle.Failure);
        var differences = handle.History.Entries
            .Where(entry => entry.Verdict == Verdict.Inherited)
            .Select(entry => (entry.Call, entry.Option))
            .ToList();
        Assert.Equal(
            [
                ("getsockopt", "SO_REUSEADDR"),
                ("getsockopt", "SO_RCVBUF"),
                ("getsockopt", "TCP_NODELAY"),
                ("getsockopt", "backlog"),
                ("getsockname", "address"),
            ],
            differences);
        Assert.Equal(0, Libc.GetOptionInt32(handle.Descriptor!, 6, 1));
        Assert.Equal((0L, 5L), AcceptQueue.Read(handle.Descriptor!, ListenerKind.Tcp, handle.Inode));
    }

    [Fact]
    public void Adoption_calls_listen_on_a_socket_that_does_not_listen()
    {
        using var handle = Adopt(Given.Spec("tcp://127.0.0.1:0"), Loopback.Bound("tcp://127.0.0.1:0"));
        Assert.Null(handle.Failure);
        using var client = Loopback.Connect(handle.Effective!);
    }

    [Theory]
    [InlineData("udp://127.0.0.1:0")]
    [InlineData("unix://@linux-tests-adopt")]
    [InlineData("mptcp://127.0.0.1:0")]
    public void A_descriptor_of_another_kind_is_rejected_and_closed(string given)
    {
        using var handle = Adopt(Given.Spec("tcp://127.0.0.1:0"), Loopback.Bound(given));
        Assert.NotNull(handle.Failure);
        Assert.Null(handle.Descriptor);
    }

    [Theory]
    [InlineData("pipe")]
    [InlineData("raw")]
    [InlineData("netlink")]
    [InlineData("ping")]
    public void A_descriptor_that_is_not_a_socket_is_rejected_and_closed(string what)
    {
        DescriptorHandle? other = null;
        var given = what switch
        {
            "raw" => Loopback.Socket(2, 3, 1),
            "netlink" => Loopback.Socket(16, 3, 4),
            "ping" => Sockets.Create(2, 2, 1, nonBlocking: false, out _),
            _ => Files.Pipe(out var reader, out other) is null ? reader : null,
        };
        using (other)
        {
            // net.ipv4.ping_group_range may forbid the socket.
            using var handle = Adopt(Given.Spec("udp://127.0.0.1:0"), given ?? Loopback.Socket(16, 3, 4));
            Assert.NotNull(handle.Failure);
            Assert.Null(handle.Descriptor);
        }
    }

    [Fact]
    public void The_path_of_an_adopted_socket_is_not_removed()
    {
        using var directory = new TemporaryDirectory();
        var factory = Given.Factory();
        var address = $"unix://{directory["s"]}";
        using var handle = factory.Adopter.Adopt(
            Given.Spec(address), [Loopback.Bound(address, 1)], HandleOrigin.InheritedSystemd, null, "by its name");
        Assert.Null(handle.Failure);
        factory.Close(handle, removePath: true);
        Assert.Equal(["s"], directory.Files);
    }

    private static ListenerHandle Adopt(ListenerSpec spec, DescriptorHandle given) =>
        Given.Factory().Adopter.Adopt(spec, [given], HandleOrigin.InheritedSystemd, new HistoryActor(
            1, "systemd"), "LISTEN_FDS, by its name");

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Missing_shards_are_created_next_to_adopted_shards(int given)
    {
        using var made = Given.Listener("tcp://127.0.0.1:0", spec => spec with { Shards = 3 });
        DescriptorHandle[] descriptors = [.. made.Sockets.Take(given).Select(socket => Descriptors.Duplicate(socket.Descriptor, out _)!)];
        var spec = Given.Spec("tcp://127.0.0.1:0", spec => spec with { Shards = 4 });
        using var handle = Given.Factory().Adopter.Adopt(spec, descriptors, HandleOrigin.InheritedSystemd, null, "test");
        Assert.Null(handle.Failure);
        Assert.Equal(4, handle.Sockets.Count);
        Assert.Equal(made.Sockets.Take(given).Select(socket => socket.Inode), handle.Sockets.Take(given).Select(socket => socket.Inode));
        Assert.All(handle.Sockets, socket => Assert.Equal(made.Effective, Loopback.AddressOf(socket.Descriptor)));
        Assert.Equal([0, 1, 2, 3], handle.Sockets.Select(socket => socket.Shard));

        // Those that were not given are in the group too. The program does not need the order of the others.
        Assert.Equal(given == 3, ShardSteering.WhyNot(handle) is null);
    }

    [Fact]
    public void A_shard_without_REUSEPORT_is_rejected()
    {
        using var made = Given.Listener("tcp://127.0.0.1:0");
        using var handle = Given.Factory().Adopter.Adopt(
            Given.Spec("tcp://127.0.0.1:0", spec => spec with { Shards = 2 }),
            [Descriptors.Duplicate(made.Descriptor!, out _)!],
            HandleOrigin.InheritedSystemd,
            null,
            "test");
        Assert.Empty(handle.Sockets);
        Assert.Contains("ReusePort=yes", handle.Failure!.Arguments, StringComparison.Ordinal);
    }
}
