using System.Reflection;
using System.Text.Json;

namespace Supervisor.EndToEnd;

/// <summary>A message of the daemon's log (--log-format json): its kind, its subject and its facts.</summary>
internal sealed class LogMessage
{
    private readonly JsonElement _fields;

    private LogMessage(JsonElement fields) => _fields = fields;

    /// <summary>One of <see cref="MessageIds"/>.</summary>
    public string Kind => this["MESSAGE_ID"]!;

    /// <summary>Debug, Information, Warning, Error or Fatal.</summary>
    public string Level => this["@l"] ?? "Information";

    /// <summary>The text. Tests may assert on its names, numbers and errno, but not on its words.</summary>
    public string Text => this["@m"]!;

    public string? Service => this["LISTEND_SERVICE"];

    public string? Listener => this["LISTEND_LISTENER"];

    public int? Pid => Number("LISTEND_WORKER_PID");

    public int? Generation => Number("LISTEND_GENERATION");

    public int? Slot => Number("LISTEND_SLOT");

    /// <summary>The worker's line.</summary>
    public string? Output => Kind == MessageIds.WorkerOutput ? this["Line"] : null;

    /// <summary>A text field; null without it.</summary>
    public string? this[string field] =>
        _fields.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A numeric field; null without it.</summary>
    public int? Number(string field) =>
        _fields.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : null;

    /// <summary>The message of a line; null for any other line.</summary>
    public static LogMessage? Parse(string line)
    {
        if (!line.StartsWith('{'))
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(line);
            var message = new LogMessage(document.RootElement.Clone());
            return message["MESSAGE_ID"] is null || message["@m"] is null ? null : message;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The name of a kind, for a report.</summary>
    public static string NameOf(string kind) =>
        typeof(MessageIds).GetFields(BindingFlags.Public | BindingFlags.Static)
            .SingleOrDefault(field => (string)field.GetRawConstantValue()! == kind)?.Name ?? kind;

    /// <inheritdoc/>
    public override string ToString() => $"{this["@t"]} {Level} {NameOf(Kind)}: {Text}";
}
