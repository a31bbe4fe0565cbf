using Serilog.Core;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Linux.Tests.Workers;

/// <summary>What a turn of the loop costs does not grow with the number of services.</summary>
public class TurnCostTests : KernelTest
{
    private readonly TemporaryDirectory _directory = new();

    public override void Dispose()
    {
        _directory.Dispose();
        base.Dispose();
    }

    [Fact]
    public void A_turn_reads_no_deadline_of_a_service()
    {
        using var loop = new LoopUnderTest();
        using var orphans = loop.On(() => new OrphanReaper(loop.Loop));
        using var spawner = new Spawner(_directory.Path, "/broker", TimeProvider.System, orphans)
        {
            Disposer = loop.Disposer,
            Tokens = new WorkerTokens(null)
        };
        var before = loop.On(() => loop.Loop.DeadlinesOfTurn);
        var service = loop.On(() => new ServiceRunner(
            loop.Loop, spawner, new ServiceSpec { Name = "some", Command = ["/bin/sleep", "1000"], Readiness = Readiness.Started },
            [], Logger.None, loop.Disposer, orphans));
        loop.On(() => service.Requests.Start());
        loop.Until(() => service.State.Ready == 1);
        Assert.Equal(before, loop.On(() => loop.Loop.DeadlinesOfTurn));
        loop.On(() => service.Post(new StopRequested()));
        loop.Until(() => service.IsGone);
        loop.On(service.Dispose);
        Libc.EndSubreaper();
    }
}
