using Supervisor.Core.Listeners;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Listeners;

public sealed class ShardTests : KernelTest
{
    [Theory]
    [InlineData(ListenerKind.Tcp)]
    [InlineData(ListenerKind.Udp)]
    public void This_kernel_supports_shards(ListenerKind kind) => Assert.Null(ShardProbe.WhyNot(kind));

    [Fact]
    public void Unix_sockets_do_not_support_shards() => Assert.NotNull(ShardProbe.WhyNot(ListenerKind.UnixStream));

    [Theory]
    [InlineData("tcp://127.0.0.1:0")]
    [InlineData("tcp://*:0")]
    [InlineData("udp://[::1]:0")]
    public void All_shards_use_the_port_of_the_first_shard(string address)
    {
        using var handle = Given.Listener(address, spec => spec with { Shards = 4 });
        Assert.Equal(4, handle.Sockets.Count);
        Assert.Equal([0, 1, 2, 3], handle.Sockets.Select(socket => socket.Shard));
        Assert.All(handle.Sockets, socket => Assert.Equal(handle.Effective, Loopback.AddressOf(socket.Descriptor)));
        Assert.Equal(4, handle.Sockets.Select(socket => socket.Inode).Distinct().Count());
    }

    [Fact]
    public void A_shard_that_cannot_bind_leaves_no_shards()
    {
        using var holder = Given.Listener("tcp://127.0.0.1:0");
        using var handle = Given.Attempt(holder.Effective!.ToString(), spec => spec with { Shards = 4 });
        Assert.Empty(handle.Sockets);
        Assert.NotNull(handle.Failure);
    }

    [Fact]
    public void Waiting_connections_survive_the_close_of_a_duplicate()
    {
        using var handle = Given.Listener("tcp://127.0.0.1:0", spec => spec with { Shards = 2 });
        var held = handle.Sockets.Select(socket => Descriptors.Duplicate(socket.Descriptor, out _)!).ToArray();
        var clients = Enumerable.Range(0, 50).Select(_ => Loopback.Connect(handle.Effective!)).ToArray();
        foreach (var descriptor in held)
        {
            descriptor.Dispose();
        }

        var waiting = handle.Sockets.Sum(socket => AcceptQueue.Read(socket.Descriptor, ListenerKind.Tcp, socket.Inode)!.Value.Length);
        foreach (var client in clients)
        {
            Assert.False(Polling.IsHungUp(client));
            client.Dispose();
        }

        Assert.Equal(50, waiting);
    }

    [Fact]
    public void A_shut_down_shard_is_recreated_next_to_the_others()
    {
        using var handle = Given.Listener("tcp://127.0.0.1:0", spec => spec with { Shards = 3 });
        var inodes = handle.Sockets.Select(socket => socket.Inode).ToArray();
        Libc.Shutdown(handle.Sockets[1].Descriptor, 0);
        Assert.True(Given.Factory().Repair.RemakeShard(handle, 1));
        Assert.Equal([true, false, true], handle.Sockets.Select((socket, i) => socket.Inode == inodes[i]));
        Assert.Equal([1, 2], handle.Sockets.Skip(1).Select(socket => socket.Shard));
    }
}
