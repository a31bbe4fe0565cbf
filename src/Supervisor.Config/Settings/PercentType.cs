using System.Globalization;
using System.Text.Json;
using Supervisor.Config.Toml;

namespace Supervisor.Config.Settings;

/// <summary>A share in steps of 0.1 %, as a text such as "2.5%". The value counts these steps.</summary>
internal sealed class PercentType() : SettingType<int>("a percentage", "0.1% to 100%, in steps of 0.1%", "\"5%\"")
{
    private const int Steps = 1000;
    private const int StepsOfOne = 10;

    public override bool TryRead(TomlNode node, ReadContext context, out int value)
    {
        value = 0;
        if (node.Kind != TomlNodeKind.String)
        {
            return FailKind(node, context, node.Kind == TomlNodeKind.Integer ? $"write \"{node.Shown}%\"" : null);
        }

        if (!node.Text.EndsWith('%')
            || !decimal.TryParse(node.Text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent))
        {
            return context.Fail(node, $"{node.Shown} is not a percentage", "write a number with \"%\", such as \"5%\" or \"0.5%\"");
        }

        var steps = percent * StepsOfOne;
        if (steps < 1 || steps > Steps || steps != decimal.Truncate(steps))
        {
            return context.Fail(node, $"{node.Shown} is out of range ({Range})", "write a percentage from \"0.1%\" to \"100%\"");
        }

        value = (int)steps;
        return true;
    }

    internal override void WriteSchema(Utf8JsonWriter schema)
    {
        schema.WriteString("type", "string");
        schema.WriteString("pattern", "^[0-9]+([.][0-9]+)?%$");
    }
}
