using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Supervisor.Control;

namespace Supervisor.Listenctl.Client;

/// <summary>
/// JSON from the daemon to standard output. With --json a document is copied byte for byte, so fields of a newer daemon
/// are kept. It is parsed only to show it to people.
/// </summary>
internal static class Json
{
    /// <summary>Reads a document from the daemon.</summary>
    public static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, ControlClient client)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new JsonException("null");
        }
        catch (JsonException error)
        {
            throw client.NotListend($"its answer is not the expected JSON ({error.Message})");
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

    /// <summary>The unchanged text of an element.</summary>
    public static byte[] Raw(JsonElement element) => Encoding.UTF8.GetBytes(element.GetRawText());
}
