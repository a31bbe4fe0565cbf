using System.Collections.Immutable;
using System.Text.Json;
using Supervisor.Config.Toml;

namespace Supervisor.Config.Settings;

/// <summary>An array of tables, each with settings of its own.</summary>
internal sealed class TableListType<T>(SectionTable<T> section, T blank, string example)
    : SettingType<ImmutableArray<T>>("an array of tables", "each with " + string.Join(", ", section.Settings.Select(s => s.Key)), example)
{
    public override bool TryRead(TomlNode node, ReadContext context, out ImmutableArray<T> value)
    {
        value = [];
        if (node.Kind != TomlNodeKind.Array)
        {
            return FailKind(node, context);
        }

        var before = context.Report.Count;
        var elements = ImmutableArray.CreateBuilder<T>(node.Items.Count);
        foreach (var item in node.Items)
        {
            if (item.Kind != TomlNodeKind.Table)
            {
                FailKind(item, context);
                continue;
            }

            elements.Add(section.Read(item, blank, context).Spec);
        }

        value = elements.ToImmutable();
        return context.Report.Count == before;
    }

    internal override void WriteSchema(Utf8JsonWriter schema)
    {
        schema.WriteString("type", "array");
        schema.WriteStartObject("items");
        ConfigSchema.WriteSection(schema, section.Settings);
        schema.WriteEndObject();
    }
}
