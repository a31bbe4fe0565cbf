using System.Globalization;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>supervisord's <c>%(name)s</c> expressions, which are Python's string formatting, for one process of a program.</summary>
/// <param name="Values">The known names with their values.</param>
internal sealed record SupervisordExpansion(IReadOnlyDictionary<string, string> Values)
{
    /// <summary>
    /// Expands the text piece by piece: literal text, and the names of the daemon's variables (<c>%(ENV_X)s</c>). False
    /// with the reason if the value of an expression is unknown.
    /// </summary>
    public bool TryExpand(string text, Action<string> literal, Action<string> variable, out string reason)
    {
        reason = "";
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%' || i + 1 == text.Length)
            {
                literal(text[i].ToString());
                continue;
            }

            if (text[i + 1] == '%')
            {
                literal("%");
                i++;
                continue;
            }

            var end = text[i + 1] == '(' ? text.IndexOf(')', i) : -1;
            var letter = end < 0 ? -1 : text.AsSpan(end + 1).IndexOfAny('s', 'd') is var at and >= 0 ? end + 1 + at : -1;
            if (letter < 0 || !text[(end + 1)..letter].All(c => char.IsAsciiDigit(c) || c == '-'))
            {
                reason = $"{Quoted.Text(text[i..])} does not begin with an expression such as %(program_name)s";
                return false;
            }

            var name = text[(i + 2)..end];
            var format = text[(end + 1)..letter];
            if (name.StartsWith("ENV_", StringComparison.Ordinal) && format.Length == 0)
            {
                variable(name["ENV_".Length..]);
            }
            else if (!Values.TryGetValue(name, out var value))
            {
                reason = $"%({name})s is known only on the machine: write its value";
                return false;
            }
            else
            {
                literal(Pad(value, format));
            }

            i = letter;
        }

        return true;
    }

    /// <summary>Expands a text other than a command; null if it names a variable of the daemon, or an unknown expression.</summary>
    public string? Expand(string text, out string reason)
    {
        var expanded = new System.Text.StringBuilder();
        string? asked = null;
        if (!TryExpand(text, piece => expanded.Append(piece), name => asked = name, out reason))
        {
            return null;
        }

        reason = asked is null ? "" : $"%(ENV_{asked})s: listend expands no variables in this setting: write the value";
        return asked is null ? expanded.ToString() : null;
    }

    private static string Pad(string value, string format)
    {
        var isLeft = format.StartsWith('-');
        var width = int.TryParse(format.AsSpan(isLeft ? 1 : 0), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? Math.Min(number, 100)
            : 0;
        return isLeft ? value.PadRight(width) : value.PadLeft(width, format.StartsWith('0') ? '0' : ' ');
    }
}
