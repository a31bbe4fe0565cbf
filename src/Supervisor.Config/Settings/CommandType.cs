using System.Collections.Immutable;
using System.Text.Json;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Toml;

namespace Supervisor.Config.Settings;

/// <summary>A program and its arguments, one element each. No shell splits a line.</summary>
internal sealed class CommandType(bool mayBeEmpty) : SettingType<ImmutableArray<string>>(
    "an array of strings",
    mayBeEmpty ? "the program, then its arguments, or empty for no program" : "the program, then its arguments",
    "[\"/srv/api/api\", \"--verbose\"]")
{
    private readonly ListType<string> _arguments = new(
        new TextType<string>("a string", "without NUL", "--verbose", static (text, _) => text) { AllowsNewline = true });

    public override bool TryRead(TomlNode node, ReadContext context, out ImmutableArray<string> value)
    {
        if (node.Kind == TomlNodeKind.String)
        {
            value = [];
            var words = node.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return FailKind(
                node, context,
                words.Length == 0 ? null : $"write the program and each argument as an element: [{Quoted.List(words)}]");
        }

        if (node.Kind != TomlNodeKind.Array)
        {
            value = [];
            return FailKind(node, context);
        }

        if (!_arguments.TryRead(node, context, out value))
        {
            return false;
        }

        if (value.Length == 0)
        {
            return mayBeEmpty
                || context.Fail(
                    node, "the array is empty: a program is missing",
                    $"write the program as the first element, such as {Example}");
        }

        return value[0].Length > 0
            || context.Fail(node.Items[0], "\"\" is not a program", $"write the program as the first element, such as {Example}");
    }

    internal override void WriteSchema(Utf8JsonWriter schema)
    {
        _arguments.WriteSchema(schema);
        if (!mayBeEmpty)
        {
            schema.WriteNumber("minItems", 1);
        }
    }
}
