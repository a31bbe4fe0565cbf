using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Listeners;

/// <summary>Every form of an address becomes a socket of its kind and family, to which a client can connect.</summary>
public class AddressFormTests : KernelTest
{
    [Theory]
    [InlineData("tcp://127.0.0.1:0", SocketDomain.IPv4)]
    [InlineData("tcp://0.0.0.0:0", SocketDomain.IPv4)]
    [InlineData("tcp://[::1]:0", SocketDomain.IPv6)]
    [InlineData("tcp://[::]:0", SocketDomain.IPv6)]
    [InlineData("tcp://[::ffff:127.0.0.1]:0", SocketDomain.IPv6)]
    [InlineData("tcp://*:0", SocketDomain.IPv6)]
    [InlineData("udp://127.0.0.1:0", SocketDomain.IPv4)]
    [InlineData("udp://[::1]:0", SocketDomain.IPv6)]
    [InlineData("udp://*:0", SocketDomain.IPv6)]
    [InlineData("mptcp://127.0.0.1:0", SocketDomain.IPv4)]
    [InlineData("mptcp://[::1]:0", SocketDomain.IPv6)]
    [InlineData("unix://@linux-tests-stream", SocketDomain.Unix)]
    [InlineData("unix-dgram://@linux-tests-dgram", SocketDomain.Unix)]
    [InlineData("unix-seqpacket://@linux-tests-seqpacket", SocketDomain.Unix)]
    [InlineData("vsock://*:0", SocketDomain.Vsock)]
    public void An_address_becomes_a_socket(string address, SocketDomain domain) => KernelThread.InNewNetwork(() =>
    {
        using var handle = Given.Listener(address);
        Assert.Equal(domain, handle.Domain);
        Assert.Equal(HandleOrigin.Created, handle.Origin);
        Assert.Equal(1, Libc.GetFlags(handle.Descriptor!, ofDescriptor: true));
        var identity = SocketIdentity.Read(handle.Descriptor!)!;
        Assert.Equal(handle.Spec.Address.Kind, identity.Kind);
        Assert.Equal(handle.Spec.Address.Kind.Listens(), identity.IsListening);
        Assert.Equal(handle.Effective, identity.Address);
        Assert.True(identity.Matches(handle.Spec.Address));
        Assert.Equal($"socket:[{handle.Inode}]", ProcessDescriptors.LinkOf(handle.Descriptor!.Number));
        if (!handle.Spec.Address.Kind.IsUnix())
        {
            Assert.NotEqual(0u, handle.Effective!.Port);
        }
    });

