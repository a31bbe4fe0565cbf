using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;
using Serilog.Events;
using Supervisor.Core;
using Supervisor.Linux.Output;
using Supervisor.Linux.Paths;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Paths;

/// <summary>Log files and environment files in a directory of the worker's user, who wants root to open another file.</summary>
public class TrustedFileTests : KernelTest
{
    private const uint Nobody = 65534;
    private static readonly FileRights Rights = new(Nobody, Nobody, []);
    private static readonly WorkerIdentity Worker = new(Nobody, Nobody, [], []);
    private static readonly WorkerIdentity Root = new(null, null, null, []);

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();

    public TrustedFileTests()
    {
        Directory.CreateDirectory(_directory["theirs"]);
        Libc.ChangeOwner(_directory["theirs"], Nobody, Nobody);
        Directory.CreateDirectory(_directory["secret"]);
        File.SetUnixFileMode(_directory["secret"], (UnixFileMode)0x1C0);
        File.WriteAllText(_directory["secret/file"], "SECRET=1\n");
    }

    public override void Dispose()
    {
        _directory.Dispose();
        base.Dispose();
    }

    /// <summary>A third user controls the path, so the worker does not get the file.</summary>
    [Fact]
    public void A_file_that_a_third_user_can_write_is_rejected()
    {
        const uint daemon = 1;
        Directory.CreateDirectory(_directory["foreign"]);
        File.WriteAllText(_directory["foreign/env"], "LD_PRELOAD=/tmp/x.so\n");
        Libc.ChangeOwner(_directory["foreign"], daemon, daemon);
        Assert.False(EnvironmentFile.TryRead(_directory["foreign/env"], Worker, out _, out var error));
        Assert.Contains(_directory["foreign"], error, StringComparison.Ordinal);
        Assert.NotEmpty(Log("foreign/out.log", "one"));
        Assert.False(File.Exists(_directory["foreign/out.log"]));
    }

    [Fact]
    public void A_log_file_in_the_workers_folder_belongs_to_the_worker()
    {
        Assert.Empty(Log("theirs/out.log", "one"));
        Assert.Equal("one\n", File.ReadAllText(_directory["theirs/out.log"]));
        using var walk = PathWalk.Of(_directory["theirs/out.log"], new PathTrust([]));
        Assert.Equal((Nobody, LogFile.Mode), (walk.TargetStatus.Uid, walk.TargetStatus.Permissions));
        Assert.Empty(Log("theirs/out.log", "two"));
        Assert.Equal("one\ntwo\n", File.ReadAllText(_directory["theirs/out.log"]));
    }

    [Theory]
    [InlineData("link to a file")]
    [InlineData("link to nothing")]
    [InlineData("link of the folder")]
    [InlineData("hard link")]
    [InlineData("fifo")]
    [InlineData("socket of proc")]
    public void A_log_file_link_cannot_escape_the_workers_permissions(string what)
    {
        var path = _directory["theirs/out.log"];
        switch (what)
        {
            case "link to a file":
                File.CreateSymbolicLink(path, _directory["secret/file"]);
                break;
            case "link to nothing":
                File.CreateSymbolicLink(path, _directory["secret/new"]);
                break;
            case "link of the folder":
                Directory.Delete(_directory["theirs"]);
                File.CreateSymbolicLink(_directory["theirs"], "secret");
                Libc.ChangeOwner(_directory["theirs"], Nobody, Nobody);
                break;
            case "hard link":
                Libc.Link(_directory["secret/file"], path);
                break;
            case "fifo":
                Libc.MakeFifo(path, 0x1B6);
                break;
            default:
                File.CreateSymbolicLink(path, "/proc/self/fd/2");
                break;
        }

        var begun = Stopwatch.StartNew();
        Assert.Equal(LogEventLevel.Error, Assert.Single(Log("theirs/out.log", "evil")).Level);
        Assert.True(begun.Elapsed < TimeSpan.FromSeconds(5), begun.Elapsed.ToString());
        Assert.Equal("SECRET=1\n", File.ReadAllText(_directory["secret/file"]));
        Assert.Equal([_directory["secret/file"]], Directory.GetFiles(_directory["secret"]));
    }

