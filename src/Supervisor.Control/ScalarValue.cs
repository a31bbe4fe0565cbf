using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Supervisor.Control;

/// <summary>A JSON number or string.</summary>
[JsonConverter(typeof(Converter))]
public readonly record struct ScalarValue(long? Number, string? Text)
{
    /// <inheritdoc/>
    public override string ToString() => Text ?? Number?.ToString(CultureInfo.InvariantCulture) ?? "";

    /// <summary>Reads and writes the bare number or string.</summary>
    public sealed class Converter : JsonConverter<ScalarValue>
    {
        /// <inheritdoc/>
        public override ScalarValue Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType switch
            {
                JsonTokenType.Number => new ScalarValue(reader.GetInt64(), null),
                JsonTokenType.String => new ScalarValue(null, reader.GetString()),
                _ => throw new JsonException("a number or a string was expected"),
            };

        /// <inheritdoc/>
        public override void Write(Utf8JsonWriter writer, ScalarValue value, JsonSerializerOptions options)
        {
            if (value.Number is { } number)
            {
                writer.WriteNumberValue(number);
            }
            else
            {
                writer.WriteStringValue(value.Text);
            }
        }
    }
}
