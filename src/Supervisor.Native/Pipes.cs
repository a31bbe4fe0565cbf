using System.Text;

namespace Supervisor.Native;

/// <summary>Named pipes, fifo(7).</summary>
public static unsafe class Pipes
{
    /// <summary>S_IFIFO, linux/stat.h.</summary>
    private const uint FifoType = 0x1000;

    /// <summary>F_SETPIPE_SZ and F_GETPIPE_SZ, linux/fcntl.h.</summary>
    private const int SetSizeCommand = 1031;
    private const int GetSizeCommand = 1032;

    /// <summary>FIONREAD, asm-generic/ioctls.h.</summary>
    private const nuint BytesToRead = 0x541B;

    /// <summary>mknodat(2) of a FIFO: EEXIST if the name is in use. The umask takes bits from <paramref name="mode"/>.</summary>
    public static SystemCallError? Make(DescriptorHandle directory, string name, int mode)
    {
        fixed (byte* bytes = Encoding.UTF8.GetBytes(name + "\0"))
        {
            return Syscalls.mknodat(directory.Number, bytes, FifoType | (uint)mode, 0) == 0 ? null : SystemCallError.Last("mknodat");
        }
    }

    /// <summary>
    /// fcntl(2) F_SETPIPE_SZ, in bytes: EPERM above /proc/sys/fs/pipe-max-size without CAP_SYS_RESOURCE, EBUSY if less than what
    /// waits in it.
    /// </summary>
    public static SystemCallError? SetSize(DescriptorHandle pipe, int bytes) =>
        Syscalls.fcntl_int(pipe.Number, SetSizeCommand, bytes) >= 0 ? null : SystemCallError.Last("fcntl");

    /// <summary>fcntl(2) F_GETPIPE_SZ, in bytes; null if it is not a pipe.</summary>
    public static int? GetSize(DescriptorHandle pipe)
    {
        var size = Syscalls.fcntl_int(pipe.Number, GetSizeCommand, 0);
        return size < 0 ? null : size;
    }

    /// <summary>ioctl(2) FIONREAD: the bytes that wait; null if the file does not tell.</summary>
    public static int? GetWaiting(DescriptorHandle pipe)
    {
        var waiting = 0;
        return Syscalls.ioctl(pipe.Number, BytesToRead, (byte*)&waiting) == 0 ? waiting : null;
    }
}
