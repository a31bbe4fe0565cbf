using System.Text.Json;
using Supervisor.Config.Toml;

namespace Supervisor.Config.Settings;

/// <summary>The type of a setting's value: how it is written, read and described.</summary>
public abstract class SettingType
{
    private protected SettingType(string name, string range, string example)
    {
        Name = name;
        Range = range;
        Example = example;
    }

    /// <summary>The type with its article, such as "a duration".</summary>
    public string Name { get; }

    /// <summary>Which values are allowed, such as "0s to 1000h".</summary>
    public string Range { get; }

    /// <summary>A value in TOML.</summary>
    public string Example { get; }

    /// <summary>Writes the members of a JSON Schema that describe the value.</summary>
    internal abstract void WriteSchema(Utf8JsonWriter schema);
}

/// <summary>A type whose values are read as <typeparamref name="T"/>.</summary>
internal abstract class SettingType<T>(string name, string range, string example) : SettingType(name, range, example)
{
    /// <summary>Reads a value; false after the error has been reported.</summary>
    public abstract bool TryRead(TomlNode node, ReadContext context, out T value);

    /// <summary>Reports a value of another TOML type.</summary>
    protected bool FailKind(TomlNode node, ReadContext context, string? remedy = null) => node.Kind == TomlNodeKind.Broken
        ? context.Fail(node, "the value cannot be read", $"write {Name}, such as {Example}")
        : context.Fail(
            node,
            node.Shown is { } shown
                ? $"{shown} is {node.KindName}, and this setting takes {Name} ({Range})"
                : $"the value is {node.KindName}, and this setting takes {Name} ({Range})",
            remedy ?? $"write {Name}, such as {Example}");
}
