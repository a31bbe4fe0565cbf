using static Tmds.Linux.LibC;
using Tmds.Linux;

namespace Supervisor.Native;

/// <summary>Packets with at most one descriptor, over SOCK_SEQPACKET or datagrams: unix(7), SCM_RIGHTS.</summary>
public static unsafe class DescriptorPassing
{
    private const int AfUnix = 1;
    private const int SockSeqpacket = 5;

    /// <summary>socketpair(2) of SOCK_SEQPACKET, close-on-exec.</summary>
    public static SystemCallError? Pair(out DescriptorHandle? one, out DescriptorHandle? other)
    {
        var pair = stackalloc int[2];
        if (Syscalls.socketpair(AfUnix, SockSeqpacket | SOCK_CLOEXEC, 0, pair) != 0)
        {
            one = other = null;
            return SystemCallError.Last("socketpair");
        }

        one = new DescriptorHandle(pair[0]);
        other = new DescriptorHandle(pair[1]);
        return null;
    }

    /// <summary>sendmsg(2) of a packet, which never waits (MSG_DONTWAIT); the descriptor stays the caller's.</summary>
    public static SystemCallError? Send(DescriptorHandle socket, ReadOnlySpan<byte> data, DescriptorHandle? descriptor)
    {
        var controlLength = CMSG_SPACE(sizeof(int));
        var control = stackalloc byte[controlLength];
        fixed (byte* bytes = data)
        {
            iovec vector = new() { iov_base = bytes, iov_len = data.Length };
            msghdr message = default;
            message.msg_iov = &vector;
            message.msg_iovlen = 1;
            if (descriptor is not null)
            {
                new Span<byte>(control, controlLength).Clear();
                message.msg_control = control;
                message.msg_controllen = (uint)controlLength;

                // struct cmsghdr, 64 bits: length with the header, level, type, then the one number.
                *(ulong*)control = 16 + sizeof(int);
                *(int*)(control + 8) = SOL_SOCKET;
                *(int*)(control + 12) = SCM_RIGHTS;
                *(int*)(control + 16) = descriptor.Number;
            }

            return (long)sendmsg(socket.Number, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ? null : SystemCallError.Last("sendmsg");
        }
    }

    /// <summary>
    /// recvmsg(2) of a packet, waiting for it where <paramref name="wait"/>. 0 at the end, -1 where there is none or
    /// <paramref name="error"/> says why. The caller owns the descriptor.
    /// </summary>
    public static int Receive(DescriptorHandle socket, Span<byte> data, bool wait, out DescriptorHandle? descriptor, out SystemCallError? error)
    {
        descriptor = null;
        error = null;
        var controlLength = CMSG_SPACE(sizeof(int));
        var control = stackalloc byte[controlLength];
        fixed (byte* bytes = data)
        {
            iovec vector = new() { iov_base = bytes, iov_len = data.Length };
            msghdr message = default;
            message.msg_iov = &vector;
            message.msg_iovlen = 1;
            message.msg_control = control;
            message.msg_controllen = (uint)controlLength;
            long length;
            do
            {
                length = (long)recvmsg(socket.Number, &message, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
            }
            while (length < 0 && errno == EINTR);

            if (length < 0)
            {
                error = errno is 11 ? null : SystemCallError.Last("recvmsg");
                return -1;
            }

            var header = CMSG_FIRSTHDR(&message);
            if (header != null && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS && (uint)header->cmsg_len == (uint)CMSG_LEN(sizeof(int)))
            {
                descriptor = new DescriptorHandle(*(int*)CMSG_DATA(header));
            }

            return (int)length;
        }
    }
}
