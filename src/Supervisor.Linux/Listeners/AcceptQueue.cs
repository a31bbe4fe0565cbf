using System.Buffers.Binary;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// The accept queue of a listening socket, read from the socket itself: TCP_INFO gives its length as tcpi_unacked and its
/// limit as tcpi_sacked (net/ipv4/tcp.c, tcp_get_info; since Linux 2.6.24). A UNIX socket's comes from sock_diag.
/// </summary>
public static class AcceptQueue
{
    private const int UnackedOffset = 24;
    private const int SackedOffset = 28;

    /// <summary>
    /// Waiting connections and their limit, the messages of a message queue, or the bytes of a FIFO; null if this kernel does not
    /// show them.
    /// </summary>
    public static (long Length, long Limit)? Read(DescriptorHandle socket, ListenerKind kind, ulong inode)
    {
        if (kind.SpeaksTcp())
        {
            Span<byte> info = stackalloc byte[104];
            return Sockets.GetBytes(socket, IPPROTO_TCP, TCP_INFO, info, out var length) is null && length >= SackedOffset + 4
                ? (
                    BinaryPrimitives.ReadUInt32LittleEndian(info[UnackedOffset..]),
                    BinaryPrimitives.ReadUInt32LittleEndian(info[SackedOffset..]))
                : null;
        }

        if (kind == ListenerKind.MessageQueue)
        {
            return MessageQueues.GetAttributes(socket, out var queue) is null ? (queue.Waiting, queue.MaxMessages) : null;
        }

        if (kind == ListenerKind.Fifo)
        {
            return Pipes.GetWaiting(socket) is { } waiting && Pipes.GetSize(socket) is { } size ? (waiting, size) : null;
        }

        return kind is ListenerKind.UnixStream or ListenerKind.UnixSeqpacket ? UnixDiag.ReadQueue(inode) : null;
    }
}
