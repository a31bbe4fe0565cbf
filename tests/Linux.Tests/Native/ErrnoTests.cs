using Supervisor.Linux.Continuity;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Native;

/// <summary>An error belongs to the call that failed, not to an earlier one; each call here follows another error.</summary>
public class ErrnoTests : KernelTest
{
    private readonly TemporaryDirectory _directory = new();

    public override void Dispose()
    {
        _directory.Dispose();
        base.Dispose();
    }

    [Fact]
    public void Each_failed_call_reports_its_own_errno()
    {
        File.WriteAllText(_directory["a"], "");
        File.WriteAllText(_directory["b"], "");
        using var closed = Loopback.Socket(2, 1);
        closed.Dispose();
        using var nothing = Files.Open("/dev/null", 0, 0, out _)!;
        var calls = new (string Call, string Errno, Func<SystemCallError?> Make)[]
        {
            ("renameat2", "EEXIST", () => Files.RenameNoReplace(_directory["a"], _directory["b"])),
            ("renameat2", "ENOENT", () => Files.RenameNoReplace(_directory["c"], _directory["d"])),
            ("faccessat", "ENOENT", () => AccessCheck.MayWrite(_directory["c"])),
            ("lstat", "ENOENT", () => Files.GetStatus(_directory["c"], out _)),
            ("lstat", "ENOTDIR", () => Files.GetStatus(_directory["a/b"], out _)),
            ("unlink", "EISDIR", () => Files.Unlink(_directory.Path)),
            ("chmod", "ENOENT", () => Files.SetMode(_directory["c"], 0)),
            ("fstat", "EBADF", () => Files.GetStatus(closed, out _)),
            ("fchmod", "EBADF", () => Files.SetMode(closed, 0)),
            ("fchownat", "EBADF", () => Files.SetPinnedOwner(closed, 0, 0)),
            ("ftruncate", "EINVAL", () => Files.Replace(nothing, [])),
            ("setsockopt", "ENOTSOCK", () => Sockets.SetInt32(nothing, 1, 2, 1)),
            ("getsockopt", "EBADF", () => Sockets.GetInt32(closed, 1, 2, out _)),
            ("bind", "ENOTSOCK", () => Sockets.Bind(nothing, new byte[16])),
            ("listen", "EBADF", () => Sockets.Listen(closed, 1)),
            ("pidfd_send_signal", "EBADF", () => Processes.Signal(closed, 15)),
            ("pidfd_open", "EINVAL", () => Error(Processes.OpenPidfd(-1, out var error), error)),
            ("pidfd_open", "ESRCH", () => Error(Processes.OpenPidfd(int.MaxValue, out var error), error)),
            ("kill", "ESRCH", () => Processes.Kill(int.MaxValue, 15)),
            ("open", "ELOOP", () =>
            {
                File.CreateSymbolicLink(_directory["loop"], "loop");
                return Error(Files.Open(_directory["loop"], 0, 0, out var error), error);
            }),
            ("socket", "EAFNOSUPPORT", () => Error(Sockets.Create(45, 1, 0, nonBlocking: false, out var error), error)),
        };
        foreach (var (call, errno, make) in calls)
        {
            // No call here can fail with ENOMEDIUM.
            System.Runtime.InteropServices.Marshal.SetLastPInvokeError(123);
            var error = make();
            Assert.Equal((call, errno), (error?.Call, error?.Name));
        }
    }

    [Fact]
    public void A_small_file_can_be_replaced_repeatedly()
    {
        using var file = Files.Open(_directory["pid"], 0x40 | 2, 0x1A4, out _)!;
        Assert.Null(Files.Replace(file, "123456\n"u8));
        Assert.Null(Files.Replace(file, "78\n"u8));
        Assert.Equal("78\n", File.ReadAllText(_directory["pid"]));
    }

    [Fact]
    public void A_lock_has_only_one_holder()
    {
        using var first = Files.Open(_directory["lock"], 0x40 | 2, 0x1A4, out _)!;
        using var second = Files.Open(_directory["lock"], 0x40 | 2, 0x1A4, out _)!;
        Assert.True(FileLocks.TryLock(first));
        Assert.False(FileLocks.TryLock(second));
        first.Dispose();
        Assert.True(FileLocks.TryLock(second));
    }

    [Fact]
    public void A_lock_can_be_tested_and_lasts_until_its_last_descriptor()
    {
        var path = _directory["lock"];
        Assert.Equal(new LockHolder(null, null), LockHolder.Of(path));
        var first = Files.Open(path, 0x40 | 2, 0x124, out _)!;
        Assert.Equal(new LockHolder(false, null), LockHolder.Of(path));
        Assert.True(FileLocks.TryLock(first));
        Assert.True(FileLocks.TryLock(first));
        Files.Replace(first, "4711\n"u8);
        Assert.Equal(new LockHolder(true, 4711), LockHolder.Of(path));

        // As it is passed to a successor.
        var copy = Descriptors.Duplicate(first, out _)!;
        first.Dispose();
        Assert.Equal(new LockHolder(true, 4711), LockHolder.Of(path));
        copy.Dispose();
        Assert.Equal(new LockHolder(false, 4711), LockHolder.Of(path));
        Assert.Equal(new LockHolder(false, 4711), LockHolder.Of(path));
    }

    [Fact]
    public void A_pinned_file_keeps_its_inode_number()
    {
        File.WriteAllText(_directory["a"], "");
        using var pinned = Files.Pin(_directory["a"], out _)!;
        Assert.Null(Files.GetStatus(pinned, out var before));
        for (var i = 0; i < 50; i++)
        {
            File.Delete(_directory["a"]);
            File.WriteAllText(_directory["a"], "");
            Assert.Null(Files.GetStatus(_directory["a"], out var other));
            Assert.NotEqual(before.Inode, other.Inode);
        }

        Assert.Null(Files.SetPinnedMode(pinned, 0x100));
        Assert.Null(Files.GetStatus(pinned, out var after));
        Assert.Equal((before.Inode, 0x100), (after.Inode, after.Permissions));
    }

    private static SystemCallError? Error(DescriptorHandle? made, SystemCallError error)
    {
        made?.Dispose();
        return made is null ? error : null;
    }
}
