using System.Runtime.InteropServices;
using System.Text;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>Calls that only tests make: for the peer of a connection, for a test's own environment, and for a second result.</summary>
internal static unsafe partial class Libc
{
    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    public static string? ReadLink(string path)
    {
        Span<byte> buffer = stackalloc byte[4096];
        fixed (byte* bytes = buffer)
        {
            var length = readlink(path, bytes, buffer.Length);
            return length < 0 ? null : Encoding.UTF8.GetString(buffer[..(int)length]);
        }
    }

    /// <summary>accept4(2), after waiting for a connection.</summary>
    public static DescriptorHandle Accept(DescriptorHandle listener)
    {
        WaitFor(listener);
        return Own(accept4(listener.Number, null, null, 0x80000), "accept4");
    }

    /// <summary>shutdown(2); 0 on success.</summary>
    public static int Shutdown(DescriptorHandle socket, int how) => shutdown(socket.Number, how);

    /// <summary>O_NONBLOCK, for all descriptors of the open file.</summary>
    public static void SetNonBlocking(DescriptorHandle descriptor)
    {
        const int setFlags = 4, nonBlocking = 0x800;
        Check(fcntl(descriptor.Number, setFlags, nonBlocking), "fcntl");
    }

    /// <summary>Whether there is input, an end or a connection.</summary>
    public static bool IsReadable(DescriptorHandle descriptor) => Poll(descriptor, 0);

    /// <summary>Waits for input, an end or a connection.</summary>
    public static void WaitFor(DescriptorHandle descriptor) =>
        Assert.True(Poll(descriptor, (int)KernelTest.Patience.TotalMilliseconds), "nothing came in time");

    public static void Send(DescriptorHandle socket, params ReadOnlySpan<byte> data)
    {
        fixed (byte* bytes = data)
        {
            Check((int)send(socket.Number, bytes, data.Length, 0x4000), "send");
        }
    }

    public static void SendTo(DescriptorHandle socket, ReadOnlySpan<byte> data, ReadOnlySpan<byte> address)
    {
        fixed (byte* bytes = data)
        fixed (byte* to = address)
        {
            Check((int)sendto(socket.Number, bytes, data.Length, 0x4000, to, (uint)address.Length), "sendto");
        }
    }

    /// <summary>Sends a datagram with descriptors to a path.</summary>
    public static void SendDescriptors(
        DescriptorHandle socket,
        ReadOnlySpan<byte> data,
        ReadOnlySpan<byte> address,
        params ReadOnlySpan<int> descriptors)
    {
        Span<byte> control = stackalloc byte[16 + (4 * descriptors.Length) + 8];
        control.Clear();
        fixed (byte* bytes = data)
        fixed (byte* to = address)
        fixed (byte* rights = control)
        {
            *(nint*)rights = 16 + (4 * descriptors.Length);
            *(int*)(rights + 8) = 1;
            *(int*)(rights + 12) = 1;
            MemoryMarshal.AsBytes(descriptors).CopyTo(control[16..]);
            var vector = stackalloc nint[2] { (nint)bytes, data.Length };
            var message = stackalloc nint[7] {
                (nint)to,
                address.Length,
                (nint)vector,
                1,
                (nint)rights,
                (16 + (4 * descriptors.Length) + 7) & ~7,
                0 };
            Check((int)sendmsg(socket.Number, message, 0x4000), "sendmsg");
        }
    }

    /// <summary>recv(2) of the available bytes; empty at the end.</summary>
    public static byte[] Receive(DescriptorHandle socket)
    {
        WaitFor(socket);
        var data = new byte[65536];
        fixed (byte* bytes = data)
        {
            return data[..(int)Check((int)recv(socket.Number, bytes, data.Length, 0), "recv")];
        }
    }

    /// <summary>socketpair(2), of UNIX streams.</summary>
    public static bool SocketPair(out DescriptorHandle? one, out DescriptorHandle? other)
    {
        var ends = stackalloc int[2];
        var done = socketpair(1, 1 | 0x80000, 0, ends) == 0;
        (one, other) = done ? (new(ends[0]), new(ends[1])) : ((DescriptorHandle?)null, (DescriptorHandle?)null);
        return done;
    }

    /// <summary>write(2).</summary>
    public static void Write(DescriptorHandle descriptor, ReadOnlySpan<byte> data)
    {
        fixed (byte* bytes = data)
        {
            Assert.Equal(data.Length, (int)write(descriptor.Number, bytes, data.Length));
        }
    }

    /// <summary>getsockopt(2) of raw bytes, to verify OptionAccess.</summary>
    public static byte[]? GetOption(DescriptorHandle socket, int level, int option, int size = 64)
    {
        var value = new byte[size];
        var length = (uint)size;
        fixed (byte* bytes = value)
        {
            return getsockopt(socket.Number, level, option, bytes, &length) == 0 ? value[..(int)length] : null;
        }
    }

    public static int GetOptionInt32(DescriptorHandle socket, int level, int option) =>
        BitConverter.ToInt32(GetOption(socket, level, option, 4) ?? throw new InvalidOperationException($"getsockopt {level}, {option}"));

    /// <summary>fcntl(2) F_GETFL or F_GETFD.</summary>
    public static int GetFlags(DescriptorHandle descriptor, bool ofDescriptor = false) =>
        Check(fcntl(descriptor.Number, ofDescriptor ? 1 : 3, 0), "fcntl");

    /// <summary>fcntl(2) F_SETFD.</summary>
    public static void SetCloseOnExec(DescriptorHandle descriptor, bool closes) =>
        Check(fcntl(descriptor.Number, 2, closes ? 1 : 0), "fcntl");

