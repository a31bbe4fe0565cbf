using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Listeners;

/// <summary>The kernel treats accepted connections as the catalogue says.</summary>
public class InheritanceTests : KernelTest
{
    /// <summary>Every option on every kind of listener that has it, and on MPTCP if it supports the option.</summary>
    public static TheoryData<string, string> Rows()
    {
        var rows = new TheoryData<string, string>();
        string[] addresses =
        [
            "tcp://127.0.0.1:0", "tcp://[::1]:0", "mptcp://127.0.0.1:0", "mptcp://[::1]:0",
            "unix://@linux-tests-inherit", "unix-seqpacket://@linux-tests-inherit",
        ];
        foreach (var address in addresses)
        {
            var parsed = Given.Address(address);
            foreach (var option in SocketOptions.All.Where(option => option.AppliesTo(parsed.Kind, ListenerPlan.Domains(parsed)[0])))
            {
                rows.Add(address, option.Name);
            }
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void An_accepted_connection_inherits_what_the_catalogue_lists(string address, string name)
    {
        var parsed = Given.Address(address);
        var option = SocketOptions.All.Single(option => option.Name == name);
        using var listener = Loopback.Socket(parsed);
        var asKernelHasIt = OptionAccess.Get(listener, option);
        if (OptionAccess.Set(listener, option, Other(option, asKernelHasIt)) is { } error)
        {
            Assert.Contains(error.Name, new[] { "EOPNOTSUPP", "ENOPROTOOPT" });
            Assert.True(parsed.Kind == ListenerKind.Mptcp || parsed.Kind.IsUnix(), $"{error} on {address}");
            return;
        }

        Assert.Null(Sockets.Bind(listener, Sockaddr.Encode(parsed)!));
        Assert.Null(Sockets.Listen(listener, 8));
        using var client = Loopback.Connect(Loopback.AddressOf(listener));
        Libc.Send(client, "x"u8);
        using var accepted = Libc.Accept(listener);

        var set = OptionAccess.Get(listener, option);
        Assert.NotEqual(asKernelHasIt, set);
        var got = OptionAccess.Get(accepted, option);
        switch (option.InheritanceOn(parsed.Kind))
        {
            case OptionInheritance.Inherited:
                Assert.Equal(set, got);
                break;
            case OptionInheritance.ListenerOnly:
                Assert.Equal(asKernelHasIt, got);
                break;
            default:
                Assert.Fail("it has accepted connections");
                break;
        }
    }

    /// <summary>On a dual-stack listener the IPv4 options apply to connections over IPv4.</summary>
    [Theory]
    [InlineData("IP_TOS")]
    [InlineData("IP_TTL")]
    [InlineData("TCP_NODELAY")]
    public void A_dual_stack_listener_passes_options_to_IPv4_connections(string name)
    {
        var option = SocketOptions.All.Single(option => option.Name == name);
        using var handle = Given.Listener(
            "tcp://[::]:0",
            spec => spec with { Accepted = new() { TypeOfService = 16, TimeToLive = 33, NoDelay = true } });
        using var client = Loopback.Connect(Given.Address($"tcp://127.0.0.1:{handle.Effective!.Port}"));
        using var accepted = Libc.Accept(handle.Descriptor!);
        Assert.Equal(OptionAccess.Get(handle.Descriptor!, option), OptionAccess.Get(accepted, option));
        Assert.Equal(handle.Asked.Of(option)!.Value.Effective, OptionAccess.Get(accepted, option));
    }

    /// <summary>A datagram socket has no accepted connections.</summary>
    [Fact]
    public void Datagram_options_are_not_inherited() => Assert.All(
        SocketOptions.All.Where(option => option.AppliesTo(ListenerKind.Udp, SocketDomain.IPv6)),
        option => Assert.Equal(OptionInheritance.NotApplicable, option.InheritanceOn(ListenerKind.Udp)));

    /// <summary>A value other than the current one.</summary>
    private static OptionValue Other(SocketOption option, OptionValue? now) => option.Shape switch
    {
        OptionShape.Flag => OptionValue.Of(now?.Number != 1),
        OptionShape.Linger => OptionValue.Of(5),
        OptionShape.Name when option == SocketOptions.BindToDevice => OptionValue.Of("lo"),
        OptionShape.Name => OptionValue.Of(
            Sysctl.Read("net.ipv4.tcp_available_congestion_control")!.Split(' ').First(name => name != now?.Text)),
        _ when option.Name.Contains("BUF", StringComparison.Ordinal) => OptionValue.Of(100_000),
        _ => OptionValue.Of(option == SocketOptions.TypeOfService || option == SocketOptions.TrafficClass ? 16 : 7),
    };
}
