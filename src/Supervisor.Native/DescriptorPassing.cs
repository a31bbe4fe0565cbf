using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>Packets with descriptors, over SOCK_SEQPACKET or datagrams: unix(7), SCM_RIGHTS.</summary>
public static unsafe class DescriptorPassing
{
    /// <summary>How many descriptors a packet can carry: SCM_MAX_FD, unix(7).</summary>
    public const int MaxDescriptors = 253;

    /// <summary>socketpair(2) of SOCK_SEQPACKET, close-on-exec; the caller owns both.</summary>
    public static SystemCallError? Pair(
        out DescriptorHandle? one, out DescriptorHandle? other, int type = KernelAbi.SOCK_SEQPACKET)
    {
        var pair = stackalloc int[2];
        if (Syscalls.socketpair(KernelAbi.AF_UNIX, type | SOCK_CLOEXEC, 0, pair) != 0)
        {
            one = other = null;
            return SystemCallError.Last("socketpair");
        }

        one = new DescriptorHandle(pair[0]);
        other = new DescriptorHandle(pair[1]);
        return null;
    }

    /// <summary>
    /// recvmsg(2) of one packet from a SOCK_SEQPACKET socket, with its descriptors. At most <paramref name="maxDescriptors"/>
    /// are installed, close-on-exec and owned by the caller. The kernel drops the others and sets MSG_CTRUNC (unix(7)). With 0
    /// it installs none.
    /// </summary>
    /// <param name="socket">A connected socket.</param>
    /// <param name="data">Buffer for the packet; the kernel drops what does not fit (MSG_TRUNC).</param>
    /// <param name="received">The descriptors, in order.</param>
    /// <param name="maxDescriptors">0 to <see cref="MaxDescriptors"/>.</param>
    /// <param name="wait">Whether to wait for a packet.</param>
    /// <param name="truncated">Whether the packet is longer than <paramref name="data"/>.</param>
    /// <param name="descriptorsLost">Whether descriptors were dropped.</param>
    /// <param name="error">Why the call failed.</param>
    /// <returns>Bytes of the packet; 0 at the end of the connection; -1 if there is no packet yet, or if
    /// <paramref name="error"/> is set.</returns>
    public static int Receive(
        DescriptorHandle socket, Span<byte> data, List<DescriptorHandle> received, int maxDescriptors, bool wait, out bool truncated,
        out bool descriptorsLost, out SystemCallError? error)
    {
        truncated = false;
        descriptorsLost = false;
        error = null;

        // CMSG_LEN excludes the padding, which could hold one more descriptor.
        var controlLength = maxDescriptors == 0 ? 0 : RightsLength(maxDescriptors);
        var control = stackalloc byte[CMSG_SPACE(sizeof(int) * maxDescriptors)];
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
                length = (long)recvmsg(socket.Number, &message, (wait ? 0 : MSG_DONTWAIT) | MSG_CMSG_CLOEXEC);
            }
            while (length < 0 && errno == EINTR);
            if (length < 0)
            {
                error = errno == EAGAIN ? null : SystemCallError.Last("recvmsg");
                return -1;
            }

            for (var header = CMSG_FIRSTHDR(&message); header != null; header = CMSG_NXTHDR(&message, header))
            {
                if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
                {
                    Take(header, received);
                }
            }

            truncated = (message.msg_flags & MSG_TRUNC) != 0;
            descriptorsLost = (message.msg_flags & MSG_CTRUNC) != 0;
            return (int)length;
        }
    }

    /// <summary>
    /// sendmsg(2) of one packet with duplicates of at most <see cref="MaxDescriptors"/> <paramref name="descriptors"/>, which
    /// the caller keeps. MSG_NOSIGNAL. False if the socket's buffer is full, or if <paramref name="error"/> is set.
    /// </summary>
    public static bool Send(
        DescriptorHandle socket, ReadOnlySpan<byte> data, ReadOnlySpan<DescriptorHandle> descriptors, bool wait, out SystemCallError? error)
    {
        var size = descriptors.Length == 0 ? 0 : CMSG_SPACE(sizeof(int) * descriptors.Length);
        var control = stackalloc byte[size];
        new Span<byte>(control, size).Clear();
        fixed (byte* bytes = data)
        {
            iovec vector = new() { iov_base = bytes, iov_len = data.Length };
            msghdr message = default;
            message.msg_iov = &vector;
            message.msg_iovlen = 1;
            if (size > 0)
            {
                message.msg_control = control;
                message.msg_controllen = (uint)size;
                var header = CMSG_FIRSTHDR(&message);
                header->cmsg_level = SOL_SOCKET;
                header->cmsg_type = SCM_RIGHTS;
                header->cmsg_len = (uint)RightsLength(descriptors.Length);
                var numbers = (int*)CMSG_DATA(header);
                for (var i = 0; i < descriptors.Length; i++)
                {
                    numbers[i] = descriptors[i].Number;
                }
            }

            long sent;
            do
            {
                sent = (long)sendmsg(socket.Number, &message, (wait ? 0 : MSG_DONTWAIT) | MSG_NOSIGNAL);
            }
            while (sent < 0 && errno == EINTR);
            error = sent >= 0 || errno == EAGAIN ? null : SystemCallError.Last("sendmsg");
            return sent >= 0;
        }
    }

    /// <summary>The descriptors of an SCM_RIGHTS message; the caller owns them.</summary>
    internal static void Take(cmsghdr* header, List<DescriptorHandle> received)
    {
        var count = ((int)(uint)header->cmsg_len - sizeof(cmsghdr)) / sizeof(int);
        var descriptors = (int*)CMSG_DATA(header);
        for (var i = 0; i < count; i++)
        {
            received.Add(new DescriptorHandle(descriptors[i]));
        }
    }

    /// <summary>CMSG_LEN as in cmsg(3): the header and the numbers. Tmds.LibC rounds it up, so one more number would fit.</summary>
    private static int RightsLength(int descriptors) => sizeof(cmsghdr) + (sizeof(int) * descriptors);
}
