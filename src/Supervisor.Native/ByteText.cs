using System.Buffers;
using System.Text;

namespace Supervisor.Native;

/// <summary>
/// Bytes as text and back without loss: the kernel's strings (arguments, variables, paths) are bytes, and need not be UTF-8. A
/// byte 0xNN that is not part of valid UTF-8 becomes the character U+10FFNN, which is valid in JSON too. The few characters from
/// U+10FF80 on are treated as invalid bytes, so that each text stands for one sequence of bytes.
/// </summary>
public static class ByteText
{
    private const int First = 0x10FF80;
    private const int Escape = 0x10FF00;

    /// <summary>The text of these bytes.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (IsPlain(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }

        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out var rune, out var length) == OperationStatus.Done && rune.Value < First)
            {
                text.Append(rune.ToString());
            }
            else
            {
                length = 1;
                text.Append(new Rune(Escape + bytes[0]).ToString());
            }

            bytes = bytes[length..];
        }

        return text.ToString();
    }

    /// <summary>The bytes of a text.</summary>
    public static byte[] Encode(string text)
    {
        var bytes = new byte[GetByteCount(text)];
        GetBytes(text, bytes);
        return bytes;
    }

    /// <summary>How many bytes a text has.</summary>
    public static int GetByteCount(string text)
    {
        // A surrogate of U+10FFNN: only then can a character be a byte.
        if (!text.Contains('\uDBFF', StringComparison.Ordinal))
        {
            return Encoding.UTF8.GetByteCount(text);
        }

        var count = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            count += rune.Value >= First ? 1 : rune.Utf8SequenceLength;
        }

        return count;
    }

    /// <summary>Writes the bytes of a text, of which there are <see cref="GetByteCount"/>.</summary>
    public static void GetBytes(string text, Span<byte> bytes)
    {
        if (!text.Contains('\uDBFF', StringComparison.Ordinal))
        {
            Encoding.UTF8.GetBytes(text, bytes);
            return;
        }

        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value >= First)
            {
                bytes[0] = (byte)rune.Value;
                bytes = bytes[1..];
            }
            else
            {
                bytes = bytes[rune.EncodeToUtf8(bytes)..];
            }
        }
    }

    private static bool IsPlain(ReadOnlySpan<byte> bytes) =>
        System.Text.Unicode.Utf8.IsValid(bytes) && bytes.IndexOf([(byte)0xF4, (byte)0x8F]) < 0;
}
