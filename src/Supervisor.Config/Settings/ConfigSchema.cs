using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Supervisor.Core.Listeners.History;

namespace Supervisor.Config.Settings;

/// <summary>The configuration as a JSON Schema, draft 2020-12, for editors; generated from the table of settings.</summary>
public static class ConfigSchema
{
    /// <summary>The schema, indented.</summary>
    public static string Json()
    {
        using var stream = new MemoryStream();
        using (var schema = new Utf8JsonWriter(
            stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            schema.WriteStartObject();
            schema.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
            schema.WriteString("title", "listend configuration");
            schema.WriteString("type", "object");
            schema.WriteBoolean("additionalProperties", false);
            schema.WriteStartObject("properties");
            schema.WriteStartObject("daemon");
            WriteSection(schema, DaemonSettings.Table.Settings);
            schema.WriteEndObject();
            WriteNamed(schema, "listener", ListenerSettings.Table.Settings);
            WriteNamed(schema, "service", ServiceSettings.Table.Settings);
            WriteNamed(schema, "access", AccessSettings.Table.Settings);
            schema.WriteEndObject();
            schema.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>Writes the members of an object that has these settings and no others.</summary>
    internal static void WriteSection(Utf8JsonWriter schema, IReadOnlyCollection<Setting> settings) => WriteTable(schema, settings, "");

    private static void WriteNamed(Utf8JsonWriter schema, string section, IReadOnlyCollection<Setting> settings)
    {
        schema.WriteStartObject(section);
        schema.WriteString("type", "object");
        schema.WriteStartObject("propertyNames");
        schema.WriteString("pattern", SettingTypes.NamePattern);
        schema.WriteEndObject();
        schema.WriteStartObject("additionalProperties");
        WriteSection(schema, settings);
        schema.WriteEndObject();
        schema.WriteEndObject();
    }

    private static void WriteTable(Utf8JsonWriter schema, IReadOnlyCollection<Setting> settings, string prefix)
    {
        schema.WriteString("type", "object");
        schema.WriteBoolean("additionalProperties", false);
        schema.WriteStartObject("properties");
        foreach (var group in settings.GroupBy(setting => setting.Key[prefix.Length..].Split('.')[0]))
        {
            schema.WriteStartObject(group.Key);
            if (group.First() is var first && first.Key == prefix + group.Key)
            {
                WriteSetting(schema, first);
            }
            else
            {
                WriteTable(schema, [.. group], $"{prefix}{group.Key}.");
            }

            schema.WriteEndObject();
        }

        schema.WriteEndObject();
        var required = settings.Where(s => s.IsRequired && !s.Key[prefix.Length..].Contains('.', StringComparison.Ordinal)).ToList();
        if (required.Count > 0)
        {
            schema.WriteStartArray("required");
            required.ForEach(s => schema.WriteStringValue(s.Key[prefix.Length..]));
            schema.WriteEndArray();
        }
    }

    private static void WriteSetting(Utf8JsonWriter schema, Setting setting)
    {
        schema.WriteString("description", $"{setting.Description}. Type: {setting.Type.Name} ({setting.Type.Range}).");
        setting.Type.WriteSchema(schema);
        if (setting.Default is not null)
        {
            schema.WritePropertyName("default");
            schema.WriteRawValue(setting.Default);
        }

        if (setting.Phase is { } phase)
        {
            schema.WriteString("x-listend-phase", phase.ToWireName());
        }
    }
}
