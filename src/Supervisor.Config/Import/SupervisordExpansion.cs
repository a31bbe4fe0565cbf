using System.Globalization;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>supervisord's <c>%(name)s</c> expressions, which are Python's string formatting, for one process of a program.</summary>
/// <param name="Values">The known names with their values.</param>
internal sealed record SupervisordExpansion(IReadOnlyDictionary<string, string> Values)
{
    private const string UnquotedPrefix = "UNQUOTED_ENV_";

    /// <summary>
    /// Expands the text piece by piece: literal text, and the names of the daemon's variables (<c>%(ENV_X)s</c>), without quotes
    /// around them if <see cref="Unquoted"/> has marked them. False with the reason if the value of an expression is unknown.
    /// </summary>
    public bool TryExpand(string text, Action<string> literal, Action<string> variable, Action<string> unquoted, out string reason)
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
            else if (name.StartsWith(UnquotedPrefix, StringComparison.Ordinal) && format.Length == 0)
            {
                unquoted(name[UnquotedPrefix.Length..]);
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

    /// <summary>
    /// A command whose variables outside of quotes are marked. supervisord expands a command and then splits it: a variable outside
    /// of quotes can become several words.
    /// </summary>
    public static string Unquoted(string command)
    {
        var marked = new System.Text.StringBuilder(command.Length);
        var quote = '\0';
        for (var i = 0; i < command.Length; i++)
        {
            var c = command[i];
            if (command.AsSpan(i).StartsWith("%%"))
            {
                marked.Append("%%");
                i++;
                continue;
            }

            if (quote == '\0' && command.AsSpan(i).StartsWith("%(ENV_"))
            {
                marked.Append("%(" + UnquotedPrefix);
                i += "%(ENV_".Length - 1;
                continue;
            }

            if (c == '\\' && quote != '\'' && i + 1 < command.Length)
            {
                marked.Append(c);
                c = command[++i];
            }
            else if (c is '"' or '\'' && (quote == '\0' || quote == c))
            {
                quote = quote == '\0' ? c : '\0';
            }

            marked.Append(c);
        }

        return marked.ToString();
    }

    /// <summary>Expands a text other than a command; null if it names a variable of the daemon, or an unknown expression.</summary>
    public string? Expand(string text, out string reason)
    {
        var expanded = new System.Text.StringBuilder();
        string? asked = null;
        if (!TryExpand(text, piece => expanded.Append(piece), name => asked = name, name => asked = name, out reason))
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
