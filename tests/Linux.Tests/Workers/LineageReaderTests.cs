using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Workers;

/// <summary>A process's identity as the kernel reports it.</summary>
public class LineageReaderTests : KernelTest
{
    private readonly TemporaryDirectory _directory = new();

    public override void Dispose()
    {
        _directory.Dispose();
        base.Dispose();
    }

    [Fact]
    public void A_set_user_id_program_has_different_users_from_a_worker()
    {
        File.SetUnixFileMode(_directory.Path, (UnixFileMode)0x1ED);
        File.Copy("/bin/cat", _directory["cat"]);
        File.SetUnixFileMode(_directory["cat"], (UnixFileMode)0x9ED);
        var plain = StartCat("/bin/cat", out var input, uid: 65534);
        var raised = StartCat(_directory["cat"], out var other, uid: 65534);
        Assert.Equal((65534u, 65534u, 65534u), ProcFile.UsersOf(plain.Pid));
        Assert.Equal((65534u, 0u, 0u), ProcFile.UsersOf(raised.Pid));
        Assert.Equal(0u, LineageReader.Read(raised.Pid, raised.Pidfd, null)!.Uid);
        input.Dispose();
        other.Dispose();
        Child.End(plain);
        Child.End(raised);
        Assert.Null(ProcFile.UsersOf(plain.Pid));
    }

    [Fact]
    public void A_lineage_is_the_parent_chain_until_the_process_is_reaped()
    {
        var child = StartCat("/bin/cat", out var input);
        var lineage = LineageReader.Read(child.Pid, child.Pidfd, 7)!;
        var step = Assert.Single(lineage.Chain);
        Assert.Equal(
            (child.Pid, Processes.CurrentPid, child.Pid, true, 7u),
            (step.Pid, step.ParentPid, step.SessionId, lineage.IsBelowDaemon, lineage.Uid));
        Assert.Equal(ProcFile.Read(child.Pid)!.Value.StartTime, step.StartTime);
        Assert.Equal(
            File.ReadAllLines("/proc/self/cgroup").FirstOrDefault(line => line.StartsWith("0::", StringComparison.Ordinal))?[3..],
            lineage.Cgroup);
        input.Dispose();
        Libc.WaitFor(child.Pidfd);
        Assert.NotNull(Processes.Reap(child.Pidfd));
        Assert.Null(LineageReader.Read(child.Pid, child.Pidfd, 7));
        child.Pidfd.Dispose();
    }

    [Fact]
    public async Task A_process_has_the_variables_of_its_exec()
    {
        var child = StartCat("/bin/cat", out var input, "A=1", "LISTEND_TOKEN=x=y", "LISTEND_TOKEN=z", "B=");
        var values = await ProcessEnvironment.ReadAsync(child.Pid, Processes.EffectiveUid, "LISTEND_TOKEN", "B", "LISTEND");
        Assert.Equal(("x=y", "", null), (values[0], values[1], values[2]));
        input.Dispose();
        Child.End(child);
        Assert.Null((await ProcessEnvironment.ReadAsync(child.Pid, Processes.EffectiveUid, "A"))[0]);
    }

    [Fact]
    public void Each_token_has_the_mark_and_is_unique()
    {
        var tokens = new WorkerTokens();
        var (one, other) = (tokens.New(), tokens.New());
        Assert.NotEqual(one, other);
        Assert.Equal(64, one.Length);
        Assert.True(new WorkerTokens(tokens.Mark).IsOurs(one));
        Assert.False(new WorkerTokens().IsOurs(one));
        Assert.False(tokens.IsOurs(one + "0"));
        Assert.False(tokens.IsOurs(tokens.Mark));
        Assert.False(tokens.IsOurs(null));
    }

    /// <summary>A worker's message is accepted by its session at once; other senders need a probe.</summary>
    [Fact]
    public void A_worker_identifies_its_session_with_one_call()
    {
        var leader = StartCat("/bin/cat", out var input);
        var stranger = StartCat("/bin/cat", out var other);
        var output = new OutputPipe(Files.EndedPipe(), _ => { });
        var notify = NotifySocket.Create(_directory["n"], null, out _)!;
        using (var worker = new WorkerProcess(leader.Pid, leader.Pidfd, notify, output, output, default) { Token = "t" })
        {
            Assert.True(worker.Knows(leader.Pid));
            Assert.Null(worker.Knows(stranger.Pid));
            Assert.False(worker.Knows(0));
            Assert.False(worker.Owns(LineageReader.Read(stranger.Pid, stranger.Pidfd, null)!));
            Assert.False(worker.Owns(LineageReader.Read(stranger.Pid, stranger.Pidfd, null)! with { Token = "u" }));
            Assert.True(worker.Owns(LineageReader.Read(stranger.Pid, stranger.Pidfd, null)! with { Token = "t" }));
            input.Dispose();
            other.Dispose();
            Libc.WaitFor(leader.Pidfd);
            worker.Reap();
            Assert.Equal(0, worker.Facts.Session);
        }

        Child.End(stranger);
    }

    private static Child.Started StartCat(string path, out DescriptorHandle input, params string[] environment) =>
        StartCat(path, out input, null, environment);

    /// <summary>A process that runs until its input ends.</summary>
    private static Child.Started StartCat(string path, out DescriptorHandle input, uint? uid, params string[] environment)
    {
        Assert.True(Libc.SocketPair(out var ours, out var its));
        using (its)
        {
            input = ours!;
            var child = Child.Start(
                new() { Path = path, Arguments = [path], Environment = environment, Descriptors = [its!, its!, its!], Uid = uid });
            Libc.Send(ours!, "x"u8);
            Assert.Equal("x"u8, Libc.Receive(ours!));
            return child;
        }
    }
}
