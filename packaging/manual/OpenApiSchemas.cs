using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Supervisor.Control;

namespace Supervisor.Manual;

/// <summary>
/// The schemas of documents: their members are those that <see cref="ControlJson"/> writes, and their descriptions are the comments of the
/// types, which the compiler writes next to the assembly.
/// </summary>
internal sealed partial class OpenApiSchemas
{
    private static readonly NullabilityInfoContext Nullability = new();

    private readonly SortedDictionary<string, JsonObject> _schemas = new(StringComparer.Ordinal);
    private readonly Dictionary<Assembly, Dictionary<string, XElement>> _comments = [];

    /// <summary>All schemas to which there is a reference, by name.</summary>
    public JsonObject All()
    {
        var all = new JsonObject();
        foreach (var (name, schema) in _schemas)
        {
            all[name] = schema;
        }

        return all;
    }

    /// <summary>A reference to the schema of a document.</summary>
    public JsonObject Reference(Type type)
    {
        var name = type.Name.EndsWith("Document", StringComparison.Ordinal) ? type.Name[..^"Document".Length] : type.Name;
        if (!_schemas.ContainsKey(name))
        {
            var schema = _schemas[name] = new JsonObject { ["type"] = "object" };
            Fill(schema, type);
        }

        return new JsonObject { ["$ref"] = $"#/components/schemas/{name}" };
    }

    private void Fill(JsonObject schema, Type type)
    {
        Describe(schema, Comment(type, $"T:{type.FullName}")?.Element("summary"));
        var (properties, required) = (new JsonObject(), new JsonArray());
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var condition = property.GetCustomAttribute<JsonIgnoreAttribute>()?.Condition;
            if (condition == JsonIgnoreCondition.Always || property.GetIndexParameters().Length > 0)
            {
                continue;
            }

            var name = property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name
                ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
            var member = Schema(property.PropertyType);
            if (condition is null && MayBeNull(property))
            {
                member = OrNull(member);
            }

            Describe(member, CommentOf(type, property));
            properties[name] = member;
            if (condition is null)
            {
                required.Add(name);
            }
        }

        schema["properties"] = properties;
        schema["required"] = required;
    }

    private JsonObject Schema(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(ScalarValue))
        {
            return new JsonObject { ["type"] = new JsonArray("integer", "string") };
        }

        if (type == typeof(DateTimeOffset))
        {
            return new JsonObject { ["type"] = "string", ["format"] = "date-time" };
        }

        return Type.GetTypeCode(type) switch
        {
            TypeCode.String => new JsonObject { ["type"] = "string" },
            TypeCode.Boolean => new JsonObject { ["type"] = "boolean" },
            TypeCode.Int32 or TypeCode.UInt32 or TypeCode.Int64 or TypeCode.UInt64 => new JsonObject { ["type"] = "integer" },
            TypeCode.Double => new JsonObject { ["type"] = "number" },
            _ when ItemOf(type) is { } item => new JsonObject { ["type"] = "array", ["items"] = Schema(item) },
            _ when type.IsClass => Reference(type),
            _ => throw new NotSupportedException($"{type} in a document: teach {nameof(OpenApiSchemas)}"),
        };
    }

    private static Type? ItemOf(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>)
        ? type.GetGenericArguments()[0]
        : null;

    private static bool MayBeNull(PropertyInfo property) => property.PropertyType.IsValueType
        ? Nullable.GetUnderlyingType(property.PropertyType) is not null
        : Nullability.Create(property).ReadState == NullabilityState.Nullable;

    private static JsonObject OrNull(JsonObject schema)
    {
        switch (schema["type"])
        {
            case JsonArray several:
                several.Add("null");
                return schema;
            case JsonValue one:
                schema["type"] = new JsonArray(one.DeepClone(), "null");
                return schema;
            default:
                return new JsonObject { ["oneOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) };
        }
    }

    private XElement? CommentOf(Type type, PropertyInfo property) =>
        Comment(type, $"P:{type.FullName}.{property.Name}")?.Element("summary")
        ?? Comment(type, $"T:{type.FullName}")?.Elements("param")
            .FirstOrDefault(param => (string?)param.Attribute("name") == property.Name);

    private XElement? Comment(Type type, string id)
    {
        if (!_comments.TryGetValue(type.Assembly, out var comments))
        {
            var file = Path.ChangeExtension(type.Assembly.Location, ".xml");
            comments = XDocument.Load(file).Descendants("member").ToDictionary(member => (string)member.Attribute("name")!);
            _comments.Add(type.Assembly, comments);
        }

        return comments.GetValueOrDefault(id);
    }

    /// <summary>Adds a comment as text, on one line and without its full stop.</summary>
    private static void Describe(JsonObject schema, XElement? comment)
    {
        if (comment is null)
        {
            return;
        }

        var text = string.Concat(comment.Nodes().Select(node => node switch
        {
            XText plain => plain.Value,
            XElement { Name.LocalName: "see" } see => JsonNamingPolicy.SnakeCaseLower.ConvertName(
                ((string?)see.Attribute("cref") ?? "").Split('.')[^1]),
            XElement element => element.Value,
            _ => "",
        }));
        schema["description"] = Blanks().Replace(text, " ").Trim().TrimEnd('.');
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
