using System.Text.Json;
using System.Text.Json.Serialization;

namespace Supervisor.Core.Listeners;

/// <summary>
/// A phase in the state, by its name. <see cref="HandlePhase.Steer"/> is written as <see cref="HandlePhase.PostListen"/>, which versions
/// without it can read too; the reader of a history knows it by its call.
/// </summary>
internal sealed class HandlePhaseConverter : JsonConverter<HandlePhase>
{
    /// <inheritdoc/>
    public override HandlePhase Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Enum.TryParse<HandlePhase>(reader.GetString(), out var phase) && Enum.IsDefined(phase)
            ? phase
            : throw new JsonException("not a phase");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, HandlePhase value, JsonSerializerOptions options) =>
        writer.WriteStringValue((value == HandlePhase.Steer ? HandlePhase.PostListen : value).ToString());
}
