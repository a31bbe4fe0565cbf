using System.Buffers.Binary;
using System.Numerics;

namespace Supervisor.Core;

/// <summary>CRC-32C (RFC 3720, appendix B.4) of a sequence of bytes, in pieces.</summary>
public struct Checksum
{
    private uint _remainder = uint.MaxValue;

    /// <summary>The checksum of nothing yet.</summary>
    public Checksum()
    {
    }

    /// <summary>The checksum of all bytes so far.</summary>
    public readonly uint Value => ~_remainder;

    /// <summary>The checksum of some bytes.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        var sum = new Checksum();
        sum.Add(bytes);
        return sum.Value;
    }

    /// <summary>Adds the next bytes.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
        {
            _remainder = BitOperations.Crc32C(_remainder, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        }

        foreach (var one in bytes)
        {
            _remainder = BitOperations.Crc32C(_remainder, one);
        }
    }
}
