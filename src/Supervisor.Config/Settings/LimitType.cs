using System.Globalization;
using System.Text.Json;
using Supervisor.Config.Toml;
using Supervisor.Config.Values;

namespace Supervisor.Config.Settings;

/// <summary>A resource limit: an integer in the resource's unit, a size, "infinity", or two of these as "SOFT:HARD".</summary>
internal sealed class LimitType() : SettingType<(ulong? Soft, ulong Hard)>(
    "a limit", "0 to 9223372036854775807, a size, \"infinity\", or \"SOFT:HARD\"", "65536")
{
    private const string Remedy = "write an integer, a size such as \"1GiB\", \"infinity\", or two of these as \"SOFT:HARD\"";

    public override bool TryRead(TomlNode node, ReadContext context, out (ulong? Soft, ulong Hard) value)
    {
        value = (null, ulong.MaxValue);
        switch (node.Kind)
        {
            case TomlNodeKind.Integer when node is { IsHuge: false, Integer: >= 0 }:
                value = (null, (ulong)node.Integer);
                return true;
            case TomlNodeKind.Integer:
                return context.Fail(node, $"{node.Shown} is out of range ({Range})", Remedy);
            case TomlNodeKind.String when SizeOrInfinity(node.Text) is { } both:
                value = (null, both);
                return true;
            case TomlNodeKind.String when node.Text.Split(':') is [var first, var second]
                && Part(first) is { } soft && Part(second) is { } hard:
                value = (soft, hard);
                return soft <= hard || context.Fail(node, $"{node.Shown}: the soft limit is above the hard limit", Remedy);
            case TomlNodeKind.String:
                return context.Fail(node, $"{node.Shown} is not a limit", Remedy);
            default:
                return FailKind(node, context, Remedy);
        }
    }

    internal override void WriteSchema(Utf8JsonWriter schema)
    {
        var size = ByteSize.Pattern.Trim('^', '$');
        schema.WriteStartArray("anyOf");
        schema.WriteStartObject();
        schema.WriteString("type", "integer");
        schema.WriteNumber("minimum", 0);
        schema.WriteEndObject();
        schema.WriteStartObject();
        schema.WriteString("type", "string");
        schema.WriteString("pattern", $"^(infinity|{size}|([0-9]+|infinity|{size}):([0-9]+|infinity|{size}))$");
        schema.WriteEndObject();
        schema.WriteEndArray();
    }

    private static ulong? SizeOrInfinity(string text) =>
        text == "infinity" ? ulong.MaxValue
        : ByteSize.TryParse(text, out var size) ? (ulong)size
        : null;

    private static ulong? Part(string text) =>
        SizeOrInfinity(text)
        ?? (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? (ulong)number : null);
}
