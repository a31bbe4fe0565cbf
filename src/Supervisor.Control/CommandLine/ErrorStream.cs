namespace Supervisor.Control.CommandLine;

/// <summary>
/// Standard error that drops what cannot be written. A full disk or a closed terminal must not replace the exit status of a
/// program by that of a crash.
/// </summary>
public sealed class ErrorStream(Stream inner) : OutputStream
{
    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            inner.Write(buffer);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Nobody can read it.
        }
    }
}
