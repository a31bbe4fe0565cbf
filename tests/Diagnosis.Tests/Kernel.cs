using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Supervisor.Diagnosis.Tests;

/// <summary>The calls that the tests make themselves, without what System.Net.Sockets adds to them.</summary>
internal static partial class Kernel
{
    public const int SolSocket = 1;
    public const int ReuseAddress = 2;
    public const int ReusePort = 15;
    public const int BindToDevice = 25;
    public const int IpprotoIpv6 = 41;
    public const int V6Only = 26;

    public static int Socket(bool ipv6, bool udp) => Check(socket(ipv6 ? 10 : 2, (udp ? 2 : 1) | 0x80000, 0), "socket");

    public static unsafe void SetOption(int descriptor, int level, int option, int value) =>
        Check(setsockopt(descriptor, level, option, &value, 4), "setsockopt");

    public static unsafe void SetDevice(int descriptor, string name)
    {
        fixed (byte* bytes = System.Text.Encoding.ASCII.GetBytes(name + "\0"))
        {
            Check(setsockopt(descriptor, SolSocket, BindToDevice, bytes, (uint)name.Length + 1), "setsockopt(SO_BINDTODEVICE)");
        }
    }

    /// <summary>0, or the errno.</summary>
    public static unsafe int Bind(int descriptor, IPAddress address, int port, uint scope = 0)
    {
        Span<byte> raw = stackalloc byte[28];
        var length = Encode(raw, address, port, scope);
        fixed (byte* bytes = raw)
        {
            return bind(descriptor, bytes, (uint)length) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    public static unsafe int Connect(int descriptor, IPAddress address, int port)
    {
        Span<byte> raw = stackalloc byte[28];
        var length = Encode(raw, address, port, 0);
        fixed (byte* bytes = raw)
        {
            return connect(descriptor, bytes, (uint)length) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    public static int Listen(int descriptor) => listen(descriptor, 16) == 0 ? 0 : Marshal.GetLastPInvokeError();

    public static unsafe int Accept(int descriptor) => Check(accept4(descriptor, null, null, 0x80000), "accept4");

    public static void ShutdownWrite(int descriptor) => Check(shutdown(descriptor, 1), "shutdown");

    /// <summary>Waits for the end of the stream.</summary>
    public static unsafe void ReadEnd(int descriptor)
    {
        byte data;
        if (read(descriptor, &data, 1) != 0)
        {
            throw new InvalidOperationException("the end of the stream was expected");
        }
    }

    public static unsafe (IPAddress Address, int Port) Name(int descriptor)
    {
        Span<byte> raw = stackalloc byte[28];
        uint length = 28;
        fixed (byte* bytes = raw)
        {
            Check(getsockname(descriptor, bytes, &length), "getsockname");
        }

        var port = BinaryPrimitives.ReadUInt16BigEndian(raw[2..]);
        return (length == 16 ? new IPAddress(raw.Slice(4, 4)) : new IPAddress(raw.Slice(8, 16)), port);
    }

    public static void Close(int descriptor) => _ = close(descriptor);

    /// <summary>Close-on-exec off or on.</summary>
    public static void SetInheritable(int descriptor, bool inheritable) => Check(fcntl(descriptor, 2, inheritable ? 0 : 1), "fcntl");

    /// <summary>
    /// The user whom this thread's new sockets belong to, until it is 0 again: setfsuid(2), which glibc does not spread over the
    /// threads.
    /// </summary>
    public static void BeUser(uint uid)
    {
        _ = setfsuid(uid);
        if (setfsuid(uid) != (int)uid)
        {
            throw new InvalidOperationException($"setfsuid({uid}) needs root");
        }
    }

    /// <summary>A network namespace of this thread's own, with the loopback interface up.</summary>
    public static unsafe void EnterOwnNamespace()
    {
        const int cloneNewNet = 0x40000000;
        Check(unshare(cloneNewNet), "unshare(CLONE_NEWNET), which needs root");
        var descriptor = Socket(ipv6: false, udp: true);
        var request = stackalloc byte[40];
        new Span<byte>(request, 40).Clear();
        "lo"u8.CopyTo(new Span<byte>(request, 16));
        const nuint getFlags = 0x8913, setFlags = 0x8914;
        Check(ioctl(descriptor, getFlags, request), "ioctl(SIOCGIFFLAGS)");
        *(short*)(request + 16) |= 1;
        Check(ioctl(descriptor, setFlags, request), "ioctl(SIOCSIFFLAGS)");
        Close(descriptor);
    }

    private static int Encode(Span<byte> raw, IPAddress address, int port, uint scope)
    {
        raw.Clear();
        var ipv6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        BinaryPrimitives.WriteUInt16LittleEndian(raw, (ushort)(ipv6 ? 10 : 2));
        BinaryPrimitives.WriteUInt16BigEndian(raw[2..], (ushort)port);
        address.TryWriteBytes(raw[(ipv6 ? 8 : 4)..], out _);
        if (ipv6)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(raw[24..], scope);
        }

        return ipv6 ? 28 : 16;
    }

    private static int Check(int result, string call) =>
        result >= 0
            ? result
            : throw new InvalidOperationException($"{call}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int setsockopt(int fd, int level, int option, void* value, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int bind(int fd, byte* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int connect(int fd, byte* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int listen(int fd, int backlog);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int accept4(int fd, byte* address, uint* length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int shutdown(int fd, int how);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int getsockname(int fd, byte* address, uint* length);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial nint read(int fd, void* data, nint length);

    [LibraryImport("libc")]
    private static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int fd, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);

    [LibraryImport("libc")]
    private static partial int setfsuid(uint uid);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int ioctl(int fd, nuint request, byte* argument);
}
