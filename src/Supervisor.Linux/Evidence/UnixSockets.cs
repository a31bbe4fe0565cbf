using System.Buffers.Binary;
using System.Text;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Linux.Kernel;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Evidence;

/// <summary>
/// The UNIX sockets of this network namespace by NETLINK_SOCK_DIAG (linux/unix_diag.h): name, the file behind a path by device
/// and inode (UNIX_DIAG_VFS), uid. A path works across network namespaces, and sockets of other namespaces are not listed.
/// </summary>
internal static class UnixSockets
{
    private const uint ShowName = 0x1;
    private const uint ShowVfs = 0x2;
    private const uint ShowUid = 0x40;
    private const ushort DiagName = 0;
    private const ushort DiagVfs = 1;
    private const ushort DiagUid = 7;
    private const int MessageLength = 16;
    private const int Listen = 10;

    /// <summary>The sockets with an abstract name and a socket type.</summary>
    public static List<SocketHolder> OfName(ListenAddress address)
    {
        var name = new byte[1 + address.PathBytes];
        Encoding.UTF8.GetBytes(address.Path!, name.AsSpan(1));
        return Dump(
            address, (type, attributes) => Kind(type) == address.Kind && Netlink.Attribute(attributes, DiagName).SequenceEqual(name));
    }

    /// <summary>The sockets that are bound to a file, of any type.</summary>
    public static List<SocketHolder> OfFile(ListenAddress address, ulong device, ulong inode) => Dump(address, (_, attributes) =>
    {
        // struct unix_diag_vfs: 32 bits of the inode's number, then the device in the kernel's encoding (major << 20 | minor).
        var file = Netlink.Attribute(attributes, DiagVfs);
        return file.Length >= 8
            && BinaryPrimitives.ReadUInt32LittleEndian(file) == (uint)inode
            && BinaryPrimitives.ReadUInt32LittleEndian(file[4..]) == UnixDiag.KernelDevice(device);
    });

    private static List<SocketHolder> Dump(ListenAddress address, Func<byte, ReadOnlySpan<byte>, bool> isWanted)
    {
        var holders = new List<SocketHolder>();
        using var netlink = Netlink.TryOpen(NETLINK_SOCK_DIAG);
        if (netlink is null)
        {
            return holders;
        }

        // struct unix_diag_req: family, protocol, pad, states, ino, show, cookie[2].
        Span<byte> request = stackalloc byte[24];
        request.Clear();
        request[0] = AF_UNIX;
        BinaryPrimitives.WriteUInt32LittleEndian(request[4..], uint.MaxValue);
        BinaryPrimitives.WriteUInt32LittleEndian(request[12..], ShowName | ShowVfs | ShowUid);
        netlink.Dump(SOCK_DIAG_BY_FAMILY, request, (_, message) =>
        {
            if (message.Length < MessageLength || !isWanted(message[1], message[MessageLength..]))
            {
                return;
            }

            // An accepted connection has its listener's name but does not hold it.
            var state = message[2];
            var isListening = state == Listen;
            if (!isListening && message[1] != 2 && state == 1)
            {
                return;
            }

            var uid = Netlink.Attribute(message[MessageLength..], DiagUid);
            holders.Add(new SocketHolder
            {
                Address = ListenAddress.Unix(Kind(message[1]), address.Path!, address.IsAbstract).ToString(),
                State = isListening ? BoundState.Listening : BoundState.Bound,
                StateName = isListening ? "listen" : "bound",
                Inode = BinaryPrimitives.ReadUInt32LittleEndian(message[4..]),
                Uid = uid.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(uid) : 0,
            });
        });
        return holders;
    }

    private static ListenerKind Kind(byte type) => type switch
    {
        SOCK_DGRAM => ListenerKind.UnixDatagram,
        SOCK_SEQPACKET => ListenerKind.UnixSeqpacket,
        _ => ListenerKind.UnixStream,
    };
}
