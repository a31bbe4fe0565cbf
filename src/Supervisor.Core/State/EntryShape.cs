using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Supervisor.Core.State;

/// <summary>
/// The fields of a type and of the types of its fields. Most elements of a state have exactly these fields in this order, because
/// the same version wrote them. Only the other ones need a look for unknown and for missing fields.
/// </summary>
internal sealed class EntryShape
{
    private static readonly Dictionary<Type, EntryShape> Known = [];

    private readonly JsonTypeInfoKind _kind;
    private readonly List<(byte[] Name, EntryShape Shape)> _fields = [];
    private EntryShape? _element;

    private EntryShape(JsonTypeInfoKind kind) => _kind = kind;

    /// <summary>The shape of a type.</summary>
    public static EntryShape Of(JsonTypeInfo type)
    {
        lock (Known)
        {
            return OfType(type);
        }
    }

    /// <summary>Whether an element has exactly these fields, in this order.</summary>
    public bool Fits(JsonElement element) => Fits(JsonMarshal.GetRawUtf8Value(element));

    /// <summary>The same for an element as text; <see cref="JsonException"/> if it is not JSON.</summary>
    public bool Fits(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        return reader.Read() && Fits(ref reader);
    }

    private bool Fits(ref Utf8JsonReader reader)
    {
        switch (_kind, reader.TokenType)
        {
            case (JsonTypeInfoKind.Object, JsonTokenType.StartObject):
                return HasFields(ref reader);
            case (JsonTypeInfoKind.Enumerable, JsonTokenType.StartArray):
                return FitElements(ref reader);
            case (JsonTypeInfoKind.Dictionary, JsonTokenType.StartObject):
                return FitEntries(ref reader);
            default:
                reader.Skip();
                return true;
        }
    }

    private static EntryShape OfType(JsonTypeInfo type)
    {
        if (Known.TryGetValue(type.Type, out var known))
        {
            return known;
        }

        var shape = new EntryShape(type.Kind);
        Known.Add(type.Type, shape);
        if (type.Kind == JsonTypeInfoKind.Object)
        {
            foreach (var property in type.Properties.Where(IsWritten))
            {
                shape._fields.Add((Encoding.UTF8.GetBytes(property.Name), OfType(type.Options.GetTypeInfo(property.PropertyType))));
            }
        }
        else if (type.Kind is JsonTypeInfoKind.Enumerable or JsonTypeInfoKind.Dictionary)
        {
            shape._element = OfType(type.Options.GetTypeInfo(type.ElementType!));
        }

        return shape;
    }

    /// <summary>Whether a property is neither ignored nor computed from others.</summary>
    private static bool IsWritten(JsonPropertyInfo property) =>
        property.Get is not null && (property.Set is not null || property.AssociatedParameter is not null);

    private bool HasFields(ref Utf8JsonReader reader)
    {
        var next = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (next == _fields.Count || !reader.ValueTextEquals(_fields[next].Name) || !reader.Read()
                || !_fields[next].Shape.Fits(ref reader))
            {
                return false;
            }

            next++;
        }

        return next == _fields.Count;
    }

    private bool FitElements(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (!_element!.Fits(ref reader))
            {
                return false;
            }
        }

        return true;
    }

    private bool FitEntries(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!reader.Read() || !_element!.Fits(ref reader))
            {
                return false;
            }
        }

        return true;
    }
}
