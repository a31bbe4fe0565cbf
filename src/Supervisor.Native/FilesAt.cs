using System.Text;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>
/// Calls on a name in an open directory: what happens to the path that led there changes nothing. A name is one component,
/// without a slash. Directories are held open by O_PATH, which needs no right to read them.
/// </summary>
public static unsafe class FilesAt
{
    /// <summary>PROC_SUPER_MAGIC, linux/magic.h.</summary>
    public const long ProcFileSystem = 0x9fa0;

    /// <summary>FUSE_SUPER_MAGIC, linux/magic.h (fs/fuse/inode.c before Linux 5.17).</summary>
    public const long FuseFileSystem = 0x65735546;

    private const int LongestLink = 4096;

    /// <summary>The root directory.</summary>
    public static DescriptorHandle? Root(out SystemCallError error) => Files.Open("/", O_PATH | O_DIRECTORY, 0, out error);

    /// <summary>openat(2) with O_PATH and O_NOFOLLOW: holds on to what has that name, whatever it is, and neither follows nor opens it.</summary>
    public static DescriptorHandle? Pin(DescriptorHandle directory, string name, out SystemCallError error) =>
        Open(directory, name, O_PATH | O_NOFOLLOW, 0, out error);

    /// <summary>Makes a file for writing at its end: O_EXCL, so whatever has that name already is an error (EEXIST), a link too.</summary>
    public static DescriptorHandle? CreateToAppend(DescriptorHandle directory, string name, int mode, out SystemCallError error) =>
        Open(directory, name, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode, out error);

    /// <summary>The same for reading and writing.</summary>
    public static DescriptorHandle? Create(DescriptorHandle directory, string name, int mode, out SystemCallError error) =>
        Open(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode, out error);

    /// <summary>Opens a pinned file for writing at its end, by the rights of this thread. Never waits for somebody at the other end of a FIFO.</summary>
    public static DescriptorHandle? OpenToAppend(DescriptorHandle pinned, out SystemCallError error) =>
        Files.Open(Files.PinnedPath(pinned), O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY, 0, out error);

    /// <summary>The same for reading, and with <paramref name="writes"/> for writing too.</summary>
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

    /// <summary>Where a pinned symbolic link leads: readlinkat(2) with an empty path (Linux 2.6.39).</summary>
    public static string? ReadLink(DescriptorHandle pinned, out SystemCallError error)
    {
        var target = stackalloc byte[LongestLink];
        byte none = 0;
        var length = (int)Syscalls.readlinkat(pinned.Number, &none, target, LongestLink);
        error = length < 0 ? SystemCallError.Last("readlinkat") : default;
        return length < 0 ? null : Encoding.UTF8.GetString(target, length);
    }

    /// <summary>mkdirat(2).</summary>
    public static SystemCallError? MakeDirectory(DescriptorHandle directory, string name, int mode)
    {
        fixed (byte* bytes = Bytes(name))
        {
            return Syscalls.mkdirat(directory.Number, bytes, (uint)mode) == 0 ? null : SystemCallError.Last("mkdirat");
        }
    }

    /// <summary>unlinkat(2), of anything but a directory.</summary>
    public static SystemCallError? Unlink(DescriptorHandle directory, string name)
    {
        fixed (byte* bytes = Bytes(name))
        {
            return Syscalls.unlinkat(directory.Number, bytes, 0) == 0 ? null : SystemCallError.Last("unlinkat");
        }
    }

    /// <summary>renameat2(2) within one directory: whatever has the name <paramref name="to"/> is replaced.</summary>
    public static SystemCallError? Rename(DescriptorHandle directory, string from, string to) => Rename(directory, from, to, 0);

    /// <summary>The same with RENAME_NOREPLACE (Linux 3.15): fails with EEXIST rather than replace.</summary>
    public static SystemCallError? RenameNoReplace(DescriptorHandle directory, string from, string to) => Rename(directory, from, to, 1);

    /// <summary>The same with RENAME_EXCHANGE (Linux 3.15): both must be there, and at no moment is either not; EINVAL where the file system cannot.</summary>
    public static SystemCallError? Exchange(DescriptorHandle directory, string one, string other) => Rename(directory, one, other, 2);

    /// <summary>The type of the file system, statfs(2)'s f_type; 0 where it cannot be asked.</summary>
    public static long FileSystemOf(DescriptorHandle descriptor)
    {
        // struct statfs has 120 bytes on 64-bit Linux (asm-generic/statfs.h) and begins with f_type, a long.
        var buffer = stackalloc long[32];
        return Syscalls.fstatfs(descriptor.Number, buffer) == 0 ? buffer[0] : 0;
    }

    /// <summary>
    /// Whether a pinned file has an access control list: then the mode's group bits are its mask, and who may write is not
    /// only the group (acl(5), CORRESPONDENCE BETWEEN ACL ENTRIES AND FILE PERMISSION BITS).
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
            return Syscalls.renameat2(directory.Number, source, directory.Number, target, flags) == 0 ? null : SystemCallError.Last("renameat2");
        }
    }

    private static byte[] Bytes(string name) => Encoding.UTF8.GetBytes(name + "\0");
}
