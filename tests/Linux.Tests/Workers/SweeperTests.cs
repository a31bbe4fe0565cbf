using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Workers;

/// <summary>How often the sweeper looks at all children of the daemon, of which there can be thousands.</summary>
public class SweeperTests : KernelTest
{
    [Fact]
    public async Task Workers_that_crash_in_a_row_share_a_look_at_the_daemons_children()
    {
        using var loop = new LoopThread();
        using var orphans = new OrphanReaper(loop.Loop);
        Libc.EndSubreaper();
        using var sweeper = new Sweeper(loop.Loop, orphans) { CrashInterval = TimeSpan.FromDays(1) };
        await SweepAsync(loop, sweeper, Crashed(canWait: true));
        Assert.Equal(1, sweeper.Looks);

        // They wait for the next look, and a worker that somebody stops does not.
        Task[] crashed = [.. Enumerable.Range(0, 20).Select(_ => SweepAsync(loop, sweeper, Crashed(canWait: true)))];
        await SweepAsync(loop, sweeper, Crashed(canWait: false));
        await Task.WhenAll(crashed).WaitAsync(Patience);
        Assert.Equal(2, sweeper.Looks);
    }

    [Fact]
    public async Task An_empty_cgroup_shows_without_such_a_look_that_a_worker_has_left_nothing()
    {
        using var loop = new LoopThread();
        using var orphans = new OrphanReaper(loop.Loop);
        Libc.EndSubreaper();
        using var sweeper = new Sweeper(loop.Loop, orphans);
        var cgroup = Directory.CreateTempSubdirectory("cgroup-").FullName;
        await File.WriteAllTextAsync(Path.Combine(cgroup, "cgroup.events"), "populated 0\nfrozen 0\n");
        await SweepAsync(loop, sweeper, new Sweep { Cgroup = cgroup, IsLeaderDead = true });
        Assert.Equal(0, sweeper.Looks);
        Directory.Delete(cgroup, recursive: true);
    }

    /// <summary>A sweep for a worker that is younger than every child of this process.</summary>
    private static Sweep Crashed(bool canWait) => new()
    {
        IsLeaderDead = true,
        CanWait = canWait,
        Worker = new()
        {
            Main = 0,
            MainStart = 0,
            First = 0,
            FirstStart = ulong.MaxValue,
            Session = 0,
            MainSession = 0,
            Uid = Processes.EffectiveUid,
            Cgroup = null,
            Token = "",
            IsForeign = false,
        },
    };

    private static async Task SweepAsync(LoopThread loop, Sweeper sweeper, Sweep sweep)
    {
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Loop.Post(() => sweeper.Begin(With(sweep, done.SetResult)));
        Assert.False(await done.Task.WaitAsync(Patience), "the sweep was given up");
    }

    private static Sweep With(Sweep sweep, Action<bool> onDone) => new()
    {
        IsLeaderDead = sweep.IsLeaderDead,
        CanWait = sweep.CanWait,
        Worker = sweep.Worker,
        Cgroup = sweep.Cgroup,
        OnDone = onDone,
    };
}
