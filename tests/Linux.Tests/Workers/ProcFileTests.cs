using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Workers;

/// <summary>A process's parent and session, whatever its name is.</summary>
public class ProcFileTests : KernelTest
{
    [Theory]
    [InlineData("plain")]
    [InlineData("a b) S 1 1 (x")]
    [InlineData(")")]
    [InlineData("new\nline")]
    public void A_process_name_of_any_characters_hides_no_field(string name)
    {
        using var directory = new TemporaryDirectory();
        File.Copy("/bin/cat", directory[name]);

        // spawn() returns when the child has left our memory. The kernel sets its name a moment later, so wait for its output.
        Assert.True(Libc.SocketPair(out var ours, out var its));
        using var socket = ours;
        var child = Start(directory[name], its!);
        Libc.Send(socket!, "x"u8);
        Assert.Equal("x"u8, Libc.Receive(socket!));
        var file = ProcFile.Read(child.Pid)!.Value;
        Assert.Equal((Processes.CurrentPid, child.Pid), (file.ParentPid, file.SessionId));
        Assert.Equal(name, ProcFile.Command(child.Pid));
        Assert.True(ProcessTree.DescendsFrom(child.Pid, child.Pid));
        Assert.True(ProcessTree.DescendsFrom(child.Pid, Processes.CurrentPid));
        Assert.False(ProcessTree.DescendsFrom(Processes.CurrentPid, child.Pid));
        Processes.Signal(child.Pidfd, 9);
        Child.End(child);
        Assert.Null(ProcFile.Read(child.Pid));
        Assert.Null(ProcFile.Command(child.Pid));
        Assert.False(ProcessTree.DescendsFrom(child.Pid, Processes.CurrentPid));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1)]
    public void No_process_descends_from_an_invalid_worker_pid(int pid) =>
        Assert.False(ProcessTree.DescendsFrom(pid, Processes.CurrentPid));

    /// <summary>An orphan still belongs to its session, although it has another parent.</summary>
    [Fact]
    public void Orphans_of_a_session_are_found_and_killed()
    {
        Assert.Null(Files.Pipe(out var reader, out var writer));
        using (reader)
        {
            // The leader leaves grandchildren behind, reports that, and stays a zombie until it is reaped.
            Child.Started leader;
            using (var nothing = Files.Open("/dev/null", 2, 0, out _)!)
            using (writer)
            {
                leader = Child.Start(new()
                {
                    Path = "/bin/sh",
                    Arguments = ["sh", "-c", "for i in 1 2 3; do (sleep 1000 & sleep 1000 &) ; done; exit 0"],
                    Environment = ["PATH=/bin:/usr/bin"],
                    Descriptors = [nothing, writer!, nothing],
                });
            }

            Libc.WaitFor(leader.Pidfd);
            Assert.Equal(6, ProcessTree.MembersOf(leader.Pid).Count());
            Assert.All(ProcessTree.MembersOf(leader.Pid), member => Assert.True(ProcessTree.DescendsFrom(member, leader.Pid)));
            using var loop = new LoopThread();
            using var orphans = new OrphanReaper(loop.Loop);
            var output = new OutputPipe(reader!, _ => { });
            using var worker = new WorkerProcess(
                leader.Pid,
                leader.Pidfd,
                NotifySocket.Create(Path.GetTempFileName(), null, out _)!,
                output,
                output,
                default);
            Assert.False(loop.Await<bool>(done => orphans.Sweeper.Begin(
                new Sweep { Sessions = worker.Main.Sessions(), Leaders = [worker.Pid], OnDone = done })));
            Libc.EndSubreaper();

            // All of them held the pipe's other end, so the end of the pipe shows that all have exited.
            Assert.Equal("", Child.ReadToEnd(reader!));
            Assert.NotNull(Processes.Reap(leader.Pidfd));
        }
    }

    private static Child.Started Start(string path, DescriptorHandle its)
    {
        using (its)
        {
            return Child.Start(new() { Path = path, Arguments = [path], Environment = [], Descriptors = [its, its, its] });
        }
    }

    /// <summary>The kernel continues a list that does not fit into a page by counting, and misses one for each that was reaped before.</summary>
    [Fact]
    public void No_child_is_missing_because_another_one_is_reaped_during_the_look()
    {
        const int count = 1500;
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        Processes.BecomeSubreaper();
        try
        {
            // Each waits for the end of the pipe, as a child of this process when the shell has exited.
            Child.End(Child.Start(new ChildProcess.Plan
            {
                Path = "/bin/sh",
                Arguments = ["sh", "-c",
                    $"(sleep 1000 &) | {{ exec 3<&0; i=0; while [ $i -lt {count} ]; do read x <&3 & i=$((i + 1)); done; }}"],
                Environment = ["PATH=/bin:/usr/bin"],
                Descriptors = [nothing, nothing, nothing],
            }));
            var all = ProcFile.OwnChildren();
            Assert.True(all.Count > count, $"{all.Count} children");
            int? reaped = null;
            var seen = ProcFile.OwnChildren(EndFirst);
            Assert.Equal([], all.Except(seen).Except([reaped!.Value]));
            reaped = null;
            Assert.True(ProcFile.HasOnlyKnownChildren(Processes.CurrentPid, EndFirst));

            bool EndFirst(int pid)
            {
                if (reaped is null)
                {
                    reaped = pid;
                    End(pid);
                }

                return true;
            }
        }
        finally
        {
            foreach (var pid in ProcFile.OwnChildren())
            {
                End(pid);
            }

            Libc.EndSubreaper();
        }

        static void End(int pid)
        {
            using var pidfd = Processes.OpenPidfd(pid, out _)!;
            Processes.Kill(pid, KernelAbi.SIGKILL);
            Polling.Await(pidfd, TimeSpan.FromSeconds(60));
            Assert.NotNull(Processes.Reap(pid));
        }
    }

    /// <summary>The loop may look only as long as it finds what the daemon has started: a worker can leave thousands of orphans.</summary>
    [Fact]
    public void A_look_at_the_children_ends_with_the_first_unknown_one()
    {
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        Assert.Null(Files.Pipe(out var reader, out var writer));
        using var end = reader!;
        Child.Started shell;
        using (writer)
        {
            shell = Child.Start(new ChildProcess.Plan
            {
                Path = "/bin/sh",
                Arguments = ["sh", "-c", "for i in 1 2 3; do sleep 1000 >/dev/null & done; exec >/dev/null; wait"],
                Environment = ["PATH=/bin:/usr/bin"],
                Descriptors = [nothing, writer!, nothing],
            });
        }

        Child.ReadToEnd(end);
        var all = ProcFile.ChildrenOf(shell.Pid)!;
        try
        {
            Assert.Equal(3, all.Count);
            Assert.True(ProcFile.HasOnlyKnownChildren(shell.Pid, all.Contains));
            var seen = new List<int>();
            Assert.False(ProcFile.HasOnlyKnownChildren(shell.Pid, child =>
            {
                seen.Add(child);
                return child != all[1];
            }));
            Assert.Equal([all[0], all[1]], seen);
            Assert.False(ProcFile.HasOnlyKnownChildren(all[0], static _ => true), "without children nothing is shown");
        }
        finally
        {
            Processes.Kill(-shell.Pid, KernelAbi.SIGKILL);
            Child.End(shell);
        }
    }
}
