using System.Text;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>
/// Socket system calls, one per method; each method reads errno at once. A method that makes a descriptor returns it in a
/// close-on-exec handle that the caller owns.
/// </summary>
public static unsafe class Sockets
{
    private const int GetLocalVsockCid = 0x7B9;

    /// <summary>
    /// ioctl IOCTL_VM_SOCKETS_GET_LOCAL_CID on /dev/vsock: this machine's CID; null if it has none, or if this user may not
    /// open the device.
    /// </summary>
    public static uint? LocalVsockCid()
    {
        using var device = Files.Open("/dev/vsock", O_RDONLY, 0, out _);
        uint cid;
        return device is not null && Syscalls.ioctl(device.Number, GetLocalVsockCid, (byte*)&cid) == 0 && cid != uint.MaxValue ? cid : null;
    }

    /// <summary>socket(2), with SOCK_CLOEXEC.</summary>
    public static DescriptorHandle? Create(int domain, int type, int protocol, bool nonBlocking, out SystemCallError error)
    {
        var descriptor = socket(domain, type | SOCK_CLOEXEC | (nonBlocking ? SOCK_NONBLOCK : 0), protocol);
        error = descriptor < 0 ? SystemCallError.Last("socket") : default;
        return descriptor < 0 ? null : new DescriptorHandle(descriptor);
    }

    /// <summary>setsockopt(2) of an int.</summary>
    public static SystemCallError? SetInt32(DescriptorHandle socket, int level, int option, int value) =>
        setsockopt(socket.Number, level, option, &value, sizeof(int)) == 0 ? null : SystemCallError.Last("setsockopt");

    /// <summary>setsockopt(2) of raw bytes.</summary>
    public static SystemCallError? SetBytes(DescriptorHandle socket, int level, int option, ReadOnlySpan<byte> value)
    {
        fixed (byte* bytes = value)
        {
            return setsockopt(socket.Number, level, option, bytes, (uint)value.Length) == 0 ? null : SystemCallError.Last("setsockopt");
        }
    }

    /// <summary>getsockopt(2) of an int; also works for options that are one byte long.</summary>
    public static SystemCallError? GetInt32(DescriptorHandle socket, int level, int option, out int value)
    {
        int result = 0;
        socklen_t length = sizeof(int);
        var done = getsockopt(socket.Number, level, option, &result, &length);
        value = result;
        return done == 0 ? null : SystemCallError.Last("getsockopt");
    }

    /// <summary>getsockopt(2) of bytes; <paramref name="length"/> is how many the kernel wrote.</summary>
    public static SystemCallError? GetBytes(DescriptorHandle socket, int level, int option, Span<byte> value, out int length)
    {
        socklen_t size = (uint)value.Length;
        fixed (byte* bytes = value)
        {
            var done = getsockopt(socket.Number, level, option, bytes, &size);
            length = done == 0 ? (int)(uint)size : 0;
            return done == 0 ? null : SystemCallError.Last("getsockopt");
        }
    }

    /// <summary>getsockopt(2) of a NUL-terminated name.</summary>
    public static SystemCallError? GetName(DescriptorHandle socket, int level, int option, out string value)
    {
        Span<byte> bytes = stackalloc byte[64];
        var error = GetBytes(socket, level, option, bytes, out var length);
        bytes = bytes[..length];
        var end = bytes.IndexOf((byte)0);
        value = Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
        return error;
    }

    /// <summary>bind(2) to the raw address.</summary>
    public static SystemCallError? Bind(DescriptorHandle socket, ReadOnlySpan<byte> address)
    {
        fixed (byte* bytes = address)
        {
            return bind(socket.Number, (sockaddr*)bytes, (uint)address.Length) == 0 ? null : SystemCallError.Last("bind");
        }
    }

    /// <summary>connect(2) to the raw address.</summary>
    public static SystemCallError? Connect(DescriptorHandle socket, ReadOnlySpan<byte> address) => Connect(socket.Number, address);

    /// <summary>connect(2) of a descriptor that another type owns.</summary>
    public static SystemCallError? Connect(int socket, ReadOnlySpan<byte> address)
    {
        fixed (byte* bytes = address)
        {
            return connect(socket, (sockaddr*)bytes, (uint)address.Length) == 0 ? null : SystemCallError.Last("connect");
        }
    }

