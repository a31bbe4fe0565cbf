using Microsoft.Win32.SafeHandles;
using Supervisor.Control.CommandLine;

namespace Supervisor.Listenctl.Terminal;

/// <summary>
/// Standard output that reports a closed pipe. The runtime ignores SIGPIPE and its console stream hides EPIPE, so
/// <c>history --follow | head</c> would never end. Here EPIPE sets <see cref="IsClosed"/> and later writes do nothing: a
/// stream ends, and other commands still finish and return their exit status.
/// </summary>
internal sealed class StandardOutput : OutputStream
{
    private readonly Stream inner;

    private StandardOutput(Stream inner) => this.inner = inner;

    /// <summary>Whether the reader has closed it.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Opens descriptor 1 without owning it.</summary>
    public static StandardOutput Open()
    {
        // A FileStream writes at its own offset and would overwrite what other processes append. For a file the
        // console's stream is used: it calls write(2), and a file never fails with EPIPE.
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

    /// <summary>The runtime keeps a raw errno in HResult: EPIPE is 32, ECONNRESET (a socket as standard output) 104.</summary>
    private static bool IsBrokenPipe(IOException error) => error.HResult is 32 or 104;
}
