using System.Text.Json;
using Supervisor.Config.Toml;

namespace Supervisor.Config.Settings;

/// <summary>A string or an integer, each read in its own way.</summary>
internal sealed class NameOrNumberType<T>(
    string name, string range, string example, Func<string, ParseResult<T>> text, Func<long, ParseResult<T>> number)
    : SettingType<T>(name, range, example)
{
    public override bool TryRead(TomlNode node, ReadContext context, out T value)
    {
        value = default!;
        if (node.Kind is not (TomlNodeKind.String or TomlNodeKind.Integer))
        {
            return FailKind(node, context);
        }

        if (node is { Kind: TomlNodeKind.Integer, IsHuge: true })
        {
            return context.Fail(node, $"{node.Shown} is out of range", $"write {Name}, such as {Example}");
        }

        if (node.Text.Contains('\0', StringComparison.Ordinal))
        {
            return context.Fail(node, $"{node.Shown} contains a NUL character", "remove the \\u0000");
        }

        var reading = node.Kind == TomlNodeKind.String ? text(node.Text) : number(node.Integer);
        value = reading.Value;
        return reading.ValueError is null || context.Fail(node, reading.ValueError);
    }

    internal override void WriteSchema(Utf8JsonWriter schema)
    {
        schema.WriteStartArray("type");
        schema.WriteStringValue("integer");
        schema.WriteStringValue("string");
        schema.WriteEndArray();
    }
}