    /// <summary>shutdown(2), SHUT_RD: received data can still be read, and later sends of the peer fail with EPIPE.</summary>
    public static SystemCallError? ShutReading(DescriptorHandle socket) =>
        shutdown(socket.Number, SHUT_RD) == 0 ? null : SystemCallError.Last("shutdown");

    /// <summary>shutdown(2), SHUT_WR: the peer reads the end of the connection.</summary>
    public static SystemCallError? ShutWriting(DescriptorHandle socket) =>
        shutdown(socket.Number, SHUT_WR) == 0 ? null : SystemCallError.Last("shutdown");

    /// <summary>
    /// SO_PASSRIGHTS (Linux 6.16, net/core/sock.c): whether this UNIX socket accepts descriptors. If not, the peer's sendmsg()
    /// fails with EPERM. Connections that a listener accepts later inherit the setting. Older kernels do not have the option.
    /// </summary>
    public static SystemCallError? SetPassRights(DescriptorHandle socket, bool allowed)
    {
        const int passRights = 83;
        return SetInt32(socket, SOL_SOCKET, passRights, allowed ? 1 : 0);
    }

    /// <summary>listen(2). For a socket that already listens it changes the backlog.</summary>
    public static SystemCallError? Listen(DescriptorHandle socket, int backlog) =>
        listen(socket.Number, backlog) == 0 ? null : SystemCallError.Last("listen");

    /// <summary>
    /// shutdown(2) in both directions: a listener stops listening and leaves its SO_REUSEPORT group at once, even if other
    /// processes hold it. The kernel resets the connections in its queue (net/ipv4/af_inet.c, inet_shutdown).
    /// </summary>
    public static SystemCallError? Shutdown(DescriptorHandle socket)
    {
        const int both = 2;
        return shutdown(socket.Number, both) == 0 ? null : SystemCallError.Last("shutdown");
    }

    /// <summary>accept4(2), close-on-exec: waits for a connection if the socket is blocking.</summary>
    public static DescriptorHandle? Accept(DescriptorHandle listener, out SystemCallError error)
    {
        var descriptor = accept4(listener.Number, null, null, SOCK_CLOEXEC);
        error = descriptor < 0 ? SystemCallError.Last("accept4") : default;
        return descriptor < 0 ? null : new DescriptorHandle(descriptor);
    }

    /// <summary>
    /// getsockname(2): writes the raw address to <paramref name="address"/>; <paramref name="length"/> is its size in bytes.
    /// </summary>
    public static SystemCallError? GetSocketName(DescriptorHandle socket, Span<byte> address, out int length)
    {
        socklen_t size = (uint)address.Length;
        fixed (byte* bytes = address)
        {
            var done = getsockname(socket.Number, (sockaddr*)bytes, &size);
            length = done == 0 ? Math.Min((int)(uint)size, address.Length) : 0;
            return done == 0 ? null : SystemCallError.Last("getsockname");
        }
    }

    /// <summary>getpeername(2), as <see cref="GetSocketName"/>.</summary>
    public static SystemCallError? GetPeerName(DescriptorHandle socket, Span<byte> address, out int length)
    {
        socklen_t size = (uint)address.Length;
        fixed (byte* bytes = address)
        {
            var done = getpeername(socket.Number, (sockaddr*)bytes, &size);
            length = done == 0 ? Math.Min((int)(uint)size, address.Length) : 0;
            return done == 0 ? null : SystemCallError.Last("getpeername");
        }
    }

    /// <summary>SO_LINGER (socket(7)): whether closing the last descriptor waits for unsent data.</summary>
    public static bool Lingers(DescriptorHandle socket)
    {
        // struct linger: l_onoff, l_linger.
        const int linger = 13;
        Span<byte> value = stackalloc byte[2 * sizeof(int)];
        return GetBytes(socket, SOL_SOCKET, linger, value, out _) is null && value[0] != 0;
    }

