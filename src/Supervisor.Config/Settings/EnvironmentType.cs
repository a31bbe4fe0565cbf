using System.Collections.Immutable;
using System.Text.Json;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Toml;
using Supervisor.Core.Protocols;

namespace Supervisor.Config.Settings;

/// <summary>A table of environment variables, except those that the daemon sets for its workers.</summary>
internal sealed class EnvironmentType() : SettingType<ImmutableSortedDictionary<string, string>>(
    "a table of strings", "names without \"=\", except LISTEN_*, LISTEND_*, WATCHDOG_* and NOTIFY_SOCKET", "{ MODE = \"production\" }")
{
    private readonly TextType<string> _value =
        new("a string", "without NUL", "production", static (text, _) => text) { AllowsNewline = true };

    public override bool TryRead(TomlNode node, ReadContext context, out ImmutableSortedDictionary<string, string> value)
    {
        var variables = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        value = variables.ToImmutable();
        if (node.Kind != TomlNodeKind.Table)
        {
            return FailKind(node, context);
        }

        var good = true;
        foreach (var entry in node.Entries)
        {
            var inner = context.At(entry.Key);
            if (CheckName(entry.Key) is { } fault)
            {
                inner.Report.Add(entry.Position, inner.Path, fault.Message, fault.Remedy);
                good = false;
            }
            else if (_value.TryRead(entry.Value, inner, out var text))
            {
                variables[entry.Key] = text;
            }
            else
            {
                good = false;
            }
        }

        value = variables.ToImmutable();
        return good;
    }

    private static ValueError? CheckName(string name)
    {
        if (name.Length == 0 || name.AsSpan().IndexOfAny('=', '\0', '\n') >= 0)
        {
            return new ValueError(
                $"{Quoted.Text(name)} is not a variable name: it is empty or contains \"=\", a line break or NUL",
                "write a name such as MODE");
        }

        return SupervisorVariables.IsOwn(name)
            ? new ValueError($"{name} is reserved: the daemon sets it for its workers", "remove it or give it another name")
            : null;
    }

    internal override void WriteSchema(Utf8JsonWriter schema)
    {
        schema.WriteString("type", "object");
        schema.WriteStartObject("propertyNames");
        schema.WriteString("pattern", "^(?!LISTEN_|LISTEND_|WATCHDOG_|NOTIFY_SOCKET$)[^=]+$");
        schema.WriteEndObject();
        schema.WriteStartObject("additionalProperties");
        schema.WriteString("type", "string");
        schema.WriteEndObject();
    }
}
