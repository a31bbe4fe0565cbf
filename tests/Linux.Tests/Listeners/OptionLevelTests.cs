using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Listeners;

/// <summary>The kernel refuses each option of a level that the socket does not have.</summary>
public sealed class OptionLevelTests : KernelTest
{
    private const int MostNumbers = 120;

    [Theory]
    [InlineData("tcp://127.0.0.1:0")]
    [InlineData("tcp://[::1]:0")]
    [InlineData("mptcp://127.0.0.1:0")]
    [InlineData("udp://127.0.0.1:0")]
    [InlineData("udp://[::1]:0")]
    [InlineData("unix://@level")]
    [InlineData("unix-dgram://@level")]
    [InlineData("unix-seqpacket://@level")]
    [InlineData("netlink://route/0")]
    public void Refused_levels_have_no_option_that_can_be_set(string address)
    {
        var spec = Given.Spec(address);
        var (kind, domain) = (spec.Address.Kind, ListenerPlan.Domains(spec.Address)[0]);
        using var socket = ListenerSockets.Open(new CreateStep(kind, domain, NonBlocking: true), out var refused);
        Assert.True(socket is not null, $"{refused}");
        var levels = OptionNames.Levels.Where(level => OptionLevelKinds.IsRefused(level.Number, kind, domain)).ToArray();
        Assert.NotEmpty(levels);
        Assert.All(levels, level => Assert.All(
            Enumerable.Range(1, MostNumbers),
            number => Assert.Contains(
                Sockets.SetInt32(socket!, level.Number, number, 1)?.Name, new[] { "ENOPROTOOPT", "EOPNOTSUPP" })));
    }
}
