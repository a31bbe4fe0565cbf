using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Text;
using Supervisor.Native;

namespace Supervisor.Listenctl.Client;

/// <summary>
/// One HTTP/1.1 answer on its own connection (RFC 9112), with a body of a Content-Length or in chunks. A body that ends
/// early is a lost connection; an answer without a length is not from listend. All sizes are bounded.
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

    /// <summary>Owns the socket.</summary>
    public ControlResponse(Socket socket, ControlClient client)
    {
        this.socket = socket;
        this.client = client;
    }

    /// <summary>When the next byte must have arrived.</summary>
    public Deadline Deadline { get; set; }

    /// <summary>
    /// Whether a read ends with <see cref="OutputClosedException"/> as soon as nobody reads standard output any more: a stream may
    /// be silent for hours.
    /// </summary>
    public bool NeedsReader { get; set; }

    /// <summary>The HTTP status.</summary>
    public int Status { get; private set; }

    /// <summary>The media type; empty without one.</summary>
    public string ContentType { get; private set; } = "";

    /// <summary>Ends a read of another thread with <see cref="OperationCanceledException"/>.</summary>
    public void Interrupt()
    {
        isInterrupted = true;
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Already closed.
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
            throw client.ConnectionLost(Reason(error));
        }
    }

    /// <summary>Reads the status line and the header fields.</summary>
    public void ReadHead()
    {
        var line = HeadLine();
        if (!line.StartsWith("HTTP/1.", StringComparison.Ordinal) || line.Length < 12 || !int.TryParse(line.AsSpan(9, 3), out var status))
        {
            throw client.NotListend("its answer is not HTTP");
        }

        Status = status;
        long? length = null;
        var size = line.Length;
        for (line = HeadLine(); line.Length > 0; line = HeadLine())
        {
            if ((size += line.Length) > MaxHead)
            {
                throw client.NotListend("its answer is not HTTP");
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
            {
                throw client.NotListend("its answer is not HTTP");
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

        remaining = length ?? throw client.NotListend("its answer has no length");
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
                throw client.NotListend("its answer is too long");
            }

            document.Write(part);
        }

        return document.ToArray();
    }

    /// <summary>The next line of the body that is not empty, without its end; false at the end of the body.</summary>
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
                throw client.NotListend("a line of its answer is too long");
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

    /// <summary>Some bytes of the body, valid until the next call; empty at its end.</summary>
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

    /// <summary>Reads the header of the next chunk; false after the last chunk and its trailers.</summary>
    private bool NextChunk()
    {
        if (!isFirstChunk && HeadLine().Length > 0)
        {
            throw client.NotListend("a chunk of its answer has another length than its header");
        }

        isFirstChunk = false;
        var size = HeadLine();
        if (!Utf8Parser.TryParse(Encoding.ASCII.GetBytes(size), out long length, out _, 'x') || length < 0)
        {
            throw client.NotListend("a chunk of its answer has no length");
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

    /// <summary>A line of the head or of a chunk header, without its end.</summary>
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
                throw client.NotListend("its answer is not HTTP");
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

            end += count > 0 ? count : throw client.ConnectionLost("the daemon closed it before the end of the answer");
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
            throw client.ConnectionLost(Reason(error));
        }
    }

    /// <summary>
    /// The next bytes. Before the first byte the daemon may have exited with this connection in the accept queue, which
    /// stays open without it, so the client checks for that. An accepted connection breaks when the daemon exits.
    /// </summary>
    private int Receive()
    {
        while (!isBegun)
        {
            var remaining = Deadline.RemainingMilliseconds;
            var silence = (int)ControlClient.DaemonCheckInterval.TotalMilliseconds;
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

        if (NeedsReader && !Polling.AwaitInputWhileRead(socket.SafeHandle))
        {
            throw new OutputClosedException();
        }

        // A peer that sends without end is late too.
        if (Deadline.HasPassed)
        {
            throw new TimeoutException();
        }

        socket.ReceiveTimeout = Deadline.RemainingMilliseconds;
        return socket.Receive(buffer.AsSpan(end));
    }

    private static string Reason(SocketException error) => error.SocketErrorCode switch
    {
        SocketError.ConnectionReset => "ECONNRESET, the daemon closed it",
        SocketError.Shutdown => "EPIPE, the daemon closed it",
        SocketError.TimedOut or SocketError.WouldBlock => "EAGAIN, the daemon does not read from it",
        _ => error.Message,
    };
}
