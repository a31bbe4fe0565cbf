using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>What a user may do with a path: access(2), faccessat(2). Nothing is opened or changed.</summary>
public static unsafe class AccessCheck
{
    /// <summary>access(2) with X_OK, for the real user.</summary>
    public static bool IsExecutable(string path)
    {
        fixed (byte* bytes = Files.Bytes(path))
        {
            return access(bytes, X_OK) == 0;
        }
    }

    /// <summary>faccessat(2) for the effective user: whether a file can be written; connect() to a UNIX socket needs the same.</summary>
    public static bool MayWriteFile(string path)
    {
        const int write = 2;
        const int effective = 0x200;
        fixed (byte* bytes = Files.Bytes(path))
        {
            return Syscalls.faccessat(AT_FDCWD, bytes, write, effective) == 0;
        }
    }

    /// <summary>faccessat(2) for the effective user: whether the directory can be entered and written to.</summary>
    public static SystemCallError? MayWrite(string directory)
    {
        const int writeAndEnter = 2 | 1;
        const int effective = 0x200;
        fixed (byte* bytes = Files.Bytes(directory))
        {
            return Syscalls.faccessat(AT_FDCWD, bytes, writeAndEnter, effective) == 0 ? null : SystemCallError.Last("faccessat");
        }
    }

    /// <summary>
    /// <see cref="MayWrite"/>, and ENOSPC if the file system has no free inode (statfs(2)). <paramref name="isFull"/>: it has no free
    /// block for this user, so a file without data can be made as long as the directory itself needs none.
    /// </summary>
    public static SystemCallError? MayMake(string directory, out bool isFull)
    {
        isFull = false;
        if (MayWrite(directory) is { } refused)
        {
            return refused;
        }

        using var opened = Files.Open(directory, O_PATH | O_DIRECTORY, 0, out _);
        if (opened is null || FilesAt.SpaceOf(opened) is not { } space)
        {
            return null;
        }

        isFull = space.Blocks > 0 && (Processes.EffectiveUid == 0 ? space.FreeBlocks : space.AvailableBlocks) == 0;

        // File systems that do not count inodes, such as Btrfs, report 0 of them.
        return space is { Inodes: > 0, FreeInodes: 0 } ? new SystemCallError("statfs", ENOSPC) : null;
    }

    /// <summary>faccessat(2) for the effective user: whether it may read a file, and to write it if <paramref name="writes"/>.</summary>
    public static SystemCallError? MayOpen(string path, bool writes)
    {
        const int read = 4;
        const int write = 2;
        const int effective = 0x200;
        fixed (byte* bytes = Files.Bytes(path))
        {
            return Syscalls.faccessat(AT_FDCWD, bytes, writes ? read | write : read, effective) == 0
                ? null
                : SystemCallError.Last("faccessat");
        }
    }
}