    [Fact]
    public void A_root_worker_logs_only_where_only_root_can_write()
    {
        var (log, events) = Given.Log();
        using var file = new LogFile(_directory["theirs/out.log"], _time, log);
        file.Write([new OutgoingLine(1, 1, 6, "one")]);
        var said = Assert.Single(events).RenderMessage(null);
        Assert.Contains("chown root", said, StringComparison.Ordinal);
        Assert.Contains("daemon.trusted_owners = [", said, StringComparison.Ordinal);
        Assert.False(File.Exists(_directory["theirs/out.log"]));
    }

    [Fact]
    public void A_link_owned_by_root_in_roots_folder_is_followed()
    {
        Directory.CreateDirectory(_directory["logs"]);
        File.CreateSymbolicLink(_directory["out.log"], "logs/real.log");
        Assert.Empty(Log("out.log", "one"));
        Assert.Equal("one\n", File.ReadAllText(_directory["logs/real.log"]));
    }

    [Fact]
    public void A_link_that_appears_later_is_not_followed()
    {
        var (log, events) = Given.Log();
        using var file = new LogFile(_directory["theirs/out.log"], _time, log, null, () => Rights);
        file.Write([new OutgoingLine(1, 1, 6, "one")]);
        File.Move(_directory["theirs/out.log"], _directory["theirs/old.log"]);
        File.CreateSymbolicLink(_directory["theirs/out.log"], _directory["secret/file"]);
        for (var i = 0; i < 3; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            file.Write([new OutgoingLine(1, 1, 6, "two")]);
        }

        Assert.Equal("SECRET=1\n", File.ReadAllText(_directory["secret/file"]));
        Assert.Equal("one\ntwo\ntwo\ntwo\n", File.ReadAllText(_directory["theirs/old.log"]));
        Assert.Equal(MessageIds.LogFileNotReopened, Assert.Single(events).Field("MESSAGE_ID"));
    }

    [Fact]
    public void Variables_are_read_with_the_rights_of_the_worker()
    {
        Directory.CreateDirectory(_directory["theirs/releases"]);
        File.WriteAllText(_directory["theirs/releases/env"], "A=1\n");
        File.CreateSymbolicLink(_directory["theirs/env"], "releases/env");
        Assert.True(EnvironmentFile.TryRead(_directory["theirs/env"], Worker, out var variables, out _));
        Assert.Equal([new("A", "1")], variables);
        Assert.True(EnvironmentFile.TryRead("-" + _directory["theirs/absent"], Worker, out variables, out _));
        Assert.Empty(variables);
        Assert.False(EnvironmentFile.TryRead(_directory["theirs/env"], Root, out _, out var refused));
        Assert.Contains("trusted_owners", refused, StringComparison.Ordinal);
    }

    [Fact]
    public void Root_reads_its_own_environment_files_for_a_worker()
    {
        Assert.True(EnvironmentFile.TryRead(_directory["secret/file"], Worker, out var variables, out _));
        Assert.Equal([new("SECRET", "1")], variables);
    }

