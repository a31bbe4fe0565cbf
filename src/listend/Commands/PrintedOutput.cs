using System.Text;
using Supervisor.Control.CommandLine;
using Supervisor.Native;

namespace Supervisor.Listend.Commands;

/// <summary>The standard output of commands that print a document. A write that fails is an <see cref="OutputException"/>.</summary>
internal sealed class PrintedOutput : OutputStream
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);
    private Stream? inner;

    /// <summary>Makes the console write through this class, and through <see cref="ErrorStream"/>.</summary>
    public static void Install()
    {
        Console.SetOut(new StreamWriter(new PrintedOutput(), Utf8) { AutoFlush = true });
        Console.SetError(new StreamWriter(new ErrorStream(Console.OpenStandardError(), StandardError.Write), Utf8) { AutoFlush = true });
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            // Opened with the first write: the daemon writes nothing, and a duplicate would keep a pipe open.
            inner ??= Console.OpenStandardOutput();
            inner.Write(buffer);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OutputException(error);
        }
    }
}
