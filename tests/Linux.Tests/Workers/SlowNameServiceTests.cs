using Microsoft.Extensions.Time.Testing;
using Serilog.Core;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Workers;

/// <summary>A service whose user cannot be resolved waits, without effect on other services.</summary>
public class SlowNameServiceTests : KernelTest
{
    private readonly TemporaryDirectory _directory = new();

    public override void Dispose()
    {
        _directory.Dispose();
        base.Dispose();
    }

    [Fact]
    public async Task A_hanging_user_lookup_does_not_block_other_services()
    {
        var users = new HangingUsers();
        var time = new FakeTimeProvider();
        var directory = new UserDirectory(users, time);
        using var loop = new LoopUnderTest();
        using var orphans = loop.On(() => new OrphanReaper(loop.Loop));
        using var spawner = new Spawner(_directory.Path, "/broker", TimeProvider.System, orphans)
        {
            Disposer = loop.Disposer,
            Tokens = new WorkerTokens(null)
        };
        ServiceRunner Runner(string name, string? user) => loop.On(() => new ServiceRunner(
            loop.Loop, spawner, new ServiceSpec
            {
                Name = name,
                Command = ["/bin/sleep", "1000"],
                User = user,
                Readiness = Readiness.Started,
                StopTimeout = TimeSpan.FromSeconds(1)
            },
            [], Logger.None, loop.Disposer, orphans, users: directory));
        var (waiting, other) = (Runner("waiting", "slow"), Runner("other", null));

        var refused = new TaskCompletionSource<string?>();
        loop.On(() => waiting.Requests.Start(refused.SetResult));
        Assert.Equal("resolving user \"slow\"", loop.On(() => waiting.Generations.Waits));
        loop.On(() => other.Requests.Start());
        loop.Until(() => other.State.Ready == 1);

        // A crashed worker is replaced, and a roll-out completes.
        var crashed = loop.On(() => other.State.Workers.Single().Pid!.Value);
        using (var process = Processes.OpenPidfd(crashed, out _))
        {
            Processes.Signal(process!, 9);
        }

        loop.Until(() => other.State.Ready == 1 && other.State.Workers[^1].Pid != crashed);
        loop.On(() => other.Requests.Restart());
        loop.Until(() => other.State is { Generation: 2, Rollout.Phase: RolloutPhase.Done });

        time.Advance(UserDirectory.Patience);
        Assert.Contains(
            "user \"slow\": the name service did not answer within 30s",
            await refused.Task.WaitAsync(Patience),
            StringComparison.Ordinal);
        Assert.Equal((null, true), loop.On(() => (waiting.Generations.Waits, waiting.Requests.Blocked is not null)));
        Assert.Equal(ServiceCondition.Stopped, loop.On(() => waiting.State.Condition));

        // The service stops while the name is looked up again: no worker starts.
        var stopped = new TaskCompletionSource<string?>();
        loop.On(() => waiting.Requests.Start(stopped.SetResult));
        loop.On(() => waiting.Post(new StopRequested()));
        Assert.Contains("stopped", await stopped.Task.WaitAsync(Patience), StringComparison.Ordinal);
        users.Release();

        loop.On(() => other.Post(new StopRequested()));
        loop.Until(() => other.IsGone);
        loop.On(waiting.Dispose);
        loop.On(other.Dispose);
        Libc.EndSubreaper();
    }
}