    [Theory]
    [InlineData("/etc/shadow")]
    [InlineData("@/secret/file")]
    [InlineData("/proc/self/environ")]
    [InlineData("/proc/self/maps")]
    [InlineData("/proc/self/status")]
    [InlineData("/dev/zero")]
    [InlineData("/dev/tty")]
    public void Variables_come_only_from_files_the_worker_can_read(string target)
    {
        File.CreateSymbolicLink(_directory["theirs/env"], target.Replace("@", _directory.Path, StringComparison.Ordinal));
        Assert.False(EnvironmentFile.TryRead(_directory["theirs/env"], Worker, out _, out var error));
        Assert.Contains(_directory["theirs/env"], error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_cannot_reach_a_memory_file_of_the_daemon()
    {
        using var memory = Succession.Memory("tests", out _)!;
        Files.Replace(memory, "A=1\n"u8);
        File.CreateSymbolicLink(_directory["theirs/env"], $"/proc/self/fd/{memory.Number}");
        Assert.False(EnvironmentFile.TryRead(_directory["theirs/env"], Worker, out _, out _));
        File.CreateSymbolicLink(_directory["theirs/out.log"], $"/proc/self/fd/{memory.Number}");
        Assert.Single(Log("theirs/out.log", "evil"));
        Directory.CreateSymbolicLink(_directory["theirs/proc"], "/proc/self/fd");
        Assert.False(EnvironmentFile.TryRead(_directory[$"theirs/proc/{memory.Number}"], Worker, out _, out _));
        Assert.Single(Log($"theirs/proc/{memory.Number}", "evil"));
    }

    [Fact]
    public void A_fifo_a_huge_file_and_a_locked_file_do_not_block()
    {
        Libc.MakeFifo(_directory["theirs/fifo"], 0x1B6);
        Assert.False(EnvironmentFile.TryRead(_directory["theirs/fifo"], Worker, out _, out var error));
        Assert.Contains("FIFO", error, StringComparison.Ordinal);
        using (var huge = File.Create(_directory["theirs/huge"]))
        {
            huge.SetLength(1L << 40);
        }

        Assert.False(EnvironmentFile.TryRead(_directory["theirs/huge"], Worker, out _, out error));
        Assert.Contains("1048576", error, StringComparison.Ordinal);

        File.WriteAllText(_directory["theirs/locked"], "A=1\n");
        using var locked = new FileStream(_directory["theirs/locked"], FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        Assert.True(EnvironmentFile.TryRead(_directory["theirs/locked"], Worker, out var variables, out _));
        Assert.Single(variables);
    }

    [Fact]
    public void A_device_owned_by_root_accepts_lines() => Assert.Empty(Log("/dev/null", "one"));

    /// <summary>The user cannot trace, read or signal the thread that has the user's rights on files.</summary>
    [Fact]
    public void A_user_cannot_control_a_thread_with_the_users_rights()
    {
        using var taken = new ManualResetEventSlim();
        using var done = new ManualResetEventSlim();
        var thread = 0;
        var before = Libc.IsDumpable;
        var holder = new Thread(() =>
        {
            Assert.Null(ThreadRights.Take(Nobody, Nobody, []));
            thread = Libc.ThreadId;
            taken.Set();
            done.Wait(Patience);
        });
        holder.Start();
        try
        {
            Assert.True(taken.Wait(Patience));
            Assert.Equal(before, Libc.IsDumpable);
            var status = File.ReadAllText($"/proc/self/task/{thread}/status");
            Assert.Contains($"Uid:\t0\t0\t0\t{Nobody}", status, StringComparison.Ordinal);
            Assert.Contains("CapEff:\t0000000000000000", status, StringComparison.Ordinal);
            // /proc/PID/mem requires the same right as PTRACE_ATTACH: PTRACE_MODE_ATTACH (fs/proc/base.c, mem_open).
            const string attempt = """
                for file in mem maps environ auxv fd/0 syscall stack; do
                    if head -c 1 "/proc/$PPID/task/$1/$file" >/dev/null 2>&1; then echo "opened $file"; fi
                done
                if kill -STOP "$1" 2>/dev/null; then echo stopped; fi
                if kill -STOP "$PPID" 2>/dev/null; then echo stopped; fi
                echo tried
                """;
            Assert.Equal((0, "tried\n"), Child.Run(
                "/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/bin/sh", "-c", attempt, "sh", $"{thread}"));
        }
        finally
        {
            done.Set();
            holder.Join();
        }
    }

    /// <summary>The user constantly swaps a file with a link to root's file, and never sees its content.</summary>
    [Fact]
    public void A_rename_during_the_open_gains_nothing()
    {
        File.WriteAllText(_directory["theirs/env"], "A=1\n");
        File.CreateSymbolicLink(_directory["theirs/other"], _directory["secret/file"]);
        using var stop = new CancellationTokenSource();
        var renames = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                Files.Exchange(_directory["theirs/env"], _directory["theirs/other"]);
            }
        });
        renames.Start();
        try
        {
            for (var i = 0; i < 300; i++)
            {
                if (EnvironmentFile.TryRead(_directory["theirs/env"], Worker, out var variables, out _))
                {
                    Assert.Equal([new("A", "1")], variables);
                }

                TrustedFile.OpenToAppend(_directory["theirs/env"], LogFile.Mode, Rights, null, PathTrust.InForce, out _, out _)?.Dispose();
            }
        }
        finally
        {
            stop.Cancel();
            renames.Join();
        }

        Assert.Equal("SECRET=1\n", File.ReadAllText(_directory["secret/file"]));
    }

    private List<LogEvent> Log(string path, string line)
    {
        var (log, events) = Given.Log();
        using var file = new LogFile(System.IO.Path.IsPathRooted(path) ? path : _directory[path], _time, log, null, () => Rights);
        file.Write([new OutgoingLine(1, 1, 6, line)]);
        return events;
    }
}
