using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Probes;

/// <summary>
/// Reads the server end of a local connection by NETLINK_SOCK_DIAG: the inode of the socket that accept() made. It is 0 until a
/// process accepts the connection (inet_diag and unix_diag: sock_i_ino() of a socket without a file).
/// </summary>
internal static class AcceptedSocket
{
    private const ushort Request = 1;
    private const uint ShowPeer = 4;
    private const ushort DiagPeer = 2;

    /// <summary>Offset of idiag_inode in struct inet_diag_msg.</summary>
    private const int InodeOffset = 68;

    /// <summary>The inode; 0 until a process accepts the connection, null if the kernel does not return it.</summary>
    public static ulong? Inode(Socket connection) => connection is { LocalEndPoint: IPEndPoint local, RemoteEndPoint: IPEndPoint remote }
        ? Internet(local, remote)
        : Unix(connection);

    private static ulong? Internet(IPEndPoint client, IPEndPoint server)
    {
        // struct inet_diag_req_v2: family, protocol, ext, pad, states, then the server's socket as struct inet_diag_sockid.
        Span<byte> request = stackalloc byte[56];
        request.Clear();
        request[0] = server.AddressFamily == AddressFamily.InterNetworkV6 ? (byte)AF_INET6 : (byte)AF_INET;
        request[1] = IPPROTO_TCP;
        BinaryPrimitives.WriteUInt32LittleEndian(request[4..], uint.MaxValue);
        BinaryPrimitives.WriteUInt16BigEndian(request[8..], (ushort)server.Port);
        BinaryPrimitives.WriteUInt16BigEndian(request[10..], (ushort)client.Port);
        server.Address.TryWriteBytes(request[12..28], out _);
        client.Address.TryWriteBytes(request[28..44], out _);
        request[48..56].Fill(0xFF);
        Span<byte> answer = stackalloc byte[4096];
        var message = Ask(request, answer);
        return message.Length >= InodeOffset + 4 ? BinaryPrimitives.ReadUInt32LittleEndian(message[InodeOffset..]) : null;
    }

    /// <summary>The inode of the client's end; null if it cannot be read.</summary>
    public static ulong? OwnInode(Socket client) =>
        new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{client.Handle}")).LinkTarget is { } link
            ? WorkerTree.SocketInode(link)
            : null;

    private static ulong? Unix(Socket client)
    {
        if (OwnInode(client) is not { } own)
        {
            return null;
        }

        // struct unix_diag_req: family, protocol, pad, states, ino, show, cookie[2].
        Span<byte> request = stackalloc byte[24];
        request.Clear();
        request[0] = AF_UNIX;
        BinaryPrimitives.WriteUInt32LittleEndian(request[4..], uint.MaxValue);
        BinaryPrimitives.WriteUInt32LittleEndian(request[8..], (uint)own);
        BinaryPrimitives.WriteUInt32LittleEndian(request[12..], ShowPeer);
        request[16..].Fill(0xFF);
        Span<byte> answer = stackalloc byte[4096];
        var message = Ask(request, answer);
        var peer = message.Length > 16 ? Netlink.Attribute(message[16..], DiagPeer) : default;
        return peer.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(peer) : null;
    }

    /// <summary>One request for one socket. Returns what follows struct nlmsghdr in the answer; empty if there is none.</summary>
    private static ReadOnlySpan<byte> Ask(ReadOnlySpan<byte> payload, Span<byte> answer)
    {
        using var socket = Sockets.Create(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG, nonBlocking: false, out _);
        if (socket is null)
        {
            return default;
        }

        Span<byte> request = stackalloc byte[Netlink.HeaderLength + payload.Length];
        request.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(request, (uint)request.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(request[4..], SOCK_DIAG_BY_FAMILY);
        BinaryPrimitives.WriteUInt16LittleEndian(request[6..], Request);
        payload.CopyTo(request[Netlink.HeaderLength..]);
        if (Sockets.Send(socket, request) is not null)
        {
            return default;
        }

        var length = Files.Read(socket, answer, out _);
        return length > Netlink.HeaderLength && BinaryPrimitives.ReadUInt16LittleEndian(answer[4..]) == SOCK_DIAG_BY_FAMILY
            ? answer[Netlink.HeaderLength..Math.Min(length, (int)BinaryPrimitives.ReadUInt32LittleEndian(answer))]
            : default;
    }
}
