using System.ComponentModel;

namespace Supervisor.Control.CommandLine;

/// <summary>
/// Standard error that drops what cannot be written. A full disk or a closed terminal must not replace the exit status of a
/// program by that of a crash.
/// </summary>
/// <param name="inner">The runtime's stream, which needs descriptors and a thread at its first use.</param>
/// <param name="last">Writes what <paramref name="inner"/> does not; null: nothing does.</param>
public sealed class ErrorStream(Stream inner, ErrorStream.Writer? last = null) : OutputStream
{
    /// <summary>Writes as much as it can.</summary>
    public delegate void Writer(ReadOnlySpan<byte> buffer);

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            inner.Write(buffer);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or Win32Exception)
        {
            // Nobody can read it, or the runtime cannot set up its console.
            last?.Invoke(buffer);
        }
    }
}
