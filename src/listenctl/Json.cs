using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary>
/// JSON between the daemon and standard output. A document is passed on byte by byte where it is printed, so that
/// fields of a newer daemon are kept; it is read only where people are shown it.
/// </summary>
internal static class Json
{
    /// <summary>Reads a document of the daemon.</summary>
    public static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, ControlClient client)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new JsonException("null");
        }
        catch (JsonException error)
        {
            throw client.Foreign($"its answer is not the JSON that was expected ({error.Message})");
        }
    }

    /// <summary>Parses a document of the daemon of which parts are passed on.</summary>
    public static JsonDocument Parse(ReadOnlyMemory<byte> json, ControlClient client)
    {
        try
        {
            return JsonDocument.Parse(json);
        }
        catch (JsonException error)
        {
            throw client.Foreign($"its answer is not JSON ({error.Message})");
        }
    }

    /// <summary>Writes one document and the end of its line.</summary>
    public static void Write(Stream output, ReadOnlyMemory<byte> document)
    {
        output.Write(document.Span.TrimEnd("\r\n \t"u8));
        output.Write("\n"u8);
        output.Flush();
    }

    /// <summary>The error for a name that the daemon does not know, as it would have said it itself.</summary>
    public static ControlException Unknown(string kind, string name, IReadOnlyList<string> known)
    {
        var detail = known.Count == 0
            ? $"there is no {kind} \"{name}\": the daemon has none"
            : $"there is no {kind} \"{name}\": the daemon has {string.Join(", ", known.Select(k => $"\"{k}\""))}";
        return new ControlException(detail, ExitCode.Failed) { Document = Problem("Not Found", 404, detail) };
    }

    /// <summary>A problem document (RFC 9457) of what failed here, before or after the daemon was asked.</summary>
    public static byte[] Problem(string title, int status, string detail) =>
        JsonSerializer.SerializeToUtf8Bytes(new ProblemDocument("about:blank", title, status, detail), ControlJson.Default.ProblemDocument);

    /// <summary>An object's name; null where it has none.</summary>
    public static string? Name(JsonElement element) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
            ? name.GetString()
            : null;

    /// <summary>The text of an element, unchanged.</summary>
    public static byte[] Raw(JsonElement element) => Encoding.UTF8.GetBytes(element.GetRawText());
}
