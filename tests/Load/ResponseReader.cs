using System.Buffers.Text;
using System.Text;

namespace Supervisor.Load;

/// <summary>
/// Finds the end of one HTTP/1.x response in pieces of any size: by Content-Length, by chunks, or by the end of the
/// connection. Counts and discards the body. Allocates nothing.
/// </summary>
internal sealed class ResponseReader
{
    private const int LongestLine = 8192;

    private readonly byte[] _line = new byte[LongestLine];
    private int _lineLength;
    private State _state;
    private long _left;
    private bool _chunked;
    private bool _hasLength;

    private enum State
    {
        StatusLine,
        Header,
        Body,
        BodyToEnd,
        ChunkSize,
        ChunkBody,
        ChunkEnd,
        Trailer,
        Complete,
        Malformed,
    }

    /// <summary>The status code; 0 before the status line is complete.</summary>
    public int Status { get; private set; }

    /// <summary>Whether the server has announced that it closes the connection after this response.</summary>
    public bool Closes { get; private set; }

    /// <summary>Whether the response is complete.</summary>
    public bool IsComplete => _state == State.Complete;

    /// <summary>Whether the bytes are not HTTP/1.x.</summary>
    public bool IsMalformed => _state == State.Malformed;

    /// <summary>Whether any byte has arrived.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Resets the reader for the next response.</summary>
    public void Reset()
    {
        _lineLength = 0;
        _state = State.StatusLine;
        _left = 0;
        _chunked = false;
        _hasLength = false;
        Status = 0;
        Closes = false;
        HasBegun = false;
    }

    /// <summary>Reads the next bytes. Ignores bytes after a complete response.</summary>
    public void Read(ReadOnlySpan<byte> bytes)
    {
        HasBegun |= !bytes.IsEmpty;
        while (!bytes.IsEmpty && _state is not (State.Complete or State.Malformed))
        {
            bytes = _state switch
            {
                State.Body or State.ChunkBody => ReadBody(bytes),
                State.BodyToEnd => default,
                _ => ReadLine(bytes),
            };
        }
    }

    /// <summary>Reports the end of the connection, which completes a response without a length.</summary>
    public void End()
    {
        if (_state == State.BodyToEnd)
        {
            _state = State.Complete;
        }
    }

    private ReadOnlySpan<byte> ReadBody(ReadOnlySpan<byte> bytes)
    {
        var taken = (int)Math.Min(_left, bytes.Length);
        _left -= taken;
        if (_left == 0)
        {
            _state = _state == State.Body ? State.Complete : State.ChunkEnd;
        }

        return bytes[taken..];
    }

    private ReadOnlySpan<byte> ReadLine(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)'\n');
        var piece = end < 0 ? bytes : bytes[..end];
        if (_lineLength + piece.Length > LongestLine)
        {
            _state = State.Malformed;
            return default;
        }

        piece.CopyTo(_line.AsSpan(_lineLength));
        _lineLength += piece.Length;
        if (end < 0)
        {
            return default;
        }

        var line = _line.AsSpan(0, _lineLength);
        _lineLength = 0;
        _state = Advance(line is [.., (byte)'\r'] ? line[..^1] : line);
        return bytes[(end + 1)..];
    }

    private State Advance(ReadOnlySpan<byte> line)
    {
        switch (_state)
        {
            case State.StatusLine:
                return ReadStatus(line);
            case State.Header when line.IsEmpty:
                return AfterHeaders();
            case State.Header:
                return ReadHeader(line);
            case State.ChunkSize:
                if (!Utf8Parser.TryParse(line, out _left, out _, 'x') || _left < 0)
                {
                    return State.Malformed;
                }

                return _left == 0 ? State.Trailer : State.ChunkBody;
            case State.ChunkEnd:
                return line.IsEmpty ? State.ChunkSize : State.Malformed;
            case State.Trailer:
                return line.IsEmpty ? State.Complete : State.Trailer;
            default:
                throw new InvalidOperationException($"state {_state} does not read lines");
        }
    }

    // HTTP/1.1 200 OK
    private State ReadStatus(ReadOnlySpan<byte> line)
    {
        if (!line.StartsWith("HTTP/1."u8) || line.Length < 12 || !Utf8Parser.TryParse(line.Slice(9, 3), out int status, out var digits)
            || digits != 3)
        {
            return State.Malformed;
        }

        Status = status;
        Closes = line[7] == (byte)'0';
        return State.Header;
    }

    private State ReadHeader(ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        if (colon <= 0)
        {
            return State.Malformed;
        }

        var name = line[..colon];
        var value = line[(colon + 1)..].Trim((byte)' ');
        if (Ascii.EqualsIgnoreCase(name, "Content-Length"u8))
        {
            _hasLength = Utf8Parser.TryParse(value, out _left, out var digits) && digits == value.Length && _left >= 0;
            return _hasLength ? State.Header : State.Malformed;
        }

        if (Ascii.EqualsIgnoreCase(name, "Transfer-Encoding"u8))
        {
            _chunked = Ascii.EqualsIgnoreCase(value, "chunked"u8);
        }
        else if (Ascii.EqualsIgnoreCase(name, "Connection"u8))
        {
            Closes = Ascii.EqualsIgnoreCase(value, "close"u8) || (Closes && !Ascii.EqualsIgnoreCase(value, "keep-alive"u8));
        }

        return State.Header;
    }

    private State AfterHeaders()
    {
        if (Status is >= 100 and < 200)
        {
            Reset();
            HasBegun = true;
            return State.StatusLine;
        }

        if (_chunked)
        {
            return State.ChunkSize;
        }

        if (Status is 204 or 304 || (_hasLength && _left == 0))
        {
            return State.Complete;
        }

        if (_hasLength)
        {
            return State.Body;
        }

        Closes = true;
        return State.BodyToEnd;
    }
}
