using System.Buffers.Binary;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// What the kernel dropped at a socket: SO_MEMINFO, element SK_MEMINFO_DROPS (linux/sock_diag.h; Linux 4.12). For a
/// listener these are connections that found the accept queue full, for a datagram socket datagrams that found the
/// receive buffer full.
/// </summary>
public static class SocketDrops
{
    private const int DropsOffset = 8 * sizeof(uint);

    /// <summary>How many so far at all sockets of a listener; null where this kernel does not show it, or without a socket.</summary>
    public static long? Read(ListenerHandle handle)
    {
        long? total = null;
        foreach (var socket in handle.Sockets)
        {
            if (Read(socket.Descriptor) is not { } drops)
            {
                return null;
            }

            total = (total ?? 0) + drops;
        }

        return total;
    }

    /// <summary>How many so far; null where this kernel does not show it.</summary>
    public static long? Read(DescriptorHandle socket)
    {
        Span<byte> values = stackalloc byte[64];
        return Sockets.GetBytes(socket, SOL_SOCKET, SO_MEMINFO, values, out var length) is null && length >= DropsOffset + sizeof(uint)
            ? BinaryPrimitives.ReadUInt32LittleEndian(values[DropsOffset..])
            : null;
    }
}
