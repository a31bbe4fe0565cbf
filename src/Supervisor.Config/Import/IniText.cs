using System.Text;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>
/// The INI dialect of Python's configparser, in which supervisord and Circus are configured: <c>key = value</c> or
/// <c>key: value</c>, comments after <c>#</c> or <c>;</c> at the beginning of a line, or after a blank and
/// <c>;</c> inside a line, and indented lines that continue a value. Circus doubles a percent sign in a value; for supervisord
/// that is a matter of the setting.
/// </summary>
internal static class IniText
{
    /// <param name="source">The file.</param>
    /// <param name="hasInlineHash">Whether a comment inside a line can also begin with <c>#</c>.</param>
    /// <param name="doublesPercent">Whether <c>%%</c> in a value is one percent sign.</param>
    public static List<SourceSection> Read(ConfigSource source, bool hasInlineHash, bool doublesPercent)
    {
        var sections = new List<SourceSection>();
        var number = 0;
        var keyIndent = 0;
        (int Line, string Key, StringBuilder Value)? setting = null;
        foreach (var raw in source.Text.Split('\n'))
        {
            number++;
            var line = WithoutComment(raw.TrimEnd(), hasInlineHash);
            var text = line.Trim();
            if (text.Length == 0)
            {
                continue;
            }

            var indent = line.Length - line.TrimStart().Length;
            if (indent > keyIndent && setting is { Value: var value })
            {
                value.Append(value.Length == 0 ? "" : "\n").Append(text);
                continue;
            }

            Complete();
            if (text[0] == '[' && text.IndexOf(']', StringComparison.Ordinal) is var end and > 1)
            {
                sections.Add(new SourceSection(source.Path, number, text[1..end]));
                keyIndent = 0;
                continue;
            }

            var separator = text.IndexOfAny(['=', ':']);
            if (separator <= 0 || sections.Count == 0)
            {
                throw new ImportException(
                    source.Path, number, $"{Quoted.Text(text)} is not a setting{(sections.Count == 0 ? " of a section" : "")}",
                    "write it as key = value below a [section]");
            }

            keyIndent = indent;
            setting = (number, text[..separator].TrimEnd(), new StringBuilder(text[(separator + 1)..].TrimStart()));
        }

        Complete();
        return sections;

        // Adds the setting when all of its lines are known.
        void Complete()
        {
            if (setting is var (line, key, value))
            {
                var section = sections[^1];
                var name = key.ToLowerInvariant();
                var text = doublesPercent ? value.Replace("%%", "%").ToString() : value.ToString();
                section.Add(new SourceSetting(source.Path, line, section.Name, name, text) { Spelling = key });
                setting = null;
            }
        }
    }

    private static string WithoutComment(string line, bool hasInlineHash)
    {
        if (line.TrimStart() is ['#' or ';', ..])
        {
            return "";
        }

        for (var i = 1; i < line.Length; i++)
        {
            if (char.IsWhiteSpace(line[i - 1]) && (line[i] == ';' || (hasInlineHash && line[i] == '#')))
            {
                return line[..(i - 1)].TrimEnd();
            }
        }

        return line;
    }
}
