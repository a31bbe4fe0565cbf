using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Supervisor.Core.State;

/// <summary>
/// The fields of a document that this version does not know: a newer version wrote them. They are written again for the next
/// version while the object to which they belong exists. Elements of a list are identified by their <c>id</c>, <c>index</c> or
/// <c>name</c>. Unknown fields of an element without one of them are dropped.
/// </summary>
public sealed class UnknownFields
{
    private static readonly string[] Identities = ["id", "index", "name"];

    /// <summary>The properties of a type by name: a state has thousands of objects of the same type.</summary>
    private static readonly ConcurrentDictionary<JsonTypeInfo, Dictionary<string, JsonPropertyInfo>> Properties = new();

    private readonly Dictionary<string, JsonNode?> _fields = [];
    private readonly Dictionary<string, UnknownFields> _parts = [];

    private UnknownFields()
    {
    }

    /// <summary>Whether all fields were known.</summary>
    public bool IsEmpty => _fields.Count == 0 && _parts.Count == 0;

    /// <summary>The unknown fields of the document itself, without those of its parts.</summary>
    internal IReadOnlyDictionary<string, JsonNode?> Fields => _fields;

    /// <summary>The unknown fields of a part; null if all of them were known.</summary>
    internal UnknownFields? Part(string name) => _parts.GetValueOrDefault(name);

    /// <summary>Adds the fields to a document of the same type.</summary>
    public void AddTo(JsonNode document)
    {
        if (document is JsonObject fields)
        {
            foreach (var (name, value) in _fields)
            {
                fields.TryAdd(name, value?.DeepClone());
            }

            foreach (var (name, part) in _parts)
            {
                if (fields[name] is { } there)
                {
                    part.AddTo(there);
                }
            }
        }
        else if (document is JsonArray items)
        {
            foreach (var item in items)
            {
                if (item is not null)
                {
                    AddToElement(item);
                }
            }
        }
    }

    /// <summary>Adds the unknown fields of a list's element to it.</summary>
    internal void AddToElement(JsonNode item)
    {
        if (Identity(item) is { } identity && _parts.TryGetValue(identity, out var part))
        {
            part.AddTo(item);
        }
    }

    internal static UnknownFields Of(JsonNode document, JsonTypeInfo type)
    {
        var found = new UnknownFields();
        found.Collect(document, type);
        return found;
    }

    private void Collect(JsonNode document, JsonTypeInfo type)
    {
        switch (document, type.Kind)
        {
            case (JsonObject fields, JsonTypeInfoKind.Object):
                var known = Properties.GetOrAdd(
                    type, static of => of.Properties.ToDictionary(property => property.Name, StringComparer.Ordinal));
                foreach (var (name, value) in fields)
                {
                    if (!known.TryGetValue(name, out var property))
                    {
                        _fields.Add(name, value?.DeepClone());
                    }
                    else if (value is not null)
                    {
                        Add(name, value, type.Options.GetTypeInfo(property.PropertyType));
                    }
                }

                break;
            case (JsonArray items, JsonTypeInfoKind.Enumerable):
                foreach (var item in items)
                {
                    if (item is not null)
                    {
                        CollectElement(item, type.Options.GetTypeInfo(type.ElementType!));
                    }
                }

                break;
            case (JsonObject entries, JsonTypeInfoKind.Dictionary):
                foreach (var (key, entry) in entries)
                {
                    if (entry is not null)
                    {
                        Add(key, entry, type.Options.GetTypeInfo(type.ElementType!));
                    }
                }

                break;
            default:
                break;
        }
    }

    /// <summary>Collects the unknown fields of a list's element.</summary>
    internal void CollectElement(JsonNode item, JsonTypeInfo type)
    {
        if (Identity(item) is { } identity)
        {
            Add(identity, item, type);
        }
    }

    /// <summary>Adds the unknown fields of a part, unless it has none.</summary>
    internal void Add(string name, UnknownFields part)
    {
        if (!part.IsEmpty)
        {
            _parts[name] = part;
        }
    }

    /// <summary>No unknown fields.</summary>
    internal static UnknownFields None() => new();

    private void Add(string name, JsonNode part, JsonTypeInfo type) => Add(name, Of(part, type));

    /// <summary>An element's identity; for a listener or a service it comes from the specification.</summary>
    private static string? Identity(JsonNode item)
    {
        if (item is not JsonObject fields)
        {
            return null;
        }

        foreach (var name in Identities)
        {
            if (fields[name] is JsonValue value)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{name}={value}");
            }
        }

        return (fields["spec"] ?? (fields["state"] as JsonObject)?["spec"]) is JsonObject spec ? Identity(spec) : null;
    }
}
