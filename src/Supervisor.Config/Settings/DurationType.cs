using System.Text.Json;
using Supervisor.Config.Toml;
using Supervisor.Core;

namespace Supervisor.Config.Settings;

/// <summary>A duration within bounds, both included; in whole seconds where the kernel counts those.</summary>
internal sealed class DurationType(TimeSpan min, TimeSpan max, bool wholeSeconds = false) : SettingType<TimeSpan>(
    "a duration",
    $"{Duration.Format(min)} to {Duration.Format(max)}{(wholeSeconds ? ", whole seconds" : "")}",
    "\"30s\"")
{
    public override bool TryRead(TomlNode node, ReadContext context, out TimeSpan value)
    {
        value = default;
        if (node.Kind == TomlNodeKind.Integer)
        {
            return context.Fail(
                node, $"{node.Shown} is a number without a unit, and this setting takes a duration",
                node.IsHuge ? "write a duration such as \"30s\"" : $"write \"{node.Integer}s\" or \"{node.Integer}ms\"");
        }

        if (node.Kind != TomlNodeKind.String)
        {
            return FailKind(node, context);
        }

        if (!Duration.TryParse(node.Text, out value))
        {
            return context.Fail(
                node,
                $"{node.Shown} is not a duration",
                node.Text.Length > 0 && node.Text.All(char.IsAsciiDigit)
                    ? $"write a unit: \"{node.Text}s\" or \"{node.Text}ms\""
                    : "write whole numbers with h, m, s or ms, such as \"30s\", \"500ms\" or \"1m30s\"");
        }

        if (value < min || value > max)
        {
            return context.Fail(
                node, $"{node.Shown} is out of range ({Range})",
                $"write a duration from \"{Duration.Format(min)}\" to \"{Duration.Format(max)}\"");
        }

        if (wholeSeconds && value.Ticks % TimeSpan.TicksPerSecond != 0)
        {
            var rounded = TimeSpan.FromSeconds(Math.Max(1, Math.Round(value.TotalSeconds)));
            return context.Fail(
                node, $"{node.Shown} is not a whole number of seconds, which the kernel requires", $"write \"{Duration.Format(rounded)}\"");
        }

        return true;
    }

    internal override void WriteSchema(Utf8JsonWriter schema)
    {
        schema.WriteString("type", "string");
        schema.WriteString("pattern", Duration.Pattern);
    }
}
