using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>
/// Calls on a name in an open directory, which do not depend on the path that led there. A name is one component without a
/// slash. Directories are opened with O_PATH, which needs no read permission.
/// </summary>
public static unsafe class FilesAt
{
    /// <summary>PROC_SUPER_MAGIC, linux/magic.h.</summary>
    public const long ProcFileSystem = 0x9fa0;

    /// <summary>FUSE_SUPER_MAGIC, linux/magic.h (fs/fuse/inode.c before Linux 5.17).</summary>
    public const long FuseFileSystem = 0x65735546;

    /// <summary>AT_SYMLINK_FOLLOW, linux/fcntl.h.</summary>
    private const int FollowLinks = 0x400;

    private const int LongestLink = 4096;

    /// <summary>The root directory.</summary>
    public static DescriptorHandle? Root(out SystemCallError error) => Files.Open("/", O_PATH | O_DIRECTORY, 0, out error);

    /// <summary>
    /// openat(2) with O_PATH and O_NOFOLLOW: refers to the file of any type with that name, without following or opening it.
    /// </summary>
    public static DescriptorHandle? Pin(DescriptorHandle directory, string name, out SystemCallError error) =>
        Open(directory, name, O_PATH | O_NOFOLLOW, 0, out error);

    /// <summary>Creates a file for appending with O_EXCL: EEXIST if the name is in use, also by a link.</summary>
    public static DescriptorHandle? CreateToAppend(DescriptorHandle directory, string name, int mode, out SystemCallError error) =>
        Open(directory, name, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode, out error);

    /// <summary>Creates a file for reading and writing with O_EXCL, as <see cref="CreateToAppend"/> does.</summary>
    public static DescriptorHandle? Create(DescriptorHandle directory, string name, int mode, out SystemCallError error) =>
        Open(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode, out error);

    /// <summary>Opens a pinned file for appending, with this thread's rights. It never waits for the reader of a FIFO.</summary>
    public static DescriptorHandle? OpenToAppend(DescriptorHandle pinned, out SystemCallError error) =>
        Files.Open(Files.PinnedPath(pinned), O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY, 0, out error);

