using System.Globalization;
using System.Text;
using Supervisor.Core;

namespace Supervisor.Config.Import;

/// <summary>Writes values in TOML.</summary>
internal static class TomlLiteral
{
    private const int MaxArrayLine = 110;

    public static string Of(bool value) => value ? "true" : "false";

    public static string Of(long value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Of(TimeSpan value) => $"\"{Duration.Format(value)}\"";

    /// <summary>An array. What has no room on a line continues on the next ones.</summary>
    public static string Of(IEnumerable<string> values)
    {
        var text = new StringBuilder("[");
        var length = 0;
        var isLong = false;
        foreach (var literal in values.Select(Of))
        {
            if (length + literal.Length > MaxArrayLine && length > 0)
            {
                text.Append(",\n    ");
                isLong = true;
                length = 0;
            }
            else if (length > 0)
            {
                text.Append(", ");
            }

            text.Append(literal);
            length += literal.Length + 2;
        }

        return text.Append(isLong ? ",\n]" : "]").ToString();
    }

    /// <summary>A basic string.</summary>
    public static string Of(string value)
    {
        var text = new StringBuilder("\"");

        // By runes: half a surrogate pair becomes U+FFFD, because UTF-8 cannot encode it.
        foreach (var rune in value.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '"' or '\\' => text.Append('\\').Append((char)rune.Value),
                '\n' => text.Append("\\n"),
                '\t' => text.Append("\\t"),
                _ when Rune.IsControl(rune) || rune == Rune.ReplacementChar =>
                    text.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}"),
                _ => text.Append(rune.ToString()),
            };
        }

        return text.Append('"').ToString();
    }

    /// <summary>A key: bare if TOML permits it.</summary>
    public static string Key(string key) => key.Length > 0 && key.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-') ? key : Of(key);
}
