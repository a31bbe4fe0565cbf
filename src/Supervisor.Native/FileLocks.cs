using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>
/// Locks of open file descriptions, fcntl(2) (Linux 3.15). As with flock(2), the open file owns the lock, not the process.
/// Unlike with flock(2), the lock can be queried.
/// </summary>
public static unsafe class FileLocks
{
    internal const int GetOpenFileLock = 36;
    internal const int SetOpenFileLock = 37;

    /// <summary>struct flock for open file description locks, which require l_pid to be 0 (fcntl(2)).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct FileLock
    {
        public short Type;
        public short Whence;
        public long Start;
        public long Length;
        public int Pid;
    }

    /// <summary>F_OFD_SETLK with F_WRLCK on the whole file: false if another open file holds a lock, or if the call fails.</summary>
    public static bool TryLock(DescriptorHandle descriptor)
    {
        const short write = 1;
        FileLock wanted = new() { Type = write };
        return Syscalls.fcntl_lock(descriptor.Number, SetOpenFileLock, &wanted) == 0;
    }

    /// <summary>
    /// F_OFD_GETLK: whether another open file holds the lock of <see cref="TryLock"/>. It takes no lock and needs only a
    /// descriptor for reading. Null if the call fails.
    /// </summary>
    public static bool? IsLocked(DescriptorHandle descriptor)
    {
        const short read = 0, none = 2;
        FileLock asked = new() { Type = read };
        return Syscalls.fcntl_lock(descriptor.Number, GetOpenFileLock, &asked) == 0 ? asked.Type != none : null;
    }
}
