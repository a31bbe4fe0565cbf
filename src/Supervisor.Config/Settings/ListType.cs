using System.Collections.Immutable;
using System.Text.Json;
using Supervisor.Config.Toml;

namespace Supervisor.Config.Settings;

/// <summary>An array whose elements are all of one type.</summary>
internal sealed class ListType<T>(SettingType<T> element) : SettingType<ImmutableArray<T>>(
    "an array", $"each element is {element.Name}: {element.Range}", $"[{element.Example}]")
{
    public override bool TryRead(TomlNode node, ReadContext context, out ImmutableArray<T> value)
    {
        value = [];
        if (node.Kind != TomlNodeKind.Array)
        {
            return FailKind(node, context, node.Shown is { } shown ? $"write it in brackets: [{shown}]" : null);
        }

        var good = true;
        var elements = ImmutableArray.CreateBuilder<T>(node.Items.Count);
        foreach (var item in node.Items)
        {
            if (element.TryRead(item, context, out var read))
            {
                elements.Add(read);
            }
            else
            {
                good = false;
            }
        }

        value = elements.ToImmutable();
        return good;
    }

    internal override void WriteSchema(Utf8JsonWriter schema)
    {
        schema.WriteString("type", "array");
        schema.WriteStartObject("items");
        element.WriteSchema(schema);
        schema.WriteEndObject();
    }
}
