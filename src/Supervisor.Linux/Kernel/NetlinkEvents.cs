using System.Buffers.Binary;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Kernel;

/// <summary>Sockets that receive the kernel's announcements: netlink(7) multicast groups.</summary>
internal static class NetlinkEvents
{
    /// <summary>RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR: linux/rtnetlink.h.</summary>
    public const uint InterfacesAndAddresses = 0x1 | 0x10 | 0x100;

    /// <summary>A non-blocking socket in these groups; null if the kernel refuses. The caller owns it.</summary>
    public static DescriptorHandle? Subscribe(int protocol, uint groups)
    {
        var socket = Sockets.Create(AF_NETLINK, SOCK_RAW, protocol, nonBlocking: true, out _);
        if (socket is null)
        {
            return null;
        }

        // struct sockaddr_nl: family, pad, port id, groups.
        Span<byte> address = stackalloc byte[12];
        address.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(address, AF_NETLINK);
        BinaryPrimitives.WriteUInt32LittleEndian(address[8..], groups);
        if (Sockets.Bind(socket, address) is not null)
        {
            socket.Dispose();
            return null;
        }

        return socket;
    }

    /// <summary>Reads and drops what has arrived, also the note that the kernel dropped events (ENOBUFS).</summary>
    public static void Drain(DescriptorHandle socket, byte[] buffer)
    {
        while (Files.Read(socket, buffer, out var error) is var length && (length > 0 || error is not null))
        {
            // What has changed is read from the kernel.
        }
    }
}
