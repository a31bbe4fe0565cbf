using System.Buffers.Binary;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// One UNIX socket by NETLINK_SOCK_DIAG (sock_diag(7), linux/unix_diag.h; Linux 3.3, CONFIG_UNIX_DIAG): its accept queue
/// (UNIX_DIAG_RQLEN) and the file that it is bound to (UNIX_DIAG_VFS).
/// </summary>
public static class UnixDiag
{
    private const int HeaderLength = 16;
    private const int MessageLength = 16;

    private const uint ShowVfs = 0x2;
    private const ushort DiagVfs = 1;

    private delegate T Attribute<T>(ReadOnlySpan<byte> value);

    /// <summary>
    /// The queue of the socket with that inode in this network namespace; null if the kernel does not report it. For a listening
    /// socket rqueue is the queue's length and wqueue its limit.
    /// </summary>
    public static (long Length, long Limit)? ReadQueue(ulong inode) => Read(
        inode, UDIAG_SHOW_RQLEN, UNIX_DIAG_RQLEN,
        static value => ((long)BinaryPrimitives.ReadUInt32LittleEndian(value), (long)BinaryPrimitives.ReadUInt32LittleEndian(value[4..])));

    /// <summary>Whether the socket with that inode is bound to this file; null if the kernel does not report it.</summary>
    public static bool? IsBoundTo(ulong inode, ulong device, ulong file) => Read(
        inode, ShowVfs, DiagVfs,
        value => BinaryPrimitives.ReadUInt32LittleEndian(value) == (uint)file
            && BinaryPrimitives.ReadUInt32LittleEndian(value[4..]) == KernelDevice(device));

    /// <summary>Whether the file at a path is the one that the socket is bound to; true if the kernel does not report it.</summary>
    public static bool IsAt(DescriptorHandle socket, string path)
    {
        if (Files.GetStatus(path, out var file) is not null || !file.IsSocket)
        {
            return false;
        }

        Files.GetStatus(socket, out var own);
        return IsBoundTo(own.Inode, file.Device, file.Inode) != false;
    }

    /// <summary>Converts stat's dev_t (gnu_dev_major, gnu_dev_minor) to the kernel's form with a 20-bit minor number.</summary>
    internal static uint KernelDevice(ulong device)
    {
        var major = (uint)(((device >> 8) & 0xFFF) | ((device >> 32) & ~0xFFFUL));
        var minor = (uint)((device & 0xFF) | ((device >> 12) & ~0xFFUL));
        return (major << 20) | (minor & 0xFFFFF);
    }

    private static T? Read<T>(ulong inode, uint show, ushort attribute, Attribute<T> read)
        where T : struct
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
        BinaryPrimitives.WriteUInt32LittleEndian(request[(HeaderLength + 12)..], show);
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

            if (BinaryPrimitives.ReadUInt16LittleEndian(answer[(at + 2)..]) == attribute && size >= 12)
            {
                return read(answer[(at + 4)..length]);
            }

            at += (size + 3) & ~3;
        }

        return null;
    }
}
