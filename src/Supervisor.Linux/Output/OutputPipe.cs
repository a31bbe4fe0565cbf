using Supervisor.Native;

namespace Supervisor.Linux.Output;

/// <summary>
/// The daemon's end of a worker's standard output or error; splits it into lines. A line longer than <see cref="MaxLineBytes"/>
/// arrives in pieces. A last line without a newline arrives at the end of the stream, or on disposal if a descendant holds the
/// other end. It reads at most <see cref="MaxBytesPerWake"/> at a time, so that a flood from one worker delays no other. Owns
/// the descriptor.
/// </summary>
public sealed class OutputPipe : IDisposable
{
    /// <summary>Bytes of the longest line in one piece.</summary>
    public const int MaxLineBytes = 16 * 1024;

    /// <summary>How many characters of a line its later pieces know.</summary>
    private const int BeginningLength = 8;

    /// <summary>Bytes read at a time.</summary>
    public const int MaxBytesPerWake = 64 * 1024;

    /// <summary>The buffer of a pipe without an unfinished line. Thousands of pipes are read, one after another.</summary>
    [ThreadStatic]
    private static byte[]? _spare;

    private readonly Action<OutputPiece> _onPiece;
    private byte[] _buffer = [];
    private int _length;

    /// <summary>What the line began with, of which pieces have been emitted; null at the beginning of a line.</summary>
    private string? _beginning;

    /// <summary>
    /// Takes over the non-blocking read end <paramref name="descriptor"/> and the beginning of a line that a predecessor read.
    /// </summary>
    public OutputPipe(DescriptorHandle descriptor, Action<OutputPiece> onPiece, byte[]? rest = null)
    {
        Descriptor = descriptor;
        _onPiece = onPiece;
        if (rest is { Length: > 0 and < MaxLineBytes })
        {
            _buffer = new byte[MaxLineBytes];
            rest.CopyTo(_buffer, 0);
            _length = rest.Length;
        }
    }

    /// <summary>The read end, for the loop.</summary>
    public DescriptorHandle Descriptor { get; }

    /// <summary>The part that was read of an unfinished line; null if there is none.</summary>
    public byte[]? Rest => _length > 0 ? _buffer[.._length] : null;

    /// <summary>Sees what arrives before it is split into lines; null: nothing does. The part of an unfinished line counts.</summary>
    public TextSearch? Search
    {
        get;
        set
        {
            field = value;
            value?.Take(_buffer.AsSpan(0, _length));
        }
    }

    /// <summary>
    /// Looks for a text in what these pipes carry, each by itself. Calls <paramref name="onFound"/> once, for the first of them that
    /// has it, and then stops searching. Their unfinished lines count, so the call may come at once.
    /// </summary>
    public static void SearchAll(IReadOnlyList<OutputPipe> pipes, byte[] text, Action onFound)
    {
        var isFound = false;
        foreach (var pipe in pipes.TakeWhile(_ => !isFound))
        {
            pipe.Search = new TextSearch(text, () =>
            {
                isFound = true;
                foreach (var searched in pipes)
                {
                    searched.Search = null;
                }

                onFound();
            });
        }
    }

    /// <summary>Whether that is <see cref="Rest"/>.</summary>
    internal bool HasRest(byte[]? rest) => _buffer.AsSpan(0, _length).SequenceEqual(rest);

    /// <summary>Reads what has arrived; false at the end of the stream.</summary>
    public bool Drain()
    {
        if (_buffer.Length == 0)
        {
            (_buffer, _spare) = (_spare ?? new byte[MaxLineBytes], null);
        }

        var isOpen = Read();
        if (_length == 0)
        {
            (_spare, _buffer) = (_buffer, []);
        }

        return isOpen;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Finish();
        Descriptor.Dispose();
    }

    private bool Read()
    {
        for (var taken = 0; taken < MaxBytesPerWake;)
        {
            var count = Files.Read(Descriptor, _buffer.AsSpan(_length), out var error);
            if (count == 0 || error is not null)
            {
                Finish();
                return false;
            }

            if (count < 0)
            {
                return true;
            }

            Search?.Take(_buffer.AsSpan(_length, count));
            taken += count;
            _length += count;
            Split();
        }

        return true;
    }

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
            var piece = WholeCharacters(rest);
            Emit(rest[..piece], isCut: true);
            rest = rest[piece..];
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

    /// <summary>The length of the piece without a character that is cut at its end.</summary>
    private static int WholeCharacters(ReadOnlySpan<byte> piece)
    {
        for (var back = 1; back <= 3; back++)
        {
            var lead = piece[^back];
            if ((lead & 0xC0) != 0x80)
            {
                var needed = lead switch { >= 0xF0 => 4, >= 0xE0 => 3, >= 0xC0 => 2, _ => 1 };
                return needed > back ? piece.Length - back : piece.Length;
            }
        }

        return piece.Length;
    }

    private void Emit(ReadOnlySpan<byte> line, bool isCut = false)
    {
        var piece = new OutputPiece(ByteText.Decode(line), _beginning, isCut);
        _beginning = isCut ? _beginning ?? piece.Text[..Math.Min(piece.Text.Length, BeginningLength)] : null;
        _onPiece(piece);
    }
}
