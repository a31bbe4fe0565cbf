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
    public bool Fits(JsonElement element) => (_kind, element.ValueKind) switch
    {
        (JsonTypeInfoKind.Object, JsonValueKind.Object) => HasFields(element),
        (JsonTypeInfoKind.Enumerable, JsonValueKind.Array) => FitElements(element),
        (JsonTypeInfoKind.Dictionary, JsonValueKind.Object) => FitEntries(element),
        _ => true,
    };

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

    private bool HasFields(JsonElement element)
    {
        var next = 0;
        foreach (var field in element.EnumerateObject())
        {
            if (next == _fields.Count || !field.NameEquals(_fields[next].Name) || !_fields[next].Shape.Fits(field.Value))
            {
                return false;
            }

            next++;
        }

        return next == _fields.Count;
    }

    private bool FitElements(JsonElement list)
    {
        foreach (var element in list.EnumerateArray())
        {
            if (!_element!.Fits(element))
            {
                return false;
            }
        }

        return true;
    }

    private bool FitEntries(JsonElement entries)
    {
        foreach (var entry in entries.EnumerateObject())
        {
            if (!_element!.Fits(entry.Value))
            {
                return false;
            }
        }

        return true;
    }
}
