using System.Text.Json;
using Supervisor.Config.Toml;

namespace Supervisor.Config.Settings;

/// <summary>A string that <paramref name="parse"/> understands; never with a NUL, which would end it in the kernel's eyes.</summary>
internal sealed class TextType<T>(string name, string range, string example, Func<string, ConfigContext, ParseResult<T>> parse)
    : SettingType<T>(name, range, $"\"{example}\"")
{
    /// <summary>Whether a newline may stand in it: in arguments and in environment values.</summary>
    public bool AllowsNewline { get; init; }

    /// <summary>Whether a number that lacks its quotes means the same in quotes; an octal number (0o660) does not.</summary>
    public bool TakesNumbers { get; init; } = true;

    /// <summary>A regular expression for the schema; null where none says it.</summary>
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
            return context.Fail(node, $"{node.Shown} holds a NUL character, at which the kernel would cut it", "remove the \\u0000");
        }

        if (!AllowsNewline && node.Text.AsSpan().IndexOfAny('\n', '\r') >= 0)
        {
            return context.Fail(node, $"{node.Shown} holds a line break", "write it on one line");
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
