using System.Buffers;
using System.Buffers.Binary;
using Supervisor.Native;

namespace Supervisor.Linux.Output;

/// <summary>
/// A journal entry in the native protocol: NAME=VALUE and a newline. A value that contains a newline is written as NAME, a
/// newline, the value's length (64 bits, little-endian), the value and a newline.
/// </summary>
public sealed class JournalEntry
{
    private readonly ArrayBufferWriter<byte> _data = new(512);

    /// <summary>The entry so far.</summary>
    public ReadOnlySpan<byte> Data => _data.WrittenSpan;

    /// <summary>Adds a field; the name has only capitals, digits and underscores.</summary>
    public void Add(string name, string value)
    {
        Write(name);
        if (value.Contains('\n', StringComparison.Ordinal))
        {
            Write("\n");
            BinaryPrimitives.WriteUInt64LittleEndian(_data.GetSpan(8), (ulong)ByteText.GetByteCount(value));
            _data.Advance(8);
        }
        else
        {
            Write("=");
        }

        Write(value);
        Write("\n");
    }

    private void Write(string text)
    {
        var size = ByteText.GetByteCount(text);
        ByteText.GetBytes(text, _data.GetSpan(size));
        _data.Advance(size);
    }
}
