using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Listeners;

/// <summary>The queue's length and limit are the kernel's own.</summary>
public class AcceptQueueTests : KernelTest
{
    [Theory]
    [InlineData("tcp://127.0.0.1:0")]
    [InlineData("tcp://[::1]:0")]
    [InlineData("unix://@linux-tests-queue")]
    [InlineData("unix-seqpacket://@linux-tests-queue")]
    public void The_accept_queue_counts_waiting_connections(string address)
    {
        using var handle = Given.Listener(address, spec => spec with { Listen = new() { Backlog = 9 } });
        (long, long)? Queue() => AcceptQueue.Read(handle.Descriptor!, handle.Spec.Address.Kind, handle.Inode);
        Assert.Equal((0, 9), Queue());
        var clients = new List<DescriptorHandle>();
        for (var i = 1; i <= 5; i++)
        {
            clients.Add(Loopback.Connect(handle.Effective!));
            Assert.Equal((i, 9), Queue());
        }

        using (Libc.Accept(handle.Descriptor!))
        {
            Assert.Equal((4, 9), Queue());
        }

        // A second listen() by any holder changes the backlog of the shared socket.
        Assert.Null(Sockets.Listen(handle.Descriptor!, 3));
        Assert.Equal((4, 3), Queue());
        clients.ForEach(client => client.Dispose());
    }

    [Theory]
    [InlineData("udp://127.0.0.1:0")]
    [InlineData("unix-dgram://@linux-tests-queue")]
    public void A_datagram_socket_has_no_accept_queue(string address)
    {
        using var handle = Given.Listener(address);
        Assert.Null(AcceptQueue.Read(handle.Descriptor!, handle.Spec.Address.Kind, handle.Inode));
    }

    [Fact]
    public void A_closed_socket_has_no_accept_queue()
    {
        ulong inode;
        using (var handle = Given.Listener("unix://@linux-tests-queue"))
        {
            inode = handle.Inode;
        }

        Assert.Null(UnixDiag.ReadQueue(inode));
        Assert.Null(UnixDiag.ReadQueue(inode + (1UL << 32)));
    }
}
