using System.Buffers;

namespace Supervisor.Core.State;

/// <summary>
/// Buffers a writer's output and passes it on to a stream in pieces, so that only one piece is in memory. The caller keeps the
/// stream.
/// </summary>
internal sealed class StreamBuffer(Stream stream) : IBufferWriter<byte>
{
    private const int Piece = 16 * 1024;

    private byte[] _bytes = new byte[Piece];
    private int _count;
    private long _passed;

    /// <summary>How many bytes were written.</summary>
    public long Position => _passed + _count;

    public void Advance(int count) => _count += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return _bytes.AsMemory(_count);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return _bytes.AsSpan(_count);
    }

    /// <summary>Begins a new line, between two values of the writer, which has flushed.</summary>
    public void BreakLine()
    {
        MakeRoom(1);
        _bytes[_count++] = (byte)'\n';
    }

    /// <summary>Writes text between two values of the writer, which has flushed.</summary>
    public void Write(ReadOnlySpan<byte> text)
    {
        Flush();
        stream.Write(text);
        _passed += text.Length;
    }

    /// <summary>Leaves text as it is that the stream has there already, between two values of the writer, which has flushed.</summary>
    public void Skip(int length)
    {
        Flush();
        stream.Seek(length, SeekOrigin.Current);
        _passed += length;
    }

    /// <summary>Passes the buffered bytes on to the stream.</summary>
    public void Flush()
    {
        stream.Write(_bytes.AsSpan(0, _count));
        _passed += _count;
        _count = 0;
    }

    private void MakeRoom(int sizeHint)
    {
        var needed = Math.Max(sizeHint, 1);
        if (_bytes.Length - _count >= needed)
        {
            return;
        }

        Flush();
        if (_bytes.Length < needed)
        {
            _bytes = new byte[needed];
        }
    }
}
