using System.Text.Json;
using Supervisor.Config.Toml;

namespace Supervisor.Config.Settings;

/// <summary>A string that <paramref name="parse"/> understands; it cannot contain a NUL, because the kernel ends a string there.</summary>
internal sealed class TextType<T>(string name, string range, string example, Func<string, ConfigContext, ParseResult<T>> parse)
    : SettingType<T>(name, range, $"\"{example}\"")
{
    /// <summary>Whether it may contain a line break, as arguments and environment values may.</summary>
    public bool AllowsNewline { get; init; }

    /// <summary>Whether an unquoted number means the same in quotes; an octal number (0o660) does not.</summary>
    public bool TakesNumbers { get; init; } = true;

    /// <summary>A regular expression for the schema; null without one.</summary>
    public string? Pattern { get; init; }

    public override bool TryRead(TomlNode node, ReadContext context, out T value)
    {
        value = default!;
        if (node.Kind != TomlNodeKind.String)
        {
            var isMeant = TakesNumbers
                && node is { Kind: TomlNodeKind.Integer, Shown: { } shown }
                && parse(shown, context.Config).ValueError is null;
            return FailKind(
                node, context, isMeant ? $"write it in quotes: \"{node.Shown}\"" : $"write {Name} in quotes, such as {Example}");
        }

        if (node.Text.Contains('\0', StringComparison.Ordinal))
        {
            return context.Fail(node, $"{node.Shown} contains a NUL character", "remove the \\u0000");
        }

        if (!AllowsNewline && node.Text.AsSpan().IndexOfAny('\n', '\r') >= 0)
        {
            return context.Fail(node, $"{node.Shown} contains a line break", "write it on one line");
        }

        var reading = parse(node.Text, context.Config);
        value = reading.Value;
        return reading.ValueError is null || context.Fail(node, reading.ValueError);
    }

    internal override void WriteSchema(Utf8JsonWriter schema)
    {
        schema.WriteString("type", "string");
        if (Pattern is not null)
        {
            schema.WriteString("pattern", Pattern);
        }
    }
}