    /// <summary>send(2), MSG_NOSIGNAL.</summary>
    public static SystemCallError? Send(DescriptorHandle socket, ReadOnlySpan<byte> data)
    {
        fixed (byte* bytes = data)
        {
            return (long)send(socket.Number, bytes, data.Length, MSG_NOSIGNAL) >= 0 ? null : SystemCallError.Last("send");
        }
    }

    /// <summary>
    /// recvmsg(2) with MSG_PEEK: reads the next message and its sender's credentials, and leaves the message in the socket. The
    /// call has no room for descriptors, so none is installed, and the message keeps its own, so none is closed. It therefore
    /// never waits (net/unix/af_unix.c, unix_peek_fds; unix(7)).
    /// </summary>
    /// <param name="socket">A UNIX datagram or packet socket.</param>
    /// <param name="withCredentials">Whether SO_PASSCRED is set on the socket; otherwise the kernel does not report the
    /// sender.</param>
    /// <param name="data">Buffer for the message.</param>
    /// <param name="senderPid">The sender's process id; 0 if the kernel does not report it.</param>
    /// <param name="senderUid">The sender's user id; <see cref="uint.MaxValue"/> if the kernel does not report it, for example
    /// at the end of a connection.</param>
    /// <param name="truncated">Whether the message is longer than <paramref name="data"/>.</param>
    /// <param name="carriesDescriptors">Whether the message carries descriptors.</param>
    /// <param name="error">Why the call failed.</param>
    /// <returns>Bytes of the message; 0 also at the end of a connection; -1 if there is no message, or if
    /// <paramref name="error"/> is set.</returns>
    public static int Peek(
        DescriptorHandle socket, bool withCredentials, Span<byte> data, out int senderPid, out uint senderUid, out bool truncated,
        out bool carriesDescriptors, out SystemCallError? error)
    {
        senderPid = 0;
        senderUid = uint.MaxValue;
        truncated = false;
        carriesDescriptors = false;
        error = null;

        // The credentials come first and fill the buffer (net/core/scm.c, scm_recv_unix).
        var controlLength = withCredentials ? CMSG_SPACE(sizeof(ucred)) : 0;
        var control = stackalloc byte[CMSG_SPACE(sizeof(ucred))];
        fixed (byte* bytes = data)
        {
            iovec vector = new() { iov_base = bytes, iov_len = data.Length };
            msghdr message = default;
            message.msg_iov = &vector;
            message.msg_iovlen = 1;
            message.msg_control = control;
            message.msg_controllen = (uint)controlLength;
            var length = (long)recvmsg(socket.Number, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_PEEK);
            if (length < 0)
            {
                error = errno == EAGAIN ? null : SystemCallError.Last("recvmsg");
                return -1;
            }

            var header = CMSG_FIRSTHDR(&message);
            if (header != null && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS)
            {
                var credentials = (ucred*)CMSG_DATA(header);
                senderPid = credentials->pid;
                senderUid = credentials->uid;
            }

            truncated = (message.msg_flags & MSG_TRUNC) != 0;
            carriesDescriptors = (message.msg_flags & MSG_CTRUNC) != 0;
            return (int)length;
        }
    }

    /// <summary>
    /// Removes the next message, which must carry no descriptors according to <see cref="Peek"/>: the kernel would close them
    /// here. Never waits.
    /// </summary>
    public static void Remove(DescriptorHandle socket)
    {
        byte nothing;
        recv(socket.Number, &nothing, 1, MSG_DONTWAIT);
    }

    /// <summary>
    /// SO_ATTACH_REUSEPORT_CBPF (Linux 4.5, socket(7)): steers new connections of the whole SO_REUSEPORT group to the member
    /// with that index, in order of joining. Needs no capability.
    /// </summary>
    public static SystemCallError? SteerReusePort(DescriptorHandle member, int index)
    {
        const int attachReusePortCbpf = 51;
        return AttachConstant(member, attachReusePortCbpf, index);
    }

    /// <summary>
    /// SO_ATTACH_FILTER with a filter that drops all packets (socket(7)): clients of a listener repeat their SYN a second
    /// later.
    /// </summary>
    public static SystemCallError? DropIncoming(DescriptorHandle socket)
    {
        const int attachFilter = 26;
        return AttachConstant(socket, attachFilter, 0);
    }

