using System.Text.Json;
using Supervisor.Config.Toml;

namespace Supervisor.Config.Settings;

/// <summary>A number of workers, or "cpus".</summary>
internal sealed class WorkersType() : SettingType<int>("a number of workers", "1 to 10000, or \"cpus\"", "4")
{
    private readonly IntegerType _number = new(1, 10000);

    public override bool TryRead(TomlNode node, ReadContext context, out int value)
    {
        value = Math.Clamp(context.Config.Cpus, 1, 10000);
        switch (node.Kind)
        {
            case TomlNodeKind.String when node.Text == "cpus":
                return true;
            case TomlNodeKind.Integer:
                var good = _number.TryRead(node, context, out var number);
                value = good ? (int)number : 1;
                return good;
            case TomlNodeKind.String:
                return context.Fail(
                    node, $"{node.Shown} is not a number of workers",
                    $"write an integer from 1 to 10000{(node.SettingName is null ? " without quotes" : "")}, or \"cpus\"");
            default:
                return FailKind(node, context, "write an integer from 1 to 10000, or \"cpus\"");
        }
    }

    internal override void WriteSchema(Utf8JsonWriter schema)
    {
        schema.WriteStartArray("anyOf");
        schema.WriteStartObject();
        _number.WriteSchema(schema);
        schema.WriteEndObject();
        schema.WriteStartObject();
        schema.WriteString("const", "cpus");
        schema.WriteEndObject();
        schema.WriteEndArray();
    }
}
