using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Text;

namespace Supervisor.Listenctl;

/// <summary>
/// One HTTP/1.1 answer on a connection of its own (RFC 9112): its head, and its body by Content-Length or by chunks.
/// A body that ends before its length or its last chunk is a lost connection; one that names neither is none of
/// listend's. What the daemon sends is bounded here, as everything that comes in from outside.
/// </summary>
internal sealed class ControlResponse : IDisposable
{
    private const int MaxHead = 64 * 1024;
    private const int MaxLine = 16 * 1024 * 1024;
    private const int MaxDocument = 256 * 1024 * 1024;

    private readonly Socket socket;
    private readonly ControlClient client;
    private readonly MemoryStream pending = new();

    private byte[] buffer = new byte[16 * 1024];
    private int start;
    private int end;

    private bool isChunked;
    private bool isFirstChunk = true;
    private bool isAtEnd;
    private long remaining;
    private bool isBegun;
    private volatile bool isInterrupted;

    /// <summary>Takes the socket over.</summary>
    public ControlResponse(Socket socket, ControlClient client)
    {
        this.socket = socket;
        this.client = client;
    }

    /// <summary>Until when the next byte must have come.</summary>
    public Deadline Deadline { get; set; }

    /// <summary>The HTTP status.</summary>
    public int Status { get; private set; }

    /// <summary>The media type; empty where there is none.</summary>
    public string ContentType { get; private set; } = "";

