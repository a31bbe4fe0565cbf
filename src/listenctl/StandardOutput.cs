using Microsoft.Win32.SafeHandles;

namespace Supervisor.Listenctl;

/// <summary>
/// Standard output that says when its reader has gone. The runtime ignores SIGPIPE and its console stream swallows
/// EPIPE, so that <c>history --follow | head</c> would write into nothing for ever. Here EPIPE sets
/// <see cref="IsClosed"/> and the rest is dropped: a stream ends, and a command that has work to finish goes on to the
/// exit status that it owes.
/// </summary>
internal sealed class StandardOutput : Stream
{
    private readonly Stream inner;

    private StandardOutput(Stream inner) => this.inner = inner;

    /// <summary>Whether the reader has gone.</summary>
    public bool IsClosed { get; private set; }

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Descriptor 1, which stays the process's own.</summary>
    public static StandardOutput Open()
    {
        // A FileStream writes to a file at an offset of its own and would overwrite what others append to it;
        // a file gives no EPIPE, so the console's stream, which calls write(2), does for it.
        try
        {
            var file = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            return new StandardOutput(file.CanSeek ? Console.OpenStandardOutput() : file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return new StandardOutput(Null) { IsClosed = true };
        }
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (IsClosed)
        {
            return;
        }

        try
        {
            inner.Write(buffer);
        }
        catch (IOException error) when (IsBrokenPipe(error))
        {
            IsClosed = true;
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>The runtime keeps a raw errno in HResult: EPIPE is 32, ECONNRESET (a socket as standard output) 104.</summary>
    private static bool IsBrokenPipe(IOException error) => error.HResult is 32 or 104;
}