    /// <summary>SO_DETACH_FILTER: removes the filter of <see cref="DropIncoming"/>.</summary>
    public static SystemCallError? TakeIncoming(DescriptorHandle socket)
    {
        const int detachFilter = 27;
        return SetInt32(socket, SOL_SOCKET, detachFilter, 0);
    }

    /// <summary>Attaches a classic BPF program that returns a constant.</summary>
    private static SystemCallError? AttachConstant(DescriptorHandle socket, int option, int value)
    {
        const ushort returnConstant = 0x06;

        // struct sock_filter: code, two jumps, the constant; struct sock_fprog: length, pointer. linux/filter.h.
        var instruction = stackalloc byte[8];
        *(ushort*)instruction = returnConstant;
        *(ushort*)(instruction + 2) = 0;
        *(int*)(instruction + 4) = value;
        var program = stackalloc byte[16];
        *(ulong*)program = 1;
        *(byte**)(program + 8) = instruction;
        return setsockopt(socket.Number, SOL_SOCKET, option, program, 16) == 0 ? null : SystemCallError.Last("setsockopt");
    }

    /// <summary>SO_DETACH_REUSEPORT_BPF (Linux 5.3): the kernel distributes by hash again.</summary>
    public static SystemCallError? ReleaseReusePort(DescriptorHandle member)
    {
        const int detachReusePortBpf = 68;
        return SetInt32(member, SOL_SOCKET, detachReusePortBpf, 0);
    }

    /// <summary>
    /// accept4(2), close-on-exec. Null if there is no connection (EAGAIN, or the client has closed it: accept(2)), or if
    /// <paramref name="error"/> is set.
    /// </summary>
    public static DescriptorHandle? Accept(DescriptorHandle listener, bool nonBlocking, out SystemCallError? error)
    {
        var descriptor = accept4(listener.Number, null, null, SOCK_CLOEXEC | (nonBlocking ? SOCK_NONBLOCK : 0));
        error = descriptor >= 0 || errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ? null : SystemCallError.Last("accept4");
        return descriptor < 0 ? null : new DescriptorHandle(descriptor);
    }

    /// <summary>
    /// SO_PEERPIDFD of a connected UNIX socket: a pidfd of the process that connected, not of another process with a reused id
    /// (Linux 6.5, net/core/sock.c). Null if the kernel does not have the option, or if the process was reaped. The caller owns
    /// it.
    /// </summary>
    public static DescriptorHandle? GetPeerPidfd(DescriptorHandle socket)
    {
        const int peerPidfd = 77;
        return GetInt32(socket, SOL_SOCKET, peerPidfd, out var descriptor) is null && descriptor >= 0
            ? new DescriptorHandle(descriptor)
            : null;
    }

    /// <summary>
    /// SO_PEERGROUPS of a connected UNIX socket: the peer's supplementary groups when it connected (Linux 4.13,
    /// net/core/sock.c). Empty if the kernel does not report them.
    /// </summary>
    public static uint[] GetPeerGroups(DescriptorHandle socket)
    {
        const int peerGroups = 59;
        const int range = 34;
        var groups = new uint[64];
        while (true)
        {
            socklen_t size = (uint)(groups.Length * sizeof(uint));
            fixed (uint* list = groups)
            {
                if (getsockopt(socket.Number, SOL_SOCKET, peerGroups, list, &size) == 0)
                {
                    return groups[..(int)((uint)size / sizeof(uint))];
                }
            }

            // The buffer is too small; the kernel has returned the required size.
            if (errno != range || (uint)size <= groups.Length * sizeof(uint))
            {
                return [];
            }

            groups = new uint[(uint)size / sizeof(uint)];
        }
    }

    /// <summary>SO_PEERCRED of a connected UNIX socket.</summary>
    public static SystemCallError? GetPeerCredentials(DescriptorHandle socket, out int pid, out uint uid, out uint gid)
    {
        ucred credentials = default;
        socklen_t size = (uint)sizeof(ucred);
        var done = getsockopt(socket.Number, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
        pid = credentials.pid;
        uid = credentials.uid;
        gid = credentials.gid;
        return done == 0 ? null : SystemCallError.Last("getsockopt");
    }
}
