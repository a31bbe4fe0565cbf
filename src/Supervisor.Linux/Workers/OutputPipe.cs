using System.Text;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// The daemon's end of a worker's standard output or error: splits it into lines. A line longer than
/// <see cref="MaxLineBytes"/> arrives in pieces; a last line without its newline arrives at the end. At most
/// <see cref="MaxBytesPerWake"/> are taken at a time, so that a worker that floods holds nobody up. Owns the descriptor.
/// </summary>
public sealed class OutputPipe : IDisposable
{
    /// <summary>Bytes of the longest line in one piece.</summary>
    public const int MaxLineBytes = 16 * 1024;

    /// <summary>Bytes taken at a time.</summary>
    public const int MaxBytesPerWake = 64 * 1024;

    private readonly Action<string> _onLine;
    private byte[] _buffer = [];
    private int _length;

    /// <summary>Takes over the read end <paramref name="descriptor"/>, which must not wait.</summary>
    public OutputPipe(DescriptorHandle descriptor, Action<string> onLine)
    {
        Descriptor = descriptor;
        _onLine = onLine;
    }

    /// <summary>The read end, for the loop.</summary>
    public DescriptorHandle Descriptor { get; }

    /// <summary>Takes what has arrived; false at the end of the stream.</summary>
    public bool Drain()
    {
        for (var taken = 0; taken < MaxBytesPerWake;)
        {
            if (_buffer.Length == 0)
            {
                _buffer = new byte[MaxLineBytes];
            }

            var count = Files.Read(Descriptor, _buffer.AsSpan(_length), out var error);
            if (count == 0 || error is not null)
            {
                Finish();
                return false;
            }

            if (count < 0)
            {
                if (_length == 0)
                {
                    // A silent worker costs no buffer.
                    _buffer = [];
                }

                return true;
            }

            taken += count;
            _length += count;
            Split();
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => Descriptor.Dispose();

    private void Split()
    {
        var rest = _buffer.AsSpan(0, _length);
        while (rest.IndexOf((byte)'\n') is >= 0 and var end)
        {
            Emit(rest[..end]);
            rest = rest[(end + 1)..];
        }

        if (rest.Length == _buffer.Length)
        {
            Emit(rest);
            rest = [];
        }

        rest.CopyTo(_buffer);
        _length = rest.Length;
    }

    private void Finish()
    {
        if (_length > 0)
        {
            Emit(_buffer.AsSpan(0, _length));
            _length = 0;
        }
    }

    private void Emit(ReadOnlySpan<byte> line)
    {
        if (line.EndsWith((ReadOnlySpan<byte>)"\r"u8))
        {
            line = line[..^1];
        }

        _onLine(Encoding.UTF8.GetString(line));
    }
}
