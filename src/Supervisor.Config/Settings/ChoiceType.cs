using System.Collections.Immutable;
using System.Text.Json;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Toml;
using Supervisor.Config.Values;

namespace Supervisor.Config.Settings;

/// <summary>One of a few words.</summary>
internal sealed class ChoiceType<T>(params ImmutableArray<(string Word, T Value)> choices)
    : SettingType<T>("a word", "one of " + string.Join(", ", choices.Select(c => c.Word)), $"\"{choices[0].Word}\"")
{
    public override bool TryRead(TomlNode node, ReadContext context, out T value)
    {
        value = choices[0].Value;
        if (node.Kind != TomlNodeKind.String)
        {
            return FailKind(node, context, $"write one of {Quoted.List(choices.Select(c => c.Word))}");
        }

        foreach (var choice in choices)
        {
            if (choice.Word == node.Text)
            {
                value = choice.Value;
                return true;
            }
        }

        return context.Fail(
            node,
            $"{node.Shown} is not {Range}",
            Spelling.Nearest(node.Text, choices.Select(c => c.Word)) is { } near
                ? $"did you mean {Quoted.Text(near)}?"
                : $"write one of {Quoted.List(choices.Select(c => c.Word))}");
    }

    internal override void WriteSchema(Utf8JsonWriter schema)
    {
        schema.WriteString("type", "string");
        schema.WriteStartArray("enum");
        foreach (var (word, _) in choices)
        {
            schema.WriteStringValue(word);
        }

        schema.WriteEndArray();
    }
}
