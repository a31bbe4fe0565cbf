using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>Environment variables of supervisord.conf: <c>KEY="value",KEY2=value</c>, also over several lines.</summary>
internal static class SupervisordEnvironment
{
    /// <summary>Sets each variable of a setting, or reports why it has no equivalent.</summary>
    public static void Translate(DraftSection service, SourceSetting setting, SupervisordExpansion expansion)
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
                    service.Lost(setting, $"{Quoted.Text(text[at..])} is not KEY=\"value\"");
                }

                return;
            }

            var key = text[at..equals].Trim(',', ' ', '\n', '\t');
            at = equals + 1;
            while (at < text.Length && text[at] is ' ' or '\t')
            {
                at++;
            }

            string value;
            if (at < text.Length && text[at] is '"' or '\'')
            {
                var end = text.IndexOf(text[at], at + 1);
                end = end < 0 ? text.Length : end;
                value = text[(at + 1)..end];
                at = Math.Min(end + 1, text.Length);
            }
            else
            {
                var end = text.IndexOfAny([',', '\n'], at);
                end = end < 0 ? text.Length : end;
                value = text[at..end].Trim();
                at = end;
            }

            if (expansion.Expand(value, out var reason) is { } expanded)
            {
                service.Set($"environment.{TomlLiteral.Key(key)}", TomlLiteral.Of(expanded), setting);
            }
            else
            {
                service.Lost(setting, reason);
            }
        }
    }
}
