using System.Text.Json;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;

namespace Supervisor.Core.State;

/// <summary>
/// Reads listeners of a state as this version writes them. Most of thousands of listeners differ only in name and address: they share
/// what else is configured. A history stays as it is until somebody looks at it. What has another form is left to the caller.
/// </summary>
internal sealed class ListenerReader
{
    private readonly Dictionary<string, (ReadOnlyMemory<byte> Text, ListenerSpec Spec)> _configured = new(StringComparer.Ordinal);
    private readonly ListenerFields _fields = new();
    private ReadOnlyMemory<byte> _tail;
    private ListenerSpec? _like;

    private static ReadOnlySpan<byte> SpecField => "{\"spec\":"u8;

    private static ReadOnlySpan<byte> FieldsAfterSpec => ",\"effective\":"u8;

    private static ReadOnlySpan<byte> HistoryField => ",\"history\":"u8;

    /// <summary>The name of a listener, or of its specification; null if the text has another form.</summary>
    public static string? NameOf(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json.StartsWith(SpecField) ? json[SpecField.Length..] : json);
        return HasName(ref reader) ? reader.GetString() : null;
    }

    /// <summary>Reads a specification of the configuration; null if it has another form.</summary>
    public ListenerSpec? ReadSpec(ReadOnlyMemory<byte> json)
    {
        if (Spec(json) is not { } spec)
        {
            return null;
        }

        _configured[spec.Name] = (json, spec);
        return spec;
    }

    /// <summary>Reads a listener; null if it has another form.</summary>
    public ListenerEntry? Read(ReadOnlyMemory<byte> json)
    {
        var text = json.Span;
        var rest = text.IndexOf(FieldsAfterSpec);
        if (!text.StartsWith(SpecField) || rest < 0)
        {
            return null;
        }

        var history = text[rest..].IndexOf("\"history\":{\"created\":"u8) + rest - 1;
        return history >= rest
            && Spec(json[SpecField.Length..rest]) is { } spec
            && HistoryOf(json[(history + HistoryField.Length)..^1]) is { } snapshot
            ? _fields.Read(text[rest..history], spec, text[..rest], snapshot)
            : null;
    }

    /// <summary>Reads a history, of which a part may be damaged: then it has no entries.</summary>
    private static HistorySnapshot ReadHistory(ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json.Span, ManifestJson.Default.HistorySnapshot)!;
        }
        catch (JsonException)
        {
            return new HistorySnapshot(0, 0, [], []);
        }
    }

    private static HistorySnapshot? HistoryOf(ReadOnlyMemory<byte> json)
    {
        var reader = new Utf8JsonReader(json.Span);
        if (!reader.Read() || !IsNext(ref reader, JournalFormat.CreatedField) || !reader.TryGetInt64(out var created)
            || !IsNext(ref reader, JournalFormat.CountField) || !reader.TryGetInt64(out var count))
        {
            return null;
        }

        return HistorySnapshot.Of(new UnreadHistory(json, (int)reader.BytesConsumed, ReadHistory), created, count);

        static bool IsNext(ref Utf8JsonReader reader, string name) =>
            reader.Read() && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals(name)
                && reader.Read() && reader.TokenType == JsonTokenType.Number;
    }

    private ListenerSpec? Spec(ReadOnlyMemory<byte> json)
    {
        var reader = new Utf8JsonReader(json.Span);
        if (!HasName(ref reader))
        {
            return null;
        }

        var name = reader.GetString()!;
        if (_configured.TryGetValue(name, out var configured) && configured.Text.Span.SequenceEqual(json.Span))
        {
            // What is equal is one object, as in the daemon that wrote it: a reload compares less.
            return configured.Spec;
        }

        if (!reader.Read() || !reader.ValueTextEquals("address"u8) || !reader.Read() || reader.TokenType != JsonTokenType.String)
        {
            return null;
        }

        var tail = json[(int)reader.BytesConsumed..];
        if (_like is not null && tail.Span.SequenceEqual(_tail.Span) && ListenAddress.TryParse(reader.GetString()!, out var address, out _))
        {
            return _like with { Name = name, Address = address };
        }

        var type = ManifestJson.Default.ListenerSpec;
        if (!EntryShape.Of(type).Fits(json.Span))
        {
            return null;
        }

        (_like, _tail) = (JsonSerializer.Deserialize(json.Span, type), tail);
        return _like;
    }

    /// <summary>Reads up to the name of a specification, which is its first field.</summary>
    private static bool HasName(ref Utf8JsonReader reader) =>
        reader.Read() && reader.TokenType == JsonTokenType.StartObject && reader.Read() && reader.ValueTextEquals(JournalFormat.NameField)
            && reader.Read() && reader.TokenType == JsonTokenType.String;
}
