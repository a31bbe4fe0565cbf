using System.Runtime.InteropServices;

namespace Supervisor.Client;

/// <summary>System calls without an API in the runtime, with the layouts of 64-bit Linux (bits/socket.h, struct user_msghdr).</summary>
internal static unsafe partial class Native
{
    private const int MaxDescriptors = 253; // SCM_MAX_FD, unix(7)
    private const int CloseOnExec = 0x40000000; // MSG_CMSG_CLOEXEC
    private const int Truncated = 0x20; // MSG_TRUNC
    private const int DescriptorsLost = 0x8; // MSG_CTRUNC
    private const int SolSocket = 1;
    private const int ScmRights = 1;
    private const int SetDescriptorFlags = 2; // F_SETFD
    private const int HeaderLength = 16; // struct cmsghdr
    private const int ControlLength = HeaderLength + (4 * MaxDescriptors) + 4;
    private const int Interrupted = 4; // EINTR

    /// <summary>Makes an inherited descriptor close-on-exec.</summary>
    public static void SetCloseOnExec(int descriptor)
    {
        if (fcntl(descriptor, SetDescriptorFlags, 1) < 0)
        {
            throw new IOException($"LISTEN_FDS names descriptor {descriptor}, which is not open: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    /// <summary>Receives one packet and its descriptors, close-on-exec. The caller owns them also after an exception.</summary>
    public static int Receive(int socket, byte[] data, List<int> descriptors)
    {
        var control = stackalloc byte[ControlLength];
        fixed (byte* bytes = data)
        {
            var vector = new Vector { Base = bytes, Length = (nuint)data.Length };
            var message = new Message { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = ControlLength };
            nint length;
            do
            {
                length = recvmsg(socket, &message, CloseOnExec);
            }
            while (length < 0 && Marshal.GetLastPInvokeError() == Interrupted);
            if (length < 0)
            {
                throw new IOException($"the broker does not answer: {Marshal.GetLastPInvokeErrorMessage()}");
            }

            for (nuint at = 0; at + HeaderLength <= message.ControlLength;)
            {
                var size = *(nuint*)(control + at);
                if (size < HeaderLength || at + size > message.ControlLength)
                {
                    break;
                }

                if (*(int*)(control + at + 8) == SolSocket && *(int*)(control + at + 12) == ScmRights)
                {
                    for (nuint i = HeaderLength; i + 4 <= size; i += 4)
                    {
                        descriptors.Add(*(int*)(control + at + i));
                    }
                }

                at += (size + 7) & ~(nuint)7;
            }

            return (message.Flags & DescriptorsLost) != 0
                ? throw new IOException("descriptors were lost: too many open files; raise limits.nofile")
                : (message.Flags & Truncated) != 0 ? throw new IOException("the broker's answer is too long")
                : length == 0 ? throw new IOException("the broker closed the connection")
                : (int)length;
        }
    }

    /// <summary>
    /// The inode number of this process's pidfd; null where pidfds have no file system of their own (pidfs, Linux 6.9). Its
    /// descriptor is named pidfd:[NUMBER] there.
    /// </summary>
    public static string? OwnPidfdInode(int pid)
    {
        const int pidfdOpen = 434; // the same number on all architectures
        var pidfd = (int)syscall(pidfdOpen, pid, 0);
        if (pidfd < 0)
        {
            return null;
        }

        var name = new FileInfo(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/proc/self/fd/{pidfd}")).LinkTarget;
        Close(pidfd);
        const string prefix = "pidfd:[";
        return name?.StartsWith(prefix, StringComparison.Ordinal) == true ? name[prefix.Length..^1] : null;
    }

    /// <summary>close(2).</summary>
    public static void Close(int descriptor) => _ = close(descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(int socket, Message* message, int flags);

    [LibraryImport("libc")]
    private static partial nint syscall(nint number, nint pid, nint flags);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);

    [StructLayout(LayoutKind.Sequential)]
    private struct Vector
    {
        public byte* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        public void* Name;
        public uint NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }
}
