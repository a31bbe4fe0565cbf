using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>
/// The variables of a program of supervisord.conf: those of [supervisord] and its own, <c>KEY="value",KEY2=value</c>. The settings of a
/// program can name them, as <c>%(ENV_KEY)s</c>. A variable whose value depends on one of the daemon is set in the command.
/// </summary>
internal sealed class SupervisordEnvironment
{
    private readonly OrderedDictionary<string, (string Text, SourceSetting Origin)> _variables = new(StringComparer.Ordinal);

    /// <param name="common">The environment of [supervisord]; null without one.</param>
    /// <param name="own">The environment of the program; null without one.</param>
    /// <param name="lost">Gets what cannot be read.</param>
    public SupervisordEnvironment(SourceSetting? common, SourceSetting? own, Action<SourceSetting, string> lost)
    {
        foreach (var setting in new[] { common, own }.OfType<SourceSetting>())
        {
            // A value can name the variables of [supervisord], but not those next to it.
            foreach (var (key, text) in Assignments(setting, lost).Select(one => (one.Key, Substitute(one.Value))).ToList())
            {
                _variables[key] = (text, setting);
            }
        }
    }

    /// <summary>Replaces the names of these variables by their values, in which expressions can remain.</summary>
    public string Substitute(string text)
    {
        const string begin = "%(ENV_";
        const string end = ")s";
        for (var at = 0; (at = text.IndexOf(begin, at, StringComparison.Ordinal)) >= 0;)
        {
            var close = text.IndexOf(end, at, StringComparison.Ordinal);
            if (close > 0 && !IsEscaped(text, at) && _variables.TryGetValue(text[(at + begin.Length)..close], out var known))
            {
                text = text[..at] + known.Text + text[(close + end.Length)..];
                at += known.Text.Length;
            }
            else
            {
                at += begin.Length;
            }
        }

        return text;
    }

    /// <summary>The variables that the command has to set, with texts that can be expanded only there.</summary>
    public IEnumerable<(string Name, string Text)> OfCommand(SupervisordExpansion expansion) => _variables
        .Where(one => expansion.Expand(one.Value.Text, out _) is null && IsForCommand(one.Key, one.Value.Text, expansion))
        .Select(one => (one.Key, one.Value.Text));

    /// <summary>Writes the other variables into the service.</summary>
    public void Write(DraftSection service, SupervisordExpansion expansion)
    {
        foreach (var (name, (text, origin)) in _variables)
        {
            if (expansion.Expand(text, out var reason) is { } value)
            {
                service.Set($"environment.{TomlLiteral.Key(name)}", TomlLiteral.Of(value), origin);
            }
            else if (!IsForCommand(name, text, expansion))
            {
                service.Lost(origin, reason);
            }
        }
    }

    private static bool IsForCommand(string name, string text, SupervisordExpansion expansion) =>
        SystemdVariables.IsName(name) && expansion.TryExpand(text, _ => { }, _ => { }, _ => { }, out _);

    private static bool IsEscaped(string text, int at)
    {
        var percents = 0;
        while (percents < at && text[at - percents - 1] == '%')
        {
            percents++;
        }

        return percents % 2 == 1;
    }

    private static IEnumerable<(string Key, string Value)> Assignments(SourceSetting setting, Action<SourceSetting, string> lost)
    {
        var text = setting.Value;
        var at = 0;
        while (at < text.Length)
        {
            var equals = text.IndexOf('=', at);
            if (equals < 0)
            {
                if (text[at..].Trim(',', ' ', '\n', '\t').Length > 0)
                {
                    lost(setting, $"{Quoted.Text(text[at..])} is not KEY=\"value\"");
                }

                yield break;
            }

            var key = text[at..equals].Trim(',', ' ', '\n', '\t');
            at = equals + 1;
            while (at < text.Length && text[at] is ' ' or '\t')
            {
                at++;
            }

            if (at < text.Length && text[at] is '"' or '\'')
            {
                var end = text.IndexOf(text[at], at + 1);
                end = end < 0 ? text.Length : end;

                // supervisord removes quotes of both kinds from the ends.
                yield return (key, text[(at + 1)..end].Trim('\'', '"'));
                at = Math.Min(end + 1, text.Length);
            }
            else
            {
                var end = text.IndexOfAny([',', '\n'], at);
                end = end < 0 ? text.Length : end;
                yield return (key, text[at..end].Trim());
                at = end;
            }
        }
    }
}
