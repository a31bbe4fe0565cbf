using System.Text.Json;
using System.Text.Json.Serialization;
using Supervisor.Core.Listeners;

namespace Supervisor.Core.Continuity;

/// <summary>As a user writes it.</summary>
internal sealed class ListenAddressConverter : JsonConverter<ListenAddress>
{
    public override ListenAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        ListenAddress.TryParse(reader.GetString() ?? "", out var address, out var error) ? address : throw new JsonException(error.Message);

    public override void Write(Utf8JsonWriter writer, ListenAddress value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
