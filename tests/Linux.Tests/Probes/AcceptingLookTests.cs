using Supervisor.Linux.Probes;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Probes;

/// <summary>Whether this process waits for connections, as it is seen from outside.</summary>
public class AcceptingLookTests : KernelTest
{
    [Fact]
    public async Task A_listener_in_an_epoll_set_is_waited_on()
    {
        using var listener = Given.Listener("tcp://127.0.0.1:0");
        Assert.Contains("was not seen to wait for connections on \"web\"", await Look(listener.Inode), StringComparison.Ordinal);

        using var set = Polling.CreateSet();
        Assert.Null(Polling.Add(set, listener.Descriptor!, 1));
        Assert.Null(await Look(listener.Inode));

        Polling.Remove(set, listener.Descriptor!);
        Assert.NotNull(await Look(listener.Inode));
    }

    [Fact]
    public async Task Each_listener_must_be()
    {
        using var one = Given.Listener("tcp://127.0.0.1:0");
        using var other = Given.Listener("unix://@linux-tests-accepting");
        using var set = Polling.CreateSet();
        Polling.Add(set, one.Descriptor!, 1);
        Assert.NotNull(await Look(one.Inode, other.Inode));
        Polling.Add(set, other.Descriptor!, 2);
        Assert.Null(await Look(one.Inode, other.Inode));
    }

    [Theory]
    [InlineData("socket.socket(fileno=3).accept()")]
    [InlineData("select.select([3], [], [])")]
    [InlineData("p = select.poll(); p.register(3, select.POLLIN); p.poll()")]
    public async Task A_blocked_call_waits_too(string call)
    {
        using var listener = Given.Listener("tcp://127.0.0.1:0");
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        var child = Child.Start(new ChildProcess.Plan
        {
            Path = "/usr/bin/env",
            Arguments = ["env", "python3", "-c", $"import select, socket; {call}"],
            Environment = Child.Environment,
            Descriptors = [nothing, nothing, nothing, listener.Descriptor!],
        });
        try
        {
            var deadline = TimeProvider.System.GetTimestamp();
            while (await new AcceptingLook(() => child.Pid, [("web", listener.Inode)]).LookAsync(default) is { } seen)
            {
                Assert.True(TimeProvider.System.GetElapsedTime(deadline) < Patience, seen);
                await Task.Delay(1);
            }
        }
        finally
        {
            Processes.Signal(child.Pidfd, 9);
            Child.End(child);
        }
    }

    private static Task<string?> Look(params ulong[] inodes) =>
        new AcceptingLook(() => Processes.CurrentPid, [.. inodes.Select(inode => ("web", inode))]).LookAsync(default);
}