    /// <summary>Ends a read that another thread is waiting in: it gets <see cref="OperationCanceledException"/>.</summary>
    public void Interrupt()
    {
        isInterrupted = true;
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Already over.
        }
    }

    /// <inheritdoc/>
    public void Dispose() => socket.Dispose();

    /// <summary>Sends the request.</summary>
    public void Send(ReadOnlySpan<byte> request)
    {
        try
        {
            while (!request.IsEmpty)
            {
                request = request[socket.Send(request)..];
            }
        }
        catch (SocketException error)
        {
            throw client.Lost(Reason(error));
        }
    }

    /// <summary>Reads the status line and the fields that matter here.</summary>
    public void ReadHead()
    {
        var line = HeadLine();
        if (!line.StartsWith("HTTP/1.", StringComparison.Ordinal) || line.Length < 12 || !int.TryParse(line.AsSpan(9, 3), out var status))
        {
            throw client.Foreign("it does not speak HTTP");
        }

        Status = status;
        long? length = null;
        for (line = HeadLine(); line.Length > 0; line = HeadLine())
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
            {
                throw client.Foreign("it does not speak HTTP");
            }

            var value = line.AsSpan(colon + 1).Trim();
            switch (line[..colon].ToLowerInvariant())
            {
                case "content-type":
                    ContentType = value.ToString();
                    break;
                case "content-length" when long.TryParse(value, out var number) && number >= 0:
                    length = number;
                    break;
                case "transfer-encoding":
                    isChunked = value.Equals("chunked", StringComparison.OrdinalIgnoreCase);
                    break;
            }
        }

        if (isChunked)
        {
            return;
        }

        remaining = length ?? throw client.Foreign("it does not say how long its answer is");
        isAtEnd = remaining == 0;
    }

    /// <summary>The rest of the body.</summary>
    public byte[] ReadToEnd()
    {
        var document = new MemoryStream();
        while (ReadBody() is { Length: > 0 } part)
        {
            if (document.Length + part.Length > MaxDocument)
            {
                throw client.Foreign("its answer is too long");
            }

            document.Write(part);
        }

        return document.ToArray();
    }

    /// <summary>The next line of the body without its end, empty lines left out; false at the end of the body.</summary>
    public bool TryReadLine([NotNullWhen(true)] out byte[]? line)
    {
        while (true)
        {
            var held = pending.GetBuffer().AsSpan(0, (int)pending.Length);
            var newline = held.IndexOf((byte)'\n');
            if (newline >= 0)
            {
                line = held[..newline].TrimEnd((byte)'\r').ToArray();
                var rest = held[(newline + 1)..].ToArray();
                pending.SetLength(0);
                pending.Write(rest);
                if (line.Length > 0)
                {
                    return true;
                }

                continue;
            }

            if (held.Length > MaxLine)
            {
                throw client.Foreign("a line of its answer is too long");
            }

            var part = ReadBody();
            if (part.IsEmpty)
            {
                line = held.Length > 0 ? held.ToArray() : null;
                pending.SetLength(0);
                return line is not null;
            }

            pending.Write(part);
        }
    }

    /// <summary>Some bytes of the body, valid until the next call; none at its end.</summary>
    private ReadOnlySpan<byte> ReadBody()
    {
        if (isAtEnd)
        {
            return [];
        }

        if (isChunked && remaining == 0 && !NextChunk())
        {
            return [];
        }

        if (start == end)
        {
            Fill();
        }

        var part = buffer.AsSpan(start, (int)Math.Min(remaining, end - start));
        start += part.Length;
        remaining -= part.Length;
        isAtEnd = !isChunked && remaining == 0;
        return part;
    }

    /// <summary>Goes to the next chunk; false where that is the last one, whose trailers are read too.</summary>
    private bool NextChunk()
    {
        if (!isFirstChunk && HeadLine().Length > 0)
        {
            throw client.Foreign("a chunk of its answer is not as long as it says");
        }

        isFirstChunk = false;
        var size = HeadLine();
        if (!Utf8Parser.TryParse(Encoding.ASCII.GetBytes(size), out long length, out _, 'x') || length < 0)
        {
            throw client.Foreign("a chunk of its answer has no length");
        }

        remaining = length;
        if (length > 0)
        {
            return true;
        }

        while (HeadLine().Length > 0)
        {
            // Trailer fields.
        }

        isAtEnd = true;
        return false;
    }

    /// <summary>A line of the head or of the chunks' framing, without its end.</summary>
    private string HeadLine()
    {
        var searched = 0;
        while (true)
        {
            var newline = buffer.AsSpan(start + searched, end - start - searched).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                var line = buffer.AsSpan(start, searched + newline);
                start += line.Length + 1;
                return Encoding.Latin1.GetString(line.TrimEnd((byte)'\r'));
            }

            searched = end - start;
            if (searched > MaxHead)
            {
                throw client.Foreign("it does not speak HTTP");
            }

            Fill();
        }
    }

    /// <summary>Waits for bytes and adds them to the buffer.</summary>
    private void Fill()
    {
        if (start == end)
        {
            start = end = 0;
        }
        else if (end == buffer.Length)
        {
            if (start == 0)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }
            else
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                end -= start;
                start = 0;
            }
        }

        try
        {
            var count = Receive();
            if (isInterrupted)
            {
                throw new OperationCanceledException();
            }

            end += count > 0 ? count : throw client.Lost("the daemon closed it before its answer was complete");
        }
        catch (Exception error) when (isInterrupted && error is SocketException or ObjectDisposedException)
        {
            throw new OperationCanceledException();
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            throw new TimeoutException();
        }
        catch (SocketException error)
        {
            throw client.Lost(Reason(error));
        }
    }

    /// <summary>
    /// The next bytes. Before the first ones, a silence may be that of a daemon that has ended with this connection in its
    /// queue, which its socket outlives; a connection that it had taken in breaks off with it.
    /// </summary>
    private int Receive()
    {
        while (!isBegun)
        {
            var remaining = Deadline.RemainingMilliseconds;
            var silence = (int)ControlClient.Silence.TotalMilliseconds;
            var isLast = remaining > 0 && remaining <= silence;
            try
            {
                socket.ReceiveTimeout = isLast ? remaining : silence;
                var first = socket.Receive(buffer.AsSpan(end));
                isBegun = true;
                return first;
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock && !isInterrupted)
            {
                client.RequireDaemon();
                if (isLast)
                {
                    throw;
                }
            }
        }

        socket.ReceiveTimeout = Deadline.RemainingMilliseconds;
        return socket.Receive(buffer.AsSpan(end));
    }

    private static string Reason(SocketException error) => error.SocketErrorCode switch
    {
        SocketError.ConnectionReset => "ECONNRESET, the daemon broke it off",
        SocketError.Shutdown => "EPIPE, the daemon broke it off",
        SocketError.TimedOut or SocketError.WouldBlock => "EAGAIN, the daemon takes nothing out of it",
        _ => error.Message,
    };
}
