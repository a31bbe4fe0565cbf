using System.Text;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>Reads the bytes of a file as text. The other programs read UTF-8 too.</summary>
public static class ImportText
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The text; null with the place of the first byte that is not text.</summary>
    /// <param name="path">The file, as diagnostics name it.</param>
    /// <param name="content">Its content.</param>
    /// <param name="error">Why the content is not text; null if it is.</param>
    public static ConfigSource? Decode(string path, byte[] content, out ConfigDiagnostic? error)
    {
        error = null;
        var nul = Array.IndexOf(content, (byte)0);
        if (nul >= 0)
        {
            error = At(path, content, nul, "a NUL byte: the file is not text", "name a configuration file");
            return null;
        }

        try
        {
            return new ConfigSource(path, Strict.GetString(content));
        }
        catch (DecoderFallbackException invalid)
        {
            error = At(
                path, content, invalid.Index, "the line is not UTF-8", "convert the file, for example with iconv -f latin1 -t utf-8");
            return null;
        }
    }

    private static ConfigDiagnostic At(string path, byte[] content, int index, string message, string remedy)
    {
        var before = content.AsSpan(0, Math.Clamp(index, 0, content.Length));
        var (line, column) = (before.Count((byte)'\n') + 1, before.Length - before.LastIndexOf((byte)'\n'));
        return new ConfigDiagnostic(path, line, column, null, message, remedy);
    }
}
