using System.Text.Json;
using Supervisor.Config.Settings;

namespace Supervisor.Config.Tests;

public sealed class SchemaTests
{
    private readonly JsonElement _root = JsonDocument.Parse(ConfigSchema.Json()).RootElement;

    [Fact]
    public void The_schema_conforms_to_draft_2020_12() =>
        Assert.Equal("https://json-schema.org/draft/2020-12/schema", _root.GetProperty("$schema").GetString());

    [Fact]
    public void The_schema_lists_exactly_the_settings()
    {
        var leaves = new SortedSet<string>(StringComparer.Ordinal);
        Collect(_root, "", leaves);
        Assert.Equal(SettingTable.All.Select(s => s.Path).Order(StringComparer.Ordinal), leaves);
    }

    [Fact]
    public void The_schema_has_bounds_defaults_and_required_settings()
    {
        var listener = Section("listener");
        var backlog = listener.GetProperty("properties").GetProperty("listen").GetProperty("properties").GetProperty("backlog");
        Assert.Equal(4096, backlog.GetProperty("default").GetInt32());
        Assert.Equal(1, backlog.GetProperty("minimum").GetInt32());
        Assert.Equal("listen", backlog.GetProperty("x-listend-phase").GetString());
        Assert.Equal("pre-bind", listener.GetProperty("properties")
            .GetProperty("bind").GetProperty("properties").GetProperty("mark").GetProperty("x-listend-phase").GetString());
        Assert.Equal(["address"], listener.GetProperty("required").EnumerateArray().Select(e => e.GetString()));
        Assert.Equal(["command"], Section("service").GetProperty("required").EnumerateArray().Select(e => e.GetString()));
        Assert.False(listener.GetProperty("additionalProperties").GetBoolean());
    }

    private JsonElement Section(string name) => _root.GetProperty("properties").GetProperty(name).GetProperty("additionalProperties");

    private static void Collect(JsonElement schema, string path, SortedSet<string> leaves)
    {
        if (schema.TryGetProperty("description", out _))
        {
            leaves.Add(path);
            if (schema.TryGetProperty("items", out var items) && items.TryGetProperty("properties", out _))
            {
                Collect(items, path + "[]", leaves);
            }
        }
        else if (schema.TryGetProperty("properties", out var properties))
        {
            foreach (var property in properties.EnumerateObject())
            {
                Collect(property.Value, path.Length == 0 ? property.Name : $"{path}.{property.Name}", leaves);
            }
        }
        else
        {
            Collect(schema.GetProperty("additionalProperties"), path + ".NAME", leaves);
        }
    }
}
