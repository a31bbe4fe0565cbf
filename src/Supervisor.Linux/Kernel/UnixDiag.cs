using System.Buffers.Binary;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// The accept queue of one UNIX socket, by NETLINK_SOCK_DIAG with UNIX_DIAG_RQLEN (sock_diag(7), linux/unix_diag.h; Linux 3.3,
/// CONFIG_UNIX_DIAG). For a listening socket rqueue is the queue's length and wqueue its limit.
/// </summary>
public static class UnixDiag
{
    private const int HeaderLength = 16;
    private const int MessageLength = 16;

    /// <summary>The queue of the socket with that inode in this network namespace; null if the kernel does not report it.</summary>
    public static (long Length, long Limit)? ReadQueue(ulong inode)
    {
        using var socket = Sockets.Create(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG, nonBlocking: false, out _);
        if (socket is null)
        {
            return null;
        }

        // struct nlmsghdr, then struct unix_diag_req: family, protocol, pad, states, ino, show, cookie[2].
        Span<byte> request = stackalloc byte[HeaderLength + 24];
        request.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(request, (uint)request.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(request[4..], SOCK_DIAG_BY_FAMILY);
        BinaryPrimitives.WriteUInt16LittleEndian(request[6..], NLM_F_REQUEST);
        request[HeaderLength] = 1;
        BinaryPrimitives.WriteUInt32LittleEndian(request[(HeaderLength + 4)..], uint.MaxValue);
        BinaryPrimitives.WriteUInt32LittleEndian(request[(HeaderLength + 8)..], (uint)inode);
        BinaryPrimitives.WriteUInt32LittleEndian(request[(HeaderLength + 12)..], UDIAG_SHOW_RQLEN);
        request[(HeaderLength + 16)..].Fill(0xFF);
        if (Sockets.Send(socket, request) is not null)
        {
            return null;
        }

        Span<byte> answer = stackalloc byte[4096];
        var length = Files.Read(socket, answer, out _);
        if (length < HeaderLength + MessageLength || BinaryPrimitives.ReadUInt16LittleEndian(answer[4..]) != SOCK_DIAG_BY_FAMILY)
        {
            return null;
        }

        for (var at = HeaderLength + MessageLength; at + 4 <= length;)
        {
            var size = BinaryPrimitives.ReadUInt16LittleEndian(answer[at..]);
            if (size < 4)
            {
                return null;
            }

            if (BinaryPrimitives.ReadUInt16LittleEndian(answer[(at + 2)..]) == UNIX_DIAG_RQLEN && size >= 12)
            {
                var values = answer[(at + 4)..];
                return (BinaryPrimitives.ReadUInt32LittleEndian(values), BinaryPrimitives.ReadUInt32LittleEndian(values[4..]));
            }

            at += (size + 3) & ~3;
        }

        return null;
    }
}
