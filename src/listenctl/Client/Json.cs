using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Supervisor.Control;

namespace Supervisor.Listenctl.Client;

/// <summary>
/// JSON from the daemon to standard output. With --json a document is copied byte for byte, so fields of a newer daemon
/// are kept. It is always read too, so that the answer of another program is an error and not output.
/// </summary>
internal static class Json
{
    /// <summary>Reads a document from the daemon.</summary>
    public static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, ControlClient client)
        where T : class
    {
        try
        {
            return StrictJson.Read(json, type);
        }
        catch (JsonException error)
        {
            throw client.NotListend($"its answer is not the expected JSON ({Reason(error)})");
        }
    }

    /// <summary>Parses a document from the daemon to copy parts of it.</summary>
    public static JsonDocument Parse(ReadOnlyMemory<byte> json, ControlClient client)
    {
        try
        {
            return JsonDocument.Parse(json);
        }
        catch (JsonException error)
        {
            throw client.NotListend($"its answer is not JSON ({error.Message})");
        }
    }

    /// <summary>Writes one document and the end of its line.</summary>
    public static void Write(Stream output, ReadOnlyMemory<byte> document)
    {
        output.Write(document.Span.TrimEnd("\r\n \t"u8));
        output.Write("\n"u8);
        output.Flush();
    }

    /// <summary>The error for an unknown name, in the words of the daemon.</summary>
    public static ControlException Unknown(string kind, string name, IReadOnlyList<string> known)
    {
        var detail = ProblemText.UnknownName(kind, name, known);
        return new ControlException(detail, ExitCode.Failed) { Document = Problem("Not Found", 404, detail) };
    }

    /// <summary>A problem document (RFC 9457) of an error in the client.</summary>
    public static byte[] Problem(string title, int status, string detail) =>
        JsonSerializer.SerializeToUtf8Bytes(new ProblemDocument("about:blank", title, status, detail), ControlJson.Default.ProblemDocument);

    /// <summary>A text as a JSON string.</summary>
    public static byte[] Text(string text) => JsonSerializer.SerializeToUtf8Bytes(text, ControlJson.Default.String);

    /// <summary>The name of an object; null if it has none.</summary>
    public static string? Name(JsonElement element) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
            ? name.GetString()
            : null;

    /// <summary>The serializer's message, without the names of types.</summary>
    private static string Reason(JsonException error)
    {
        const string missing = "was missing required properties including: ";
        var at = error.Message.IndexOf(missing, StringComparison.Ordinal);
        return at < 0 ? error.Message : $"without {error.Message[(at + missing.Length)..].TrimEnd('.')}";
    }

    /// <summary>The unchanged text of an element.</summary>
    public static byte[] Raw(JsonElement element) => Encoding.UTF8.GetBytes(element.GetRawText());
}
