using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Supervisor.Control;

/// <summary>
/// Reads documents from another program. <see cref="ControlJson"/> would leave a missing or null field null, although its type says that
/// it is not. Here that is a <see cref="JsonException"/>. Fields that are nullable, or that are not parameters of the constructor, may be
/// missing: an older daemon does not have them.
/// </summary>
public static class StrictJson
{
    private static readonly JsonSerializerOptions Options = new(ControlJson.Default.Options)
    {
        RespectNullableAnnotations = true,
        TypeInfoResolver = ControlJson.Default.WithAddedModifier(RequireParameters),
    };

    /// <summary>Reads one document.</summary>
    /// <param name="json">The document.</param>
    /// <param name="type">Its type, one of <see cref="ControlJson"/>.</param>
    public static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Options.MaxDepth });
        RefuseNullElements(ref reader);
        return JsonSerializer.Deserialize(json, (JsonTypeInfo<T>)Options.GetTypeInfo(type.Type)) ?? throw new JsonException("it is null");
    }

    private static void RequireParameters(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
        {
            property.IsRequired |= property.AssociatedParameter is { IsMemberInitializer: false, IsNullable: false };
        }
    }

    /// <summary>No list of these documents has null as an element, and the serializer cannot check that.</summary>
    private static void RefuseNullElements(ref Utf8JsonReader reader)
    {
        var previous = JsonTokenType.None;
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.Null && previous != JsonTokenType.PropertyName && reader.CurrentDepth > 0)
            {
                throw new JsonException("an element of an array is null");
            }

            previous = reader.TokenType;
        }
    }
}
