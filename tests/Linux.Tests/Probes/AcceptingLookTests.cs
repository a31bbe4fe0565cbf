using System.Runtime.InteropServices;
using Supervisor.Linux.Probes;
using Supervisor.Linux.Tests.Abi;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Probes;

/// <summary>Whether this process waits for connections, as seen from outside.</summary>
public class AcceptingLookTests : KernelTest
{
    [Fact]
    public async Task A_listener_in_an_epoll_set_counts_as_accepting()
    {
        using var listener = Given.Listener("tcp://127.0.0.1:0");
        Assert.Contains("\"web\"", await Look(listener.Inode), StringComparison.Ordinal);

        using var set = Polling.CreateSet();
        Assert.Null(Polling.Add(set, listener.Descriptor!, 1));
        Assert.Null(await Look(listener.Inode));

        Polling.Remove(set, listener.Descriptor!);
        Assert.NotNull(await Look(listener.Inode));
    }

    [Fact]
    public async Task Each_listener_must_be_in_an_epoll_set()
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
    public async Task A_blocked_accept_call_counts_as_accepting(string call)
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
            while (await new AcceptProbe(this, () => child.Pid, [("web", listener.Inode)]).ProbeAsync(default) is { } seen)
            {
                Assert.True(TimeProvider.System.GetElapsedTime(deadline) < Patience, seen);
                await Task.Yield();
            }
        }
        finally
        {
            Processes.Signal(child.Pidfd, 9);
            Child.End(child);
        }
    }

    [Theory]
    [InlineData("e.register(3, select.EPOLLIN)", true)]
    [InlineData("e.register(3, select.EPOLLIN | select.EPOLLET)", false)]
    [InlineData("e.register(3, select.EPOLLOUT)", false)]
    [InlineData("e.register(3, select.EPOLLIN); os.close(3)", false)]
    [InlineData("e.register(3, select.EPOLLIN); os.close(3); os.open('/dev/null', 0)", false)]
    [InlineData("e.register(3, select.EPOLLIN); e.unregister(3)", false)]
    [InlineData("e.register(3, select.EPOLLIN); os.fork()", true)]
    public void Only_a_level_triggered_open_entry_counts_as_waiting(string steps, bool waits)
    {
        using var listener = Given.Listener("tcp://127.0.0.1:0");
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        Assert.Null(Files.Pipe(out var reader, out var writer));
        using var output = reader!;
        var child = Child.Start(new ChildProcess.Plan
        {
            Path = "/usr/bin/env",
            Arguments =
                ["env", "python3", "-c", $"import os, select, signal; e = select.epoll(); {steps}; os.write(1, b'x'); signal.pause()"],
            Environment = Child.Environment,
            Descriptors = [nothing, writer!, nothing, listener.Descriptor!],
        });
        writer!.Dispose();
        try
        {
            Libc.WaitFor(output);
            Assert.Equal(waits ? [listener.Inode] : [], AcceptProbe.Awaited(child.Pid, [listener.Inode, 1]));
        }
        finally
        {
            foreach (var pid in WorkerTree.Of(child.Pid).Skip(1))
            {
                Processes.Kill(pid, 9);
            }

            Processes.Signal(child.Pidfd, 9);
            Child.End(child);
        }
    }

    [Fact]
    public void System_call_numbers_match_the_headers()
    {
        var program = new AbiProgram("<sys/syscall.h>", "<poll.h>");
        var isX64 = RuntimeInformation.ProcessArchitecture == Architecture.X64;
        program.Equal("SYS_accept", isX64 ? 43 : 202, "AcceptingLook");
        program.Equal("SYS_accept4", isX64 ? 288 : 242, "AcceptingLook");
        program.Equal("SYS_ppoll", isX64 ? 271 : 73, "AcceptingLook");
        program.Equal("SYS_pselect6", isX64 ? 270 : 72, "AcceptingLook");
        program.Equal("SYS_kcmp", isX64 ? 312 : 272, "Descriptors.AreSame");
        program.Equal("POLLIN", 1, "AcceptingLook");
        if (isX64)
        {
            program.Equal("SYS_poll", 7, "AcceptingLook");
            program.Equal("SYS_select", 23, "AcceptingLook");
        }

        Assert.Empty(program.Compile());
    }

    private static Task<string?> Look(params ulong[] inodes) =>
        new AcceptProbe(new object(), () => Processes.CurrentPid, [.. inodes.Select(inode => ("web", inode))]).ProbeAsync(default);
}
