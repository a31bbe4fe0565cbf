using Supervisor.Linux.Listeners;
using Supervisor.Linux.Tests.Kernel;

namespace Supervisor.Linux.Tests.Probes;

public sealed class InheritanceProbeTests : KernelTest
{
    /// <summary>The kernel passes on every setting of <c>accepted</c>, so none is rejected needlessly.</summary>
    [Theory]
    [InlineData("tcp://127.0.0.1:0")]
    [InlineData("tcp://[::1]:0")]
    public void Inherited_options_reach_the_accepted_connection(
        string address) => Assert.Empty(InheritanceProbe.Ask(Given.Spec(address, spec => spec with
        {
            Accepted = new()
            {
                NoDelay = true,
                KeepAlive = true,
                KeepAliveIdle = TimeSpan.FromSeconds(60),
                KeepAliveInterval = TimeSpan.FromSeconds(10),
                KeepAliveProbes = 6,
                UserTimeout = TimeSpan.FromSeconds(30),
                Linger = TimeSpan.Zero,
                NotSentLowWater = 16384,
                TypeOfService = 16,
                TimeToLive = 33,
            },
        })));
}
