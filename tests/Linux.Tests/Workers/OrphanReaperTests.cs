using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Workers;

/// <summary>The loop does not wait while the kernel forgets what was read of a worker in /proc.</summary>
public class OrphanReaperTests : KernelTest
{
    [Fact]
    public void A_worker_is_the_daemons_own_until_another_thread_has_reaped_it()
    {
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        var child = Child.Spawn(
            new() { Path = "/bin/true", Arguments = ["true"], Environment = [], Descriptors = [nothing, nothing, nothing] }, out _)!.Value;
        using var pidfd = child.Pidfd;
        Libc.WaitFor(pidfd);
        using var loop = new LoopThread();
        using var orphans = new OrphanReaper(loop.Loop);
        Libc.EndSubreaper();
        Assert.NotNull(Processes.PeekExit(pidfd));

        // Its end is posted to the loop, so it comes after this.
        Assert.True(loop.Await<bool>(done =>
        {
            orphans.Reap(child.Pid);
            done(orphans.IsOwn(child.Pid));
        }));
        Assert.True(SpinWait.SpinUntil(() => !orphans.IsOwn(child.Pid), Patience));
        Assert.Null(Processes.PeekExit(pidfd));
    }

    [Fact]
    public void An_orphan_is_reaped_after_a_worker_that_exited_before_it()
    {
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        using var loop = new LoopThread();
        using var orphans = new OrphanReaper(loop.Loop);
        var child = Child.Spawn(
            new()
            {
                Path = "/bin/sh",
                Arguments = ["sh", "-c", "/bin/true & exec /bin/true"],
                Environment = [],
                Descriptors = [nothing, nothing, nothing],
            },
            out _)!.Value;
        using var pidfd = child.Pidfd;
        loop.Await<bool>(done =>
        {
            orphans.Add(child.Pid);
            done(true);
        });
        Libc.WaitFor(pidfd);
        loop.Await<bool>(done =>
        {
            orphans.Reap(child.Pid);
            done(true);
        });
        Assert.True(SpinWait.SpinUntil(() => !orphans.IsOwn(child.Pid) && Processes.WaitAnyExited() == 0, Patience));
        Libc.EndSubreaper();
    }
}
