using System.Buffers.Binary;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// What the kernel dropped at a socket: SO_MEMINFO, element SK_MEMINFO_DROPS (linux/sock_diag.h; Linux 4.12). For a
/// listener these are connections that found the accept queue full, for a datagram socket datagrams that found the
/// receive buffer full.
/// </summary>
/// <remarks>
/// With TCP_DEFER_ACCEPT the kernel also counts the ACK of each handshake that it holds back until data arrive (tcp_check_req() in
/// net/ipv4/tcp_minisocks.c), and no counter of the socket tells them apart. TcpExt ListenDrops counts only real drops, of the whole
/// network namespace: there were at most as many.
/// </remarks>
public static class SocketDrops
{
    private const int DropsOffset = 8 * sizeof(uint);

    /// <summary>How many so far at all sockets of a listener; null where this kernel does not show it, or without a socket.</summary>
    public static long? Read(ListenerHandle handle)
    {
        long? total = null;
        foreach (var socket in handle.Sockets)
        {
            if (Read(socket.Descriptor, handle.Spec) is not { } drops)
            {
                return null;
            }

            total = (total ?? 0) + drops;
        }

        return total;
    }

    /// <summary>How many so far; null where this kernel does not show it.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="spec">What it was made for.</param>
    public static long? Read(DescriptorHandle socket, ListenerSpec spec)
    {
        var counted = Counted(socket);
        return counted > 0 && IsDeferred(socket) ? Real(spec) is { } real ? Math.Min(counted.Value, real) : null : counted;
    }

    /// <summary>Whether the kernel also counts what it does not drop: with TCP_DEFER_ACCEPT.</summary>
    public static bool IsDeferred(DescriptorHandle socket) =>
        Sockets.GetInt32(socket, IPPROTO_TCP, TCP_DEFER_ACCEPT, out var seconds) is null && seconds > 0;

    /// <summary>TcpExt ListenDrops; null where this process does not see it, as in another network namespace.</summary>
    public static long? Real(ListenerSpec spec) => spec.NetworkNamespace is null ? CounterTable.OfTcp().Find("ListenDrops") : null;

    /// <summary>The counter of the socket; null where this kernel does not show it.</summary>
    public static long? Counted(DescriptorHandle socket)
    {
        Span<byte> values = stackalloc byte[64];
        return Sockets.GetBytes(socket, SOL_SOCKET, SO_MEMINFO, values, out var length) is null && length >= DropsOffset + sizeof(uint)
            ? BinaryPrimitives.ReadUInt32LittleEndian(values[DropsOffset..])
            : null;
    }
}
