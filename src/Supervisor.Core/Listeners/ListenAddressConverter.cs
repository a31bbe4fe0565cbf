using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Supervisor.Core.Listeners;

/// <summary>
/// Writes an address in the configuration's syntax. A socket from another process may have an address without such a form (a
/// relative path, or none), or the descriptor may not be a socket: then it writes an object with kind and path.
/// </summary>
internal sealed class ListenAddressConverter : JsonConverter<ListenAddress>
{
    [ThreadStatic]
    private static string? _lastText;

    [ThreadStatic]
    private static ListenAddress? _last;

    public override ListenAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            // What was asked for is followed by what the kernel gave, which is mostly the same.
            if (_last is not null && reader.ValueTextEquals(_lastText))
            {
                return _last;
            }

            var text = reader.GetString()!;
            if (!ListenAddress.TryParse(text, out var address, out var error))
            {
                throw new JsonException(error.Message);
            }

            (_lastText, _last) = (text, address);
            return address;
        }

        using var document = JsonDocument.ParseValue(ref reader);
        var path = document.RootElement.GetProperty("path").GetString() ?? "";
        return document.RootElement.GetProperty("kind").GetString() is { } kind
            && Enum.TryParse<ListenerKind>(kind, out var known)
            && known != ListenerKind.Other
            ? ListenAddress.Unix(known, path, document.RootElement.GetProperty("abstract").GetBoolean())
            : ListenAddress.Opaque(path);
    }

    public override void Write(Utf8JsonWriter writer, ListenAddress value, JsonSerializerOptions options)
    {
        var text = value.ToString();
        if (value.Host?.AddressFamily == AddressFamily.InterNetwork || (ListenAddress.TryParse(text, out var same, out _) && same == value))
        {
            writer.WriteStringValue(text);
            return;
        }

        writer.WriteStartObject();
        writer.WriteString("kind", value.Kind.ToString());
        writer.WriteString("path", value.Path ?? text);
        writer.WriteBoolean("abstract", value.IsAbstract);
        writer.WriteEndObject();
    }
}
