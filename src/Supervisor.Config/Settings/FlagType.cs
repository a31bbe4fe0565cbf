using System.Text.Json;
using Supervisor.Config.Toml;

namespace Supervisor.Config.Settings;

/// <summary>true or false.</summary>
internal sealed class FlagType() : SettingType<bool>("a boolean", "true or false", "true")
{
    public override bool TryRead(TomlNode node, ReadContext context, out bool value)
    {
        value = node.Boolean;
        return node.Kind == TomlNodeKind.Boolean || FailKind(node, context, "write true or false, without quotes");
    }

    internal override void WriteSchema(Utf8JsonWriter schema) => schema.WriteString("type", "boolean");
}