    [Theory]
    [InlineData("unix")]
    [InlineData("unix-dgram")]
    [InlineData("unix-seqpacket")]
    public void A_path_becomes_a_socket_file(string scheme)
    {
        using var directory = new TemporaryDirectory();
        var factory = Given.Factory();
        using var handle = factory.Create(Given.Spec($"{scheme}://{directory["s"]}"));
        Assert.Null(handle.Failure);
        Assert.Equal(handle.Spec.Address, handle.Effective);
        Assert.Equal(["s"], directory.Files);
        using (Loopback.Connect(handle.Effective!))
        {
        }

        factory.Close(handle, removePath: true);
        Assert.Empty(directory.Files);
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:0")]
    [InlineData("tcp://[::1]:0")]
    [InlineData("mptcp://127.0.0.1:0")]
    [InlineData("unix://@linux-tests-served")]
    [InlineData("unix-seqpacket://@linux-tests-served")]
    [InlineData("udp://127.0.0.1:0")]
    [InlineData("udp://[::1]:0")]
    [InlineData("unix-dgram://@linux-tests-served")]
    public void A_listener_serves_a_client(string address) => KernelThread.InNewNetwork(() =>
    {
        using var handle = Given.Listener(address);
        using var client = Loopback.Connect(handle.Effective!);
        Libc.Send(client, "hello"u8);
        if (!handle.Spec.Address.Kind.Listens())
        {
            Assert.Equal("hello"u8, Libc.Receive(handle.Descriptor!));
            return;
        }

        using var accepted = Libc.Accept(handle.Descriptor!);
        Assert.Equal("hello"u8, Libc.Receive(accepted));
    });

    [Theory]
    [InlineData("tcp://*:0")]
    [InlineData("tcp://[::]:0")]
    public void The_wildcard_serves_both_families(string address) => KernelThread.InNewNetwork(() =>
    {
        using var handle = Given.Listener(address);
        foreach (var host in new[] { "127.0.0.1", "[::1]" })
        {
            using var client = Loopback.Connect(Given.Address($"tcp://{host}:{handle.Effective!.Port}"));
            using var accepted = Libc.Accept(handle.Descriptor!);
        }
    });

    [Fact]
    public void Without_IPv6_the_wildcard_falls_back_to_IPv4() => KernelThread.WithoutIPv6(() =>
    {
        using var handle = Given.Listener("tcp://*:0");
        Assert.Equal(SocketDomain.IPv4, handle.Domain);
        Assert.Equal("tcp://0.0.0.0:" + handle.Effective!.Port, handle.Effective.ToString());
        Assert.Equal(
            [("socket", "EAFNOSUPPORT"), ("socket", null)],
            handle.History.Entries.Where(entry => entry.Phase == HandlePhase.Create).Select(entry => (entry.Call, entry.Errno)));
        Assert.Contains("no IPv6", handle.History.Entries.Last().Note, StringComparison.Ordinal);
        Assert.Equal(
            [HandlePhase.Create, HandlePhase.Create, HandlePhase.PreBind, HandlePhase.Bind, HandlePhase.Listen, HandlePhase.Verify],
            handle.History.Entries.Select(entry => entry.Phase));
    });

    [Fact]
    public void Without_IPv6_only_the_wildcard_falls_back_to_IPv4() => KernelThread.WithoutIPv6(() =>
    {
        using var concrete = Given.Attempt("tcp://[::]:0");
        Assert.Equal("EAFNOSUPPORT", concrete.Failure!.Name);
        using var onlyV6 = Given.Attempt("tcp://*:0", spec => spec with { Bind = new() { IPv6Only = true } });
        Assert.Equal("EAFNOSUPPORT", onlyV6.Failure!.Name);
        Assert.Null(onlyV6.Descriptor);
    });

    /// <summary>The port counts as in use, even if the IPv4 side is free.</summary>
    [Fact]
    public void The_wildcard_falls_back_to_IPv4_only_without_IPv6() => KernelThread.InNewNetwork(() =>
    {
        using var holder = Loopback.Socket(10, 1);
        Assert.Null(Sockets.SetInt32(holder, 41, 26, 1));
        Assert.Null(Sockets.Bind(holder, Sockaddr.Encode(Given.Address("tcp://[::]:0"))));
        Assert.Null(Sockets.Listen(holder, 1));
        using var handle = Given.Attempt($"tcp://*:{Loopback.AddressOf(holder).Port}");
        Assert.Equal("EADDRINUSE", handle.Failure!.Name);
        Assert.Single(handle.History.Entries, entry => entry.Call == "socket");
    });

    [Fact]
    public void Ipv6_only_splits_the_families_of_one_port() => KernelThread.InNewNetwork(() =>
    {
        using var six = Given.Listener("tcp://[::]:0", spec => spec with { Bind = new() { IPv6Only = true } });
        using var four = Given.Listener($"tcp://0.0.0.0:{six.Effective!.Port}");
        using var toFour = Loopback.Connect(Given.Address($"tcp://127.0.0.1:{six.Effective.Port}"));
        using var toSix = Loopback.Connect(Given.Address($"tcp://[::1]:{six.Effective.Port}"));
        using var acceptedFour = Libc.Accept(four.Descriptor!);
        using var acceptedSix = Libc.Accept(six.Descriptor!);
        Assert.False(Libc.IsReadable(six.Descriptor!));
        Assert.False(Libc.IsReadable(four.Descriptor!));
    });

    [Fact]
    public void A_dual_stack_wildcard_occupies_the_IPv4_port() => KernelThread.InNewNetwork(() =>
    {
        using var both = Given.Listener("tcp://[::]:0");
        using var four = Given.Attempt($"tcp://0.0.0.0:{both.Effective!.Port}");
        Assert.Equal("EADDRINUSE", four.Failure!.Name);
    });

    [Fact]
    public void Port_0_binds_a_free_port_and_reports_it()
    {
        using var handle = Given.Listener("tcp://127.0.0.1:0");
        var verified = handle.History.Entries.Last();
        Assert.Equal((HandlePhase.Verify, "getsockname", Verdict.Adjusted), (verified.Phase, verified.Call, verified.Verdict));
        Assert.Contains("port 0", verified.Note, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void O_NONBLOCK_is_as_requested(bool nonBlocking)
    {
        using var handle = Given.Listener("tcp://127.0.0.1:0", spec => spec with { Listen = new() { NonBlocking = nonBlocking } });
        Assert.Equal(nonBlocking, (Libc.GetFlags(handle.Descriptor!) & 0x800) != 0);
    }

    [Theory]
    [InlineData("tcp://192.0.2.1:0", "EADDRNOTAVAIL")]
    [InlineData("tcp://[2001:db8::1]:0", "EADDRNOTAVAIL")]
    [InlineData("tcp://[fe80::1]:0", "EINVAL")]
    [InlineData("tcp://[fe80::1%nowhere0]:0", "ENODEV")]
    [InlineData("unix:///nowhere/s", "ENOENT")]
    [InlineData("unix:///proc/s", "EPERM", "ENOENT")]
    public void A_refused_bind_records_the_cause_and_leaves_no_socket(
        string address, params string[] errnos) => KernelThread.InNewNetwork(() =>
    {
        using var handle = Given.Attempt(address);
        Assert.Null(handle.Descriptor);
        Assert.Contains(handle.Failure!.Name, errnos);
        Assert.Equal(
            [(handle.Failure.Call, handle.Failure.Name, Verdict.Refused), ("close", null, Verdict.Exact)],
            handle.History.Entries.TakeLast(2).Select(entry => (entry.Call, entry.Errno, entry.Verdict)));
    });

    [Fact]
    public void A_path_can_have_107_bytes_but_not_108()
    {
        using var directory = new TemporaryDirectory();
        var longest = directory[new string('x', ListenAddress.MaxUnixPathBytes - directory.Path.Length - 1)];
        using var fits = Given.Listener($"unix://{longest}");
        using var tooLong = Given.Attempt($"unix://{longest}y");
        Assert.Equal("ENAMETOOLONG", tooLong.Failure!.Name);
        using var client = Loopback.Connect(fits.Effective!);
    }

    /// <summary>net.mptcp.enabled belongs to the network namespace.</summary>
    [Fact]
    public void Disabled_mptcp_fails_as_a_missing_protocol() => KernelThread.InNewNetwork(() =>
    {
        File.WriteAllText("/proc/sys/net/mptcp/enabled", "0");
        using var handle = Given.Attempt("mptcp://127.0.0.1:0");
        Assert.Equal(("socket", (BindCause?)BindCause.FamilyUnsupported), (handle.Failure!.Call, handle.Diagnosis?.Cause));
    });

    /// <summary>An address that this host does not have can be bound.</summary>
    [Fact]
    public void Free_bind_accepts_an_absent_address() => KernelThread.InNewNetwork(() =>
    {
        using var four = Given.Listener("tcp://192.0.2.1:0", spec => spec with { Bind = new() { FreeBind = true } });
        using var six = Given.Listener("tcp://[2001:db8::1]:0", spec => spec with { Bind = new() { FreeBind = true } });
    });

    [Fact]
    public void A_listener_of_a_device_accepts_only_from_this_device() => KernelThread.InNewNetwork(() =>
    {
        using var handle = Given.Listener("tcp://0.0.0.0:0", spec => spec with { Bind = new() { Device = "lo" } });
        Assert.Equal("lo\0"u8, Libc.GetOption(handle.Descriptor!, 1, 25)!);
        using var client = Loopback.Connect(Given.Address($"tcp://127.0.0.1:{handle.Effective!.Port}"));
        using var accepted = Libc.Accept(handle.Descriptor!);
        using var absent = Given.Attempt("tcp://0.0.0.0:0", spec => spec with { Bind = new() { Device = "nowhere0" } });
        Assert.Equal(("setsockopt", "ENODEV"), (absent.Failure!.Call, absent.Failure.Name));
    });
}
