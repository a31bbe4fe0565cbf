using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Tests.Listeners;

public class SocketOptionsTests
{
    [Fact]
    public void Option_names_and_numbers_are_unique()
    {
        Assert.Equal(SocketOptions.All.Length, SocketOptions.All.Select(option => option.Name).Distinct().Count());
        Assert.Equal(SocketOptions.All.Length, SocketOptions.All.Select(option => (option.Level, option.Number)).Distinct().Count());
    }

    [Fact]
    public void Options_that_decide_the_owner_are_set_before_bind() =>
        Assert.All(
            SocketOptions.All,
            option => Assert.True(!option.AffectsBindOwnership || option.Phase == HandlePhase.PreBind, option.Name));

    [Fact]
    public void Each_socket_shows_its_own_options()
    {
        Assert.Contains(SocketOptions.TrafficClass, Shown(ListenerKind.Tcp, SocketDomain.IPv6));
        Assert.DoesNotContain(SocketOptions.TrafficClass, Shown(ListenerKind.Tcp, SocketDomain.IPv4));
        Assert.DoesNotContain(SocketOptions.NoDelay, Shown(ListenerKind.Udp, SocketDomain.IPv4));
        Assert.DoesNotContain(SocketOptions.ReceivePacketInfo6, Shown(ListenerKind.Tcp, SocketDomain.IPv6));
        Assert.DoesNotContain(SocketOptions.ReceivePacketInfo6, Shown(ListenerKind.Udp, SocketDomain.IPv4));
        Assert.Contains(SocketOptions.ReceivePacketInfo6, Shown(ListenerKind.Udp, SocketDomain.IPv6));
        Assert.Contains(SocketOptions.PassCredentials, Shown(ListenerKind.UnixStream, SocketDomain.Unix));
        Assert.DoesNotContain(Shown(ListenerKind.UnixStream, SocketDomain.Unix), option => option.LevelName != "SOL_SOCKET");
    }

    private static IEnumerable<SocketOption> Shown(ListenerKind kind, SocketDomain domain) =>
        SocketOptions.Shown.Where(option => option.AppliesTo(kind, domain));
}
