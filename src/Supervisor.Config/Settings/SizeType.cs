using System.Text.Json;
using Supervisor.Config.Toml;
using Supervisor.Config.Values;

namespace Supervisor.Config.Settings;

/// <summary>A size: bytes as an integer, or a string with a unit.</summary>
internal sealed class SizeType(long min, long max)
    : SettingType<long>("a size", string.Create(null, $"{min} to {max} bytes"), "\"1MiB\"")
{
    public override bool TryRead(TomlNode node, ReadContext context, out long value)
    {
        value = node.Integer;
        switch (node.Kind)
        {
            case TomlNodeKind.Integer:
                break;
            case TomlNodeKind.String when ByteSize.TryParse(node.Text, out value):
                break;
            case TomlNodeKind.String:
                return context.Fail(
                    node, $"{node.Shown} is not a size",
                    "write bytes as an integer, or a string with KiB, MiB, GiB, kB, MB or GB, such as \"1MiB\"");
            default:
                return FailKind(node, context, "write bytes as an integer, or a string such as \"1MiB\"");
        }

        return (!node.IsHuge && value >= min && value <= max)
            || context.Fail(node, $"{node.Shown} is out of range ({Range})", $"write a size from {min} to {max} bytes");
    }

    internal override void WriteSchema(Utf8JsonWriter schema) => WriteSchema(schema, min, max);

    internal static void WriteSchema(Utf8JsonWriter schema, decimal min, decimal max)
    {
        schema.WriteStartArray("anyOf");
        schema.WriteStartObject();
        schema.WriteString("type", "integer");
        schema.WriteNumber("minimum", min);
        schema.WriteNumber("maximum", max);
        schema.WriteEndObject();
        schema.WriteStartObject();
        schema.WriteString("type", "string");
        schema.WriteString("pattern", ByteSize.Pattern);
        schema.WriteEndObject();
        schema.WriteEndArray();
    }
}