    /// <summary>fcntl(2) F_DUPFD_CLOEXEC with a lowest number.</summary>
    public static DescriptorHandle DuplicateFrom(DescriptorHandle descriptor, int least) =>
        Own(fcntl(descriptor.Number, 1030, least), "fcntl");

    /// <summary>Gives the calling thread a network namespace with an active loopback interface.</summary>
    public static void EnterNewNetwork()
    {
        Check(unshare(0x40000000), "unshare(CLONE_NEWNET)");
        using var socket = Sockets.Create(2, 2, 0, nonBlocking: false, out _)!;

        // struct ifreq: the name in 16 bytes, then the flags. SIOCSIFFLAGS; IFF_UP | IFF_RUNNING.
        var request = stackalloc byte[40];
        new Span<byte>(request, 40).Clear();
        "lo"u8.CopyTo(new Span<byte>(request, 16));
        *(short*)(request + 16) = 0x41;
        Check(ioctl(socket.Number, 0x8914, request), "ioctl(SIOCSIFFLAGS)");
    }

    /// <summary>
    /// Changes the calling thread's user and group to <paramref name="id"/>, by raw calls, which affect no other thread.
    /// </summary>
    public static void BecomeUser(uint id)
    {
        Check((int)syscall(IsArm ? 159 : 116, 0, 0, 0, 0), "setgroups");
        Check((int)syscall(IsArm ? 149 : 119, (nint)id, (nint)id, (nint)id, 0), "setresgid");
        Check((int)syscall(IsArm ? 147 : 117, (nint)id, (nint)id, (nint)id, 0), "setresuid");
        Check(prctl(4, 1, 0, 0, 0), "prctl(PR_SET_DUMPABLE)");
    }

    /// <summary>lchown(2).</summary>
    public static void ChangeOwner(string path, uint uid, uint gid) => Check(lchown(path, uid, gid), "lchown");

    /// <summary>link(2).</summary>
    public static void Link(string path, string name) => Check(link(path, name), "link");

    /// <summary>mkfifo(3), regardless of the umask.</summary>
    public static void MakeFifo(string path, uint mode)
    {
        Check(mkfifo(path, mode), "mkfifo");
        File.SetUnixFileMode(path, (UnixFileMode)mode);
    }

    /// <summary>gettid(2).</summary>
    public static int ThreadId => (int)syscall(IsArm ? 178 : 186, 0, 0, 0, 0);

    /// <summary>Stops being a subreaper: orphans of children are no longer adopted.</summary>
    public static void EndSubreaper() => Check(prctl(36, 0, 0, 0, 0), "prctl(PR_SET_CHILD_SUBREAPER)");

    /// <summary>kcmp(2) KCMP_VM: whether that process shares the memory of this one.</summary>
    public static bool SharesMemory(int pid)
    {
        nint number = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 312 : 272;
        return kcmp(number, Processes.CurrentPid, pid, 1, 0, 0) == 0;
    }

    /// <summary>PR_GET_DUMPABLE.</summary>
    public static bool IsDumpable => prctl(3, 0, 0, 0, 0) == 1;

    /// <summary>Makes socket(AF_INET6, ...) fail with EAFNOSUPPORT in the calling thread, as on a host booted without IPv6.</summary>
    public static void RefuseIPv6()
    {
        const ushort load = 0x20, jumpIfEqual = 0x15, answer = 0x06;
        const uint allow = 0x7fff0000, refuse = 0x00050000;
        Span<(ushort Code, byte True, byte False, uint Value)> program =
        [
            (load, 0, 0, 0), // the call's number
            (jumpIfEqual, 0, 3, IsArm ? 198u : 41u),
            (load, 0, 0, 16), // its first argument
            (jumpIfEqual, 0, 1, 10),
            (answer, 0, 0, refuse | 97),
            (answer, 0, 0, allow),
        ];
        var filter = stackalloc byte[program.Length * 8];
        for (var i = 0; i < program.Length; i++)
        {
            *(ushort*)(filter + (i * 8)) = program[i].Code;
            filter[(i * 8) + 2] = program[i].True;
            filter[(i * 8) + 3] = program[i].False;
            *(uint*)(filter + (i * 8) + 4) = program[i].Value;
        }

        var whole = stackalloc nint[2] { program.Length, (nint)filter };
        Check(prctl(38, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)");
        Check(prctl(22, 2, (nint)whole, 0, 0), "prctl(PR_SET_SECCOMP)");
    }

    private static bool Poll(DescriptorHandle descriptor, int milliseconds)
    {
        // struct pollfd; POLLIN.
        var request = stackalloc int[2] { descriptor.Number, 1 };
        int ready;
        do
        {
            ready = poll(request, 1, milliseconds);
        }
        while (ready < 0 && Marshal.GetLastPInvokeError() == 4);

        return ready > 0;
    }

    private static DescriptorHandle Own(int descriptor, string call) => new(Check(descriptor, call));

    private static int Check(int result, string call) => result >= 0 ? result
        : throw new InvalidOperationException($"{call}: {ErrnoNames.Name(Marshal.GetLastPInvokeError())}");

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial nint readlink(string path, byte* buffer, nint size);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int lchown(string path, uint uid, uint gid);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int link(string path, string name);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int mkfifo(string path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int accept4(int fd, void* address, uint* length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int shutdown(int fd, int how);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(int* descriptors, nuint count, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(int fd, byte* data, nint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendto(int fd, byte* data, nint length, int flags, byte* address, uint addressLength);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(int fd, void* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(int fd, byte* data, nint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int fd, byte* data, nint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getsockopt(int fd, int level, int option, void* value, uint* length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int fd, int command, nint argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socketpair(int domain, int type, int protocol, int* ends);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int fd, nuint request, void* argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nint a, nint b, nint c, nint d);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint kcmp(nint number, nint one, nint other, nint type, nint first, nint second);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c, nint d);
}
