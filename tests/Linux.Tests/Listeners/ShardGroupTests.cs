using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Listeners;

/// <summary>Shards that are added and removed: their order in the kernel's group, and which of them get new connections.</summary>
public sealed class ShardGroupTests : KernelTest
{
    /// <summary>Compares <see cref="ReusePortGroup"/> with the kernel's order, for random joins and leaves.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_kernel_orders_shards_as_the_model_does(int seed)
    {
        var random = new Random(seed);
        using var first = Loopback.Socket(Given.Address("tcp://127.0.0.1:0"));
        Assert.Null(OptionAccess.Set(first, SocketOptions.ReusePort, OptionValue.Of(true)));
        Assert.Null(Sockets.Bind(first, Sockaddr.Encode(Given.Address("tcp://127.0.0.1:0"))!));
        var address = Loopback.AddressOf(first);
        Assert.Null(Sockets.Listen(first, 100));
        var sockets = new Dictionary<ulong, DescriptorHandle> { [Inode(first)] = first };
        var gone = new List<DescriptorHandle>();
        var group = new ReusePortGroup(Inode(first));
        for (var step = 0; step < 25; step++)
        {
            if (sockets.Count < 3 || (sockets.Count < 8 && random.Next(2) == 0))
            {
                var socket = Loopback.Socket(address);
                OptionAccess.Set(socket, SocketOptions.ReusePort, OptionValue.Of(true));
                Assert.Null(Sockets.Bind(socket, Sockaddr.Encode(address)!));
                Assert.Null(Sockets.Listen(socket, 100));
                sockets.Add(Inode(socket), socket);
                group.Join(Inode(socket));
            }
            else
            {
                var (inode, leaving) = sockets.ElementAt(random.Next(sockets.Count));
                sockets.Remove(inode);
                group.Leave(inode);

                // Still held by a descriptor; shutdown() removes it from the group anyway.
                Assert.Null(Sockets.Shutdown(leaving));
                gone.Add(leaving);
            }

            foreach (var (inode, socket) in sockets)
            {
                Assert.Null(ShardSelection.Select(socket, ListenerKind.Tcp, [group.PlaceOf(inode)]));
                using (Loopback.Connect(address))
                {
                    Assert.Equal([inode], sockets.Where(pair => Polling.IsReadable(pair.Value)).Select(pair => pair.Key));
                    Sockets.Accept(socket, out _)!.Dispose();
                }
            }
        }

        foreach (var socket in sockets.Values.Concat(gone))
        {
            socket.Dispose();
        }
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:0", 1)]
    [InlineData("tcp://127.0.0.1:0", 4)]
    [InlineData("tcp://[::1]:0", 3)]
    [InlineData("udp://127.0.0.1:0", 1)]
    [InlineData("udp://[::1]:0", 4)]
    public void New_and_retiring_shards_get_no_connections(string address, int before) => GrowAndShrink(address, before, "bpf");

    [Theory]
    [InlineData("tcp://127.0.0.1:0", 1)]
    [InlineData("tcp://[::1]:0", 3)]
    [InlineData("udp://127.0.0.1:0", 4)]
    public void Without_the_capability_a_classic_program_selects(string address, int before)
    {
        using var without = new WithoutBpf();
        GrowAndShrink(address, before, "classic-bpf");
    }

    private static void GrowAndShrink(string address, int before, string by)
    {
        var factory = Given.Factory();
        using var handle = factory.Create(Given.Spec(address, spec => spec with { Shards = before }));
        var inodes = handle.Sockets.Select(socket => socket.Inode).ToArray();
        Assert.Null(ShardSteering.WhyNot(handle));

        var more = handle.Spec with { Shards = before + 4 };
        Assert.Null(factory.Shards.Grow(handle, more, TimeSpan.Zero));
        factory.Reconfigurer.Change(handle, more);
        Assert.Equal(before + 4, handle.Sockets.Count);
        Assert.Equal(inodes, handle.Sockets.Take(before).Select(socket => socket.Inode));
        Assert.Equal(Enumerable.Range(0, before), Reached(handle));

        factory.Shards.Choose(handle, [handle.Sockets[before + 1]]);
        Assert.Equal([.. Enumerable.Range(0, before), before + 1], Reached(handle));
        factory.Shards.Choose(handle, handle.Sockets);
        Assert.Equal(Enumerable.Range(0, before + 4), Reached(handle));

        factory.Shards.Shrink(handle, before, TimeSpan.Zero);
        factory.Reconfigurer.Change(handle, handle.Spec with { Shards = before });
        Assert.Equal(4, handle.Leaving.Count);
        Assert.Equal(Enumerable.Range(0, before), Reached(handle));

        // In any order: the places of the others are still known.
        foreach (var socket in handle.Leaving.OrderBy(socket => socket.Shard * 7 % 4).ToArray())
        {
            factory.Shards.CloseLeaving(handle, socket);
            Assert.Equal(Enumerable.Range(0, before), Reached(handle));
        }

        Assert.Empty(handle.Leaving);
        Assert.Equal(inodes, handle.Sockets.Select(socket => socket.Inode));
        Assert.DoesNotContain(handle.History.Entries, entry => entry.Verdict == Verdict.Refused);
        Assert.Equal(handle.Spec.Address.Kind == ListenerKind.Udp, handle.IsSteered);
        var means = ShardSteering.Means(handle);
        Assert.Equal((by, by == "bpf" ? null : "bpf: EPERM: CAP_BPF is missing"), (means.Word, means.WhyNot));
    }

    /// <summary>The program needs no order of the sockets, so those that another process made can come and go too.</summary>
    [Fact]
    public void Given_shards_are_selected_by_the_program_only()
    {
        var factory = Given.Factory();
        var spec = Given.Spec("tcp://127.0.0.1:0", spec => spec with { Shards = 3 });
        using var made = factory.Create(spec);
        var given = made.Sockets.Select(socket => Descriptors.Duplicate(socket.Descriptor, out _)!).ToArray();
        using var handle = factory.Adopter.Adopt(
            spec with { Address = made.Effective! }, given, HandleOrigin.InheritedSystemd, null, "test");
        Assert.Null(handle.Group);
        factory.Shards.Shrink(handle, 2, TimeSpan.Zero);
        Assert.Equal("bpf", ShardSteering.Means(handle).Word);
        Assert.Equal([0, 1], Reached(handle));
    }

    [Fact]
    public void The_next_growth_reuses_a_retiring_shard()
    {
        var factory = Given.Factory();
        using var handle = factory.Create(Given.Spec("tcp://127.0.0.1:0", spec => spec with { Shards = 4 }));
        var inodes = handle.Sockets.Select(socket => socket.Inode).ToArray();
        factory.Shards.Shrink(handle, 2, TimeSpan.Zero);
        Assert.Null(factory.Shards.Grow(handle, handle.Spec with { Shards = 3 }, TimeSpan.Zero));
        Assert.Equal(inodes[..3], handle.Sockets.Select(socket => socket.Inode));
        Assert.Equal([inodes[3]], handle.Leaving.Select(socket => socket.Inode));
        factory.Shards.Choose(handle, handle.Sockets);
        Assert.Equal([0, 1, 2], Reached(handle));
    }

    [Fact]
    public void Connections_in_a_retiring_shard_continue_to_wait()
    {
        var factory = Given.Factory();
        using var handle = factory.Create(Given.Spec("tcp://127.0.0.1:0", spec => spec with { Shards = 4 }));
        var clients = Enumerable.Range(0, 80).Select(_ => Loopback.Connect(handle.Effective!)).ToArray();
        factory.Shards.Shrink(handle, 1, TimeSpan.Zero);
        var waiting = handle.Sockets.Concat(handle.Leaving)
            .Sum(socket => AcceptQueue.Read(socket.Descriptor, ListenerKind.Tcp, socket.Inode)!.Value.Length);
        Assert.Equal(80, waiting);
        Assert.All(handle.Leaving, socket => Assert.True(socket.HasWaiting));
        Assert.All(clients, client => Assert.False(Polling.IsHungUp(client)));
        Array.ForEach(clients, client => client.Dispose());
    }

    [Fact]
    public void Shards_are_not_steered_if_another_process_shares_the_port()
    {
        var factory = Given.Factory();
        using var handle = factory.Create(Given.Spec("tcp://127.0.0.1:0", spec => spec with { Shards = 2 }));
        using var other = Loopback.Socket(handle.Effective!);
        OptionAccess.Set(other, SocketOptions.ReusePort, OptionValue.Of(true));
        Assert.Null(Sockets.Bind(other, Sockaddr.Encode(handle.Effective!)!));
        Assert.Null(ShardSteering.WhyNot(handle));
        Assert.Null(Sockets.Listen(other, 1));
        Assert.NotNull(ShardSteering.WhyNot(handle));
        Assert.Null(factory.Shards.Grow(handle, handle.Spec with { Shards = 3 }, TimeSpan.Zero));
        Assert.All(handle.Sockets, socket => Assert.True(socket.IsChosen));
        Assert.False(handle.IsSteered);
    }

    [Fact]
    public void A_failed_growth_changes_nothing()
    {
        var factory = Given.Factory();
        using var handle = factory.Create(Given.Spec("tcp://127.0.0.1:0", spec => spec with { Shards = 2 }));
        var failed = factory.Shards.Grow(
            handle, handle.Spec with { Shards = 4, Bind = new BindOptions { Device = "no-such-device" } }, TimeSpan.Zero);
        Assert.NotNull(failed);
        Assert.Equal((2, 0), (handle.Sockets.Count, handle.Leaving.Count));
        Assert.False(handle.IsSteered);
        Assert.Equal([0, 1], Reached(handle));
    }

    [Fact]
    public void A_shut_down_shard_is_recreated_with_known_positions()
    {
        var factory = Given.Factory();
        using var handle = factory.Create(Given.Spec("tcp://127.0.0.1:0", spec => spec with { Shards = 4 }));
        Libc.Shutdown(handle.Sockets[1].Descriptor, 0);
        Assert.True(factory.Repair.RemakeShard(handle, 1));
        factory.Shards.Shrink(handle, 2, TimeSpan.Zero);
        Assert.Equal([0, 1], Reached(handle));
    }

    /// <summary>The numbers of the shards, including draining ones, that get connections of many clients.</summary>
    private static int[] Reached(ListenerHandle handle)
    {
        var sockets = handle.Sockets.Concat(handle.Leaving).ToArray();
        var reached = new SortedSet<int>();
        for (var client = 0; client < 400; client++)
        {
            using var socket = Loopback.Connect(handle.Effective!);
            if (handle.Spec.Address.Kind == ListenerKind.Udp)
            {
                Files.Write(socket, "x"u8, out _);
            }

            var hit = Assert.Single(sockets, one => one.HasWaiting);
            reached.Add(hit.Shard);
            if (handle.Spec.Address.Kind == ListenerKind.Udp)
            {
                Files.Read(hit.Descriptor, new byte[8], out _);
            }
            else
            {
                Sockets.Accept(hit.Descriptor, out _)!.Dispose();
            }
        }

        return [.. reached];
    }

    private static ulong Inode(DescriptorHandle socket)
    {
        Files.GetStatus(socket, out var status);
        return status.Inode;
    }
}