    /// <summary>Opens a pinned file for reading, and for writing if <paramref name="writes"/>, with this thread's rights.</summary>
    public static DescriptorHandle? OpenPinned(DescriptorHandle pinned, bool writes, out SystemCallError error) =>
        Files.Open(Files.PinnedPath(pinned), (writes ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_NOCTTY, 0, out error);

    /// <summary>fstatat(2) with AT_SYMLINK_NOFOLLOW.</summary>
    public static SystemCallError? GetStatus(DescriptorHandle directory, string name, out Files.Status status)
    {
        stat buffer = default;
        int done;
        fixed (byte* bytes = Bytes(name))
        {
            done = fstatat(directory.Number, bytes, &buffer, AT_SYMLINK_NOFOLLOW);
        }

        status = Files.Status.Of(buffer);
        return done == 0 ? null : SystemCallError.Last("fstatat");
    }

    /// <summary>The target of a pinned symbolic link: readlinkat(2) with an empty path (Linux 2.6.39).</summary>
    public static string? ReadLink(DescriptorHandle pinned, out SystemCallError error)
    {
        var target = stackalloc byte[LongestLink];
        byte none = 0;
        var length = (int)Syscalls.readlinkat(pinned.Number, &none, target, LongestLink);
        error = length < 0 ? SystemCallError.Last("readlinkat") : default;
        return length < 0 ? null : ByteText.Decode(new ReadOnlySpan<byte>(target, length));
    }

    /// <summary>mkdirat(2).</summary>
    public static SystemCallError? MakeDirectory(DescriptorHandle directory, string name, int mode)
    {
        fixed (byte* bytes = Bytes(name))
        {
            return Syscalls.mkdirat(directory.Number, bytes, (uint)mode) == 0 ? null : SystemCallError.Last("mkdirat");
        }
    }

    /// <summary>mkdir(2).</summary>
    public static SystemCallError? MakeDirectory(string path, int mode)
    {
        fixed (byte* bytes = Bytes(path))
        {
            return Syscalls.mkdirat(AT_FDCWD, bytes, (uint)mode) == 0 ? null : SystemCallError.Last("mkdir");
        }
    }

    /// <summary>linkat(2): gives a pinned file, which must still have a name, a further name. EXDEV on another file system.</summary>
    public static SystemCallError? Link(DescriptorHandle pinned, DescriptorHandle directory, string name)
    {
        fixed (byte* source = Bytes(Files.PinnedPath(pinned)))
        fixed (byte* bytes = Bytes(name))
        {
            var done = Syscalls.linkat(AT_FDCWD, source, directory.Number, bytes, FollowLinks);
            return done == 0 ? null : SystemCallError.Last("linkat");
        }
    }

    /// <summary>symlinkat(2): makes a symbolic link to <paramref name="target"/>.</summary>
    public static SystemCallError? SymbolicLink(string target, DescriptorHandle directory, string name)
    {
        fixed (byte* to = Bytes(target))
        fixed (byte* bytes = Bytes(name))
        {
            return Syscalls.symlinkat(to, directory.Number, bytes) == 0 ? null : SystemCallError.Last("symlinkat");
        }
    }

    /// <summary>unlinkat(2), for everything except directories.</summary>
    public static SystemCallError? Unlink(DescriptorHandle directory, string name)
    {
        fixed (byte* bytes = Bytes(name))
        {
            return Syscalls.unlinkat(directory.Number, bytes, 0) == 0 ? null : SystemCallError.Last("unlinkat");
        }
    }

    /// <summary>renameat2(2) within one directory: replaces <paramref name="to"/>.</summary>
    public static SystemCallError? Rename(DescriptorHandle directory, string from, string to) => Rename(directory, from, to, 0);

    /// <summary>renameat2(2) with RENAME_NOREPLACE (Linux 3.15): fails with EEXIST if <paramref name="to"/> exists.</summary>
    public static SystemCallError? RenameNoReplace(DescriptorHandle directory, string from, string to) => Rename(directory, from, to, 1);

    /// <summary>
    /// renameat2(2) with RENAME_EXCHANGE (Linux 3.15): swaps two existing files atomically; EINVAL if the file system cannot.
    /// </summary>
    public static SystemCallError? Exchange(DescriptorHandle directory, string one, string other) => Rename(directory, one, other, 2);

    /// <summary>The type of the file system, f_type of statfs(2); 0 if the call fails.</summary>
    public static long FileSystemOf(DescriptorHandle descriptor)
    {
        // struct statfs has 120 bytes on 64-bit Linux (asm-generic/statfs.h); its first field is f_type, a long.
        var buffer = stackalloc long[32];
        return Syscalls.fstatfs(descriptor.Number, buffer) == 0 ? buffer[0] : 0;
    }

    /// <summary>The counts of statfs(2); null if the call fails.</summary>
    internal static (long Blocks, long FreeBlocks, long AvailableBlocks, long Inodes, long FreeInodes)? SpaceOf(DescriptorHandle descriptor)
    {
        // After f_type and f_bsize: f_blocks, f_bfree, f_bavail, f_files, f_ffree.
        var buffer = stackalloc long[32];
        return Syscalls.fstatfs(descriptor.Number, buffer) == 0 ? (buffer[2], buffer[3], buffer[4], buffer[5], buffer[6]) : null;
    }

    /// <summary>
    /// Whether a pinned file has an access control list. Then the group bits of the mode are the list's mask, and others than
    /// the group may write (acl(5), CORRESPONDENCE BETWEEN ACL ENTRIES AND FILE PERMISSION BITS).
    /// </summary>
    public static bool HasAccessList(DescriptorHandle pinned)
    {
        fixed (byte* path = Bytes(Files.PinnedPath(pinned)))
        fixed (byte* name = "system.posix_acl_access\0"u8)
        {
            return Syscalls.getxattr(path, name, null, 0) > 0;
        }
    }

    private static DescriptorHandle? Open(DescriptorHandle directory, string name, int flags, int mode, out SystemCallError error)
    {
        fixed (byte* bytes = Bytes(name))
        {
            var descriptor = openat(directory.Number, bytes, flags | O_CLOEXEC, (mode_t)(uint)mode);
            error = descriptor < 0 ? SystemCallError.Last("openat") : default;
            return descriptor < 0 ? null : new DescriptorHandle(descriptor);
        }
    }

    private static SystemCallError? Rename(DescriptorHandle directory, string from, string to, uint flags)
    {
        fixed (byte* source = Bytes(from))
        fixed (byte* target = Bytes(to))
        {
            var done = Syscalls.renameat2(directory.Number, source, directory.Number, target, flags);
            return done == 0 ? null : SystemCallError.Last("renameat2");
        }
    }

    private static byte[] Bytes(string name) => ByteText.Encode(name + "\0");
}
