using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Supervisor.Native;
using Supervisor.Core.Listeners;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// Converts a <see cref="ListenAddress"/> to and from struct sockaddr: sockaddr_in, sockaddr_in6, sockaddr_un, sockaddr_vm, sockaddr_nl.
/// </summary>
public static class Sockaddr
{
    /// <summary>The size of struct sockaddr_storage, which holds each of them.</summary>
    public const int MaxLength = 128;

    /// <summary>The size of struct sockaddr_in, and of sockaddr_in6.</summary>
    private const int InternetLength = 16;
    private const int Internet6Length = 28;

    /// <summary>The size of struct sockaddr_nl: family, pad, nl_pid, nl_groups.</summary>
    private const int NetlinkLength = 12;

    /// <summary>
    /// The raw address; null for a path that does not fit into sun_path. <paramref name="scopeId"/> is the interface number of
    /// a link-local address.
    /// </summary>
    public static byte[]? Encode(ListenAddress address, uint scopeId = 0)
    {
        switch (address.Kind)
        {
            case ListenerKind.UnixStream or ListenerKind.UnixDatagram or ListenerKind.UnixSeqpacket:
                var path = ByteText.Encode(address.Path!);
                if (path.Length > ListenAddress.MaxUnixPathBytes)
                {
                    return null;
                }

                // An abstract name is all bytes after the leading NUL; a path ends with a NUL.
                var unix = new byte[2 + path.Length + 1];
                BinaryPrimitives.WriteUInt16LittleEndian(unix, AF_UNIX);
                path.CopyTo(unix, address.IsAbstract ? 3 : 2);
                return unix;
            case ListenerKind.Vsock:
                var vsock = new byte[16];
                BinaryPrimitives.WriteUInt16LittleEndian(vsock, AF_VSOCK);
                BinaryPrimitives.WriteUInt32LittleEndian(vsock.AsSpan(4), address.Port == 0 ? ListenAddress.VsockAny : address.Port);
                BinaryPrimitives.WriteUInt32LittleEndian(vsock.AsSpan(8), address.Cid);
                return vsock;
            case ListenerKind.Netlink:
                var netlink = new byte[NetlinkLength];
                BinaryPrimitives.WriteUInt16LittleEndian(netlink, AF_NETLINK);
                BinaryPrimitives.WriteUInt32LittleEndian(netlink.AsSpan(8), address.Groups);
                return netlink;
            default:
                return Encode(address.Host!, (int)address.Port, scopeId);
        }
    }

    /// <summary>sockaddr_in or sockaddr_in6.</summary>
    public static byte[] Encode(IPAddress host, int port, uint scopeId = 0)
    {
        var isIPv4 = host.AddressFamily == AddressFamily.InterNetwork;
        var raw = new byte[isIPv4 ? InternetLength : Internet6Length];
        BinaryPrimitives.WriteUInt16LittleEndian(raw, (ushort)(isIPv4 ? AF_INET : AF_INET6));
        BinaryPrimitives.WriteUInt16BigEndian(raw.AsSpan(2), (ushort)port);
        host.TryWriteBytes(raw.AsSpan(isIPv4 ? 4 : 8), out _);
        if (!isIPv4)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(raw.AsSpan(24), scopeId);
        }

        return raw;
    }

    /// <summary>
    /// As above; returns <paramref name="asked"/> itself, or a copy with a port, if the address is the same, to save memory.
    /// </summary>
    public static ListenAddress? Decode(ListenerKind kind, ReadOnlySpan<byte> raw, ListenAddress asked)
    {
        if (asked.Kind == ListenerKind.Netlink)
        {
            return DecodeNetlink(asked.Family, raw) is { } bound && bound == asked ? asked : DecodeNetlink(asked.Family, raw);
        }

        Span<byte> host = stackalloc byte[16];
        if (asked is { Scope: null, Host: not null } && asked.Kind == kind && asked.Host.TryWriteBytes(host, out var written)
            && raw.Length == (written == 4 ? InternetLength : Internet6Length)
            && raw.Slice(written == 4 ? 4 : 8, written).SequenceEqual(host[..written])
            && (written == 4 || BinaryPrimitives.ReadUInt32LittleEndian(raw[24..]) == 0))
        {
            var port = BinaryPrimitives.ReadUInt16BigEndian(raw[2..]);
            return port == asked.Port ? asked : asked.WithPort(port);
        }

        var address = Decode(kind, raw);
        return address == asked ? asked : address;
    }

    /// <summary>The address of a netlink socket, whose family only SO_PROTOCOL tells.</summary>
    public static ListenAddress? DecodeNetlink(int family, ReadOnlySpan<byte> raw) => raw.Length >= NetlinkLength
        ? ListenAddress.Netlink(family, BinaryPrimitives.ReadUInt32LittleEndian(raw[8..]))
        : null;

    /// <summary>The address that getsockname() returned for a socket of that kind; null for an unbound or unknown one.</summary>
    public static ListenAddress? Decode(ListenerKind kind, ReadOnlySpan<byte> raw)
    {
        if (raw.Length < 2)
        {
            return null;
        }

        switch (BinaryPrimitives.ReadUInt16LittleEndian(raw))
        {
            case AF_INET when raw.Length >= 8:
                return ListenAddress.Internet(kind, new IPAddress(raw.Slice(4, 4)), BinaryPrimitives.ReadUInt16BigEndian(raw[2..]));
            case AF_INET6 when raw.Length >= 28:
                var scope = BinaryPrimitives.ReadUInt32LittleEndian(raw[24..]);
                return ListenAddress.Internet(
                    kind,
                    new IPAddress(raw.Slice(8, 16)),
                    BinaryPrimitives.ReadUInt16BigEndian(raw[2..]),
                    scope == 0 ? null : NetworkInterfaces.Name(scope) ?? scope.ToString(CultureInfo.InvariantCulture));
            case AF_VSOCK when raw.Length >= 12:
                return ListenAddress.Vsock(
                    BinaryPrimitives.ReadUInt32LittleEndian(raw[8..]), BinaryPrimitives.ReadUInt32LittleEndian(raw[4..]));
            case AF_UNIX when raw.Length > 2 && raw[2] == 0:
                return ListenAddress.Unix(kind, ByteText.Decode(raw[3..]), isAbstract: true);
            case AF_UNIX when raw.Length > 2:
                var path = raw[2..];
                var end = path.IndexOf((byte)0);
                return ListenAddress.Unix(kind, ByteText.Decode(end < 0 ? path : path[..end]), isAbstract: false);
            default:
                return null;
        }
    }
}
