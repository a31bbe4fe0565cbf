using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Supervisor.Core.Workers;

/// <summary>The other end of an internet connection. A struct, because there may be many thousands.</summary>
/// <param name="Address">The address; an IPv4 one is mapped, ::ffff:a.b.c.d, whatever the socket's family.</param>
/// <param name="Port">The port.</param>
public readonly record struct ConnectionPeer(UInt128 Address, ushort Port)
{
    private static readonly UInt128 MappedPrefix = (UInt128)0xFFFF << 32;

    /// <summary>Converts an address to the form of <see cref="Address"/>.</summary>
    public static UInt128 Number(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        return Number(bytes[..length]);
    }

    /// <summary>The same for 4 or 16 bytes in network order.</summary>
    public static UInt128 Number(ReadOnlySpan<byte> bytes) =>
        bytes.Length == 4 ? MappedPrefix | BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);

    /// <summary>Such as 192.0.2.1:50000 or [2001:db8::1]:50000.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Address);
        var address = new IPAddress(bytes);
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? string.Create(CultureInfo.InvariantCulture, $"[{address}]:{Port}")
            : string.Create(CultureInfo.InvariantCulture, $"{address}:{Port}");
    }
}
