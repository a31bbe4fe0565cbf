using System.Text.Json;
using Supervisor.Config.Toml;
using Supervisor.Config.Values;

namespace Supervisor.Config.Settings;

/// <summary>A resource limit: an integer in the resource's unit, a size, or "infinity".</summary>
internal sealed class LimitType() : SettingType<ulong>("a limit", "0 to 9223372036854775807, a size, or \"infinity\"", "65536")
{
    private const string Remedy = "write an integer, a size such as \"1GiB\", or \"infinity\"";

    public override bool TryRead(TomlNode node, ReadContext context, out ulong value)
    {
        value = ulong.MaxValue;
        switch (node.Kind)
        {
            case TomlNodeKind.Integer when node is { IsHuge: false, Integer: >= 0 }:
                value = (ulong)node.Integer;
                return true;
            case TomlNodeKind.Integer:
                return context.Fail(node, $"{node.Shown} is out of range ({Range})", Remedy);
            case TomlNodeKind.String when node.Text == "infinity":
                return true;
            case TomlNodeKind.String when ByteSize.TryParse(node.Text, out var size):
                value = (ulong)size;
                return true;
            case TomlNodeKind.String:
                return context.Fail(node, $"{node.Shown} is not a limit", Remedy);
            default:
                return FailKind(node, context, Remedy);
        }
    }

    internal override void WriteSchema(Utf8JsonWriter schema)
    {
        schema.WriteStartArray("anyOf");
        schema.WriteStartObject();
        schema.WriteString("type", "integer");
        schema.WriteNumber("minimum", 0);
        schema.WriteEndObject();
        schema.WriteStartObject();
        schema.WriteString("type", "string");
        schema.WriteString("pattern", $"^infinity$|{ByteSize.Pattern}");
        schema.WriteEndObject();
        schema.WriteEndArray();
    }
}
