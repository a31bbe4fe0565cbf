using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Listeners;

/// <summary>Which sockets can share an address.</summary>
public class OwnershipTests : KernelTest
{
    /// <summary>The server side of a connection that it closed first stays in TIME_WAIT and holds the port.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Reuse_address_binds_over_connections_of_a_closed_listener(bool reuse) => KernelThread.InNewNetwork(() =>
    {
        uint port;
        using (var first = Given.Listener("tcp://127.0.0.1:0"))
        {
            port = first.Effective!.Port;
            using var client = Loopback.Connect(first.Effective);
            using (Libc.Accept(first.Descriptor!))
            {
            }

            Assert.Empty(Libc.Receive(client));
        }

        using var second = Given.Attempt($"tcp://127.0.0.1:{port}", spec => spec with { Bind = new() { ReuseAddress = reuse } });
        Assert.Equal(reuse ? null : "EADDRINUSE", second.Failure?.Name);
    });

    [Fact]
    public void Reuse_address_does_not_share_a_live_listener()
    {
        using var first = Given.Listener("tcp://127.0.0.1:0");
        using var second = Given.Attempt(first.Effective!.ToString());
        Assert.Equal(("bind", "EADDRINUSE"), (second.Failure!.Call, second.Failure.Name));
        Assert.Null(second.Descriptor);
    }

    [Fact]
    public void Udp_does_not_share_unless_configured()
    {
        using var first = Given.Listener("udp://127.0.0.1:0");
        Assert.Equal(0, Libc.GetOptionInt32(first.Descriptor!, 1, 2));
        using var second = Given.Attempt(first.Effective!.ToString());
        Assert.Equal("EADDRINUSE", second.Failure!.Name);
    }

    [Fact]
    public void Reuse_port_shares_only_with_reuse_port()
    {
        static ListenerSpec Shared(ListenerSpec spec) => spec with { Bind = new() { ReusePort = true } };
        using var first = Given.Listener("tcp://127.0.0.1:0", Shared);
        using var second = Given.Listener(first.Effective!.ToString(), Shared);
        using var third = Given.Attempt(first.Effective.ToString());
        Assert.Equal("EADDRINUSE", third.Failure!.Name);
        Assert.NotEqual(first.Inode, second.Inode);
    }

    /// <summary>A UNIX socket has no SO_REUSEPORT, and a request for it must fail.</summary>
    [Fact]
    public void Unsupported_reuse_port_fails_the_listener()
    {
        using var handle = Given.Attempt("unix://@linux-tests-reuse", spec => spec with { Bind = new() { ReusePort = true } });
        Assert.Equal(("setsockopt", "EOPNOTSUPP"), (handle.Failure!.Call, handle.Failure.Name));
        Assert.Null(handle.Descriptor);
        Assert.DoesNotContain(handle.History.Entries, entry => entry.Call == "bind");
    }

    [Fact]
    public void Two_users_do_not_share_a_port()
    {
        static ListenerSpec Shared(ListenerSpec spec) => spec with { Bind = new() { ReusePort = true } };
        using var first = Given.Listener("tcp://127.0.0.1:0", Shared);
        KernelThread.AsNobody(() =>
        {
            using var second = Given.Attempt(first.Effective!.ToString(), Shared);
            Assert.Equal("EADDRINUSE", second.Failure!.Name);
        });
    }

    [Fact]
    public void User_nobody_cannot_bind_a_privileged_port() => KernelThread.InNewNetwork(() =>
    {
        Libc.BecomeUser(65534);
        using var handle = Given.Attempt("tcp://127.0.0.1:1");
        Assert.Equal(("bind", "EACCES"), (handle.Failure!.Call, handle.Failure.Name));
        Assert.Equal(BindCause.PrivilegedPort, handle.Diagnosis?.Cause);
    });

    [Fact]
    public void A_failed_listener_does_not_change_when_closed()
    {
        using var first = Given.Listener("tcp://127.0.0.1:0");
        var factory = Given.Factory();
        using var second = factory.Create(Given.Spec(first.Effective!.ToString()));
        var before = second.History.Count;
        factory.Close(second, removePath: true);
        Assert.Equal(before, second.History.Count);
    }

    [Fact]
    public void A_closed_handle_has_no_descriptor_number()
    {
        using var handle = Given.Listener("tcp://127.0.0.1:0");
        var descriptor = handle.Descriptor!;
        handle.Dispose();
        using var successor = Loopback.Socket(2, 1);
        Assert.Equal(-1, descriptor.Number);
        Assert.Equal("EBADF", Sockets.Listen(descriptor, 1)!.Value.Name);
    }
}
