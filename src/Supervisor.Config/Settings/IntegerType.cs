using System.Text.Json;
using Supervisor.Config.Toml;

namespace Supervisor.Config.Settings;

/// <summary>An integer within bounds, both included.</summary>
internal sealed class IntegerType(long min, long max)
    : SettingType<long>("an integer", string.Create(null, $"{min} to {max}"), string.Create(null, $"{Math.Max(min, Math.Min(max, 1))}"))
{
    public override bool TryRead(TomlNode node, ReadContext context, out long value)
    {
        value = node.Integer;
        if (node.Kind != TomlNodeKind.Integer)
        {
            return FailKind(node, context, $"write an integer from {min} to {max}, without quotes");
        }

        return (!node.IsHuge && value >= min && value <= max)
            || context.Fail(node, $"{node.Shown} is out of range ({Range})", $"write an integer from {min} to {max}");
    }

    internal override void WriteSchema(Utf8JsonWriter schema)
    {
        schema.WriteString("type", "integer");
        schema.WriteNumber("minimum", min);
        schema.WriteNumber("maximum", max);
    }
}
