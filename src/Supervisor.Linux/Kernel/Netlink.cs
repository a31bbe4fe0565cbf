using System.Buffers;
using System.Buffers.Binary;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// Dump requests to the kernel over netlink(7). The reply buffer is pooled and rows are read in place, without an allocation
/// per row.
/// </summary>
internal sealed class Netlink : IDisposable
{
    public const int HeaderLength = 16;

    private const int BufferLength = 64 * 1024;
    private const ushort DumpFlags = 0x301;

    private readonly DescriptorHandle _socket;
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferLength);

    private Netlink(DescriptorHandle socket) => _socket = socket;

    /// <summary>One row of a dump: the message's type and its payload.</summary>
    public delegate void Row(ushort type, ReadOnlySpan<byte> payload);

    /// <summary>A socket of the given protocol; null if the kernel or a sandbox does not allow it.</summary>
    public static Netlink? TryOpen(int protocol) =>
        Sockets.Create(AF_NETLINK, SOCK_RAW, protocol, nonBlocking: false, out _) is { } socket ? new Netlink(socket) : null;

    /// <summary>
    /// Sends a dump request and calls <paramref name="row"/> for each row. False if the kernel refuses the request or the dump
    /// is incomplete.
    /// </summary>
    /// <param name="type">nlmsg_type.</param>
    /// <param name="payload">The bytes after struct nlmsghdr.</param>
    /// <param name="row">Called for each row.</param>
    public bool Dump(ushort type, ReadOnlySpan<byte> payload, Row row)
    {
        Span<byte> request = stackalloc byte[HeaderLength + payload.Length];
        request.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(request, (uint)request.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(request[4..], type);
        BinaryPrimitives.WriteUInt16LittleEndian(request[6..], DumpFlags);
        payload.CopyTo(request[HeaderLength..]);
        if (Sockets.Send(_socket, request) is not null)
        {
            return false;
        }

        while (true)
        {
            var length = Files.Read(_socket, _buffer, out var error);
            if (length <= 0)
            {
                if (error is null && length < 0)
                {
                    continue;
                }

                return false;
            }

            if (ReadMessages(_buffer.AsSpan(0, length), row) is { } isComplete)
            {
                return isComplete;
            }
        }
    }

    /// <summary>
    /// Calls <paramref name="row"/> for each message of a datagram of a dump. True if it ends the dump, false if the kernel
    /// reports an error or the datagram is malformed, null if the dump continues.
    /// </summary>
    internal static bool? ReadMessages(ReadOnlySpan<byte> datagram, Row row)
    {
        while (datagram.Length >= HeaderLength)
        {
            var size = BinaryPrimitives.ReadUInt32LittleEndian(datagram);
            var kind = BinaryPrimitives.ReadUInt16LittleEndian(datagram[4..]);
            if (size < HeaderLength || size > datagram.Length)
            {
                return false;
            }

            switch (kind)
            {
                case NLMSG_DONE:
                    return true;
                case NLMSG_ERROR:
                    return false;
                default:
                    row(kind, datagram[HeaderLength..(int)size]);
                    break;
            }

            datagram = datagram[Math.Min(((int)size + 3) & ~3, datagram.Length)..];
        }

        return null;
    }

    /// <summary>The value of the attribute (struct nlattr) of that type; empty if there is none.</summary>
    public static ReadOnlySpan<byte> Attribute(ReadOnlySpan<byte> attributes, ushort type)
    {
        while (attributes.Length >= 4)
        {
            var size = BinaryPrimitives.ReadUInt16LittleEndian(attributes);
            if (size < 4 || size > attributes.Length)
            {
                break;
            }

            if ((BinaryPrimitives.ReadUInt16LittleEndian(attributes[2..]) & 0x3FFF) == type)
            {
                return attributes[4..size];
            }

            attributes = attributes[Math.Min((size + 3) & ~3, attributes.Length)..];
        }

        return default;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _socket.Dispose();
    }
}
