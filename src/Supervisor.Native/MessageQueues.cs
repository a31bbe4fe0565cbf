using System.Runtime.InteropServices;
using System.Text;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>
/// POSIX message queues, mq_overview(7), by raw system calls: librt has the wrappers in older C libraries. A name begins with a
/// slash, as users write it; the kernel wants it without.
/// </summary>
public static unsafe class MessageQueues
{
    /// <summary>struct mq_attr, linux/mqueue.h, without its reserved fields.</summary>
    /// <param name="MaxMessages">mq_maxmsg.</param>
    /// <param name="MessageSize">mq_msgsize, in bytes.</param>
    /// <param name="Waiting">mq_curmsgs.</param>
    public readonly record struct Attributes(long MaxMessages, long MessageSize, long Waiting = 0);

    private const int Longs = 8;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>mq_open(3) of an existing queue for reading and writing, with O_NONBLOCK and O_CLOEXEC.</summary>
    public static DescriptorHandle? Open(string name, out SystemCallError error) =>
        Open(name, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0, null, out error);

    /// <summary>
    /// The same with O_CREAT and O_EXCL: EEXIST if there is such a queue. The umask takes bits from <paramref name="mode"/>.
    /// </summary>
    public static DescriptorHandle? Create(string name, int mode, Attributes? size, out SystemCallError error) =>
        Open(name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_CREAT | O_EXCL, mode, size, out error);

    /// <summary>mq_unlink(3).</summary>
    public static SystemCallError? Unlink(string name)
    {
        fixed (byte* bytes = Bytes(name))
        {
            return Syscalls.syscall(IsArm ? 181 : 241, (nint)bytes, 0, 0, 0) == 0 ? null : SystemCallError.Last("mq_unlink");
        }
    }

    /// <summary>mq_getattr(3): EBADF if it is not a message queue.</summary>
    public static SystemCallError? GetAttributes(DescriptorHandle queue, out Attributes attributes)
    {
        var raw = stackalloc long[Longs];
        var done = Syscalls.syscall(IsArm ? 185 : 245, queue.Number, 0, (nint)raw, 0);
        attributes = new Attributes(raw[1], raw[2], raw[3]);
        return done == 0 ? null : SystemCallError.Last("mq_getattr");
    }

    private static DescriptorHandle? Open(string name, int flags, int mode, Attributes? size, out SystemCallError error)
    {
        var raw = stackalloc long[Longs];
        new Span<long>(raw, Longs).Clear();
        raw[1] = size?.MaxMessages ?? 0;
        raw[2] = size?.MessageSize ?? 0;
        fixed (byte* bytes = Bytes(name))
        {
            var descriptor = Syscalls.syscall(IsArm ? 180 : 240, (nint)bytes, flags, mode, size is null ? 0 : (nint)raw);
            error = descriptor < 0 ? SystemCallError.Last("mq_open") : default;
            return descriptor < 0 ? null : new DescriptorHandle((int)descriptor);
        }
    }

    private static byte[] Bytes(string name) => Encoding.UTF8.GetBytes(name[1..] + "\0");
}
