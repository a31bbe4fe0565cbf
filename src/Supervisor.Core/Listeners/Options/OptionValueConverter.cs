using System.Text.Json;
using System.Text.Json.Serialization;

namespace Supervisor.Core.Listeners.Options;

/// <summary>Writes a number or a name.</summary>
internal sealed class OptionValueConverter : JsonConverter<OptionValue>
{
    public override OptionValue Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Number ? OptionValue.Of(reader.GetInt64()) : OptionValue.Of(reader.GetString() ?? "");

    public override void Write(Utf8JsonWriter writer, OptionValue value, JsonSerializerOptions options)
    {
        if (value.Number is { } number)
        {
            writer.WriteNumberValue(number);
        }
        else
        {
            writer.WriteStringValue(value.Text ?? "");
        }
    }
}
