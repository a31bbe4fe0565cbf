using Supervisor.Daemon.Runtime;
using Supervisor.Daemon.Tests.Fakes;

namespace Supervisor.Daemon.Tests.Runtime;

/// <summary>A successor answers clients before it does what can be done later.</summary>
public class LateWorkTests
{
    [Fact]
    public async Task Late_work_begins_after_the_first_client_is_served()
    {
        using var loop = new LoopThread();
        var served = new TaskCompletionSource();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var steps = 0;
        var work = new LateWork(loop.Loop, Steps());
        await loop.Do(() => work.ContinueAfter(served.Task));

        // Another turn of the loop.
        Assert.Equal(0, await loop.Ask(() => steps));
        served.SetResult();
        await done.Task.WaitAsync(Patience.Deadline);
        Assert.Equal(3, steps);

        IEnumerable<int> Steps()
        {
            while (steps < 3)
            {
                yield return ++steps;
            }

            done.SetResult();
        }
    }

    [Fact]
    public async Task Late_work_begins_at_once_if_no_client_waits()
    {
        using var loop = new LoopThread();
        var steps = 0;
        Assert.Equal(1, await loop.Ask(() =>
        {
            new LateWork(loop.Loop, Enumerable.Range(0, 1).Select(_ => ++steps)).ContinueAfter(Task.CompletedTask);
            return steps;
        }));
    }
}
