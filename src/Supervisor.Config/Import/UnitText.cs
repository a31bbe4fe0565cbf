using System.Text;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>
/// The text of a systemd unit, systemd.syntax(7) and src/shared/conf-parser.c: sections in brackets, <c>Key=value</c>, comments
/// after <c>#</c> or <c>;</c> at the beginning of a line, and an odd number of backslashes at a line's end, which continues it
/// (comments in between are skipped).
/// </summary>
internal static class UnitText
{
    /// <summary>Reads the sections. A line that systemd ignores with a warning is reported.</summary>
    public static List<SourceSection> Read(ConfigSource source, DraftDifferences differences)
    {
        var sections = new List<SourceSection>();
        foreach (var (number, line) in Joined(source.Text.Split('\n')))
        {
            if (line[0] == '[')
            {
                if (!line.EndsWith(']') || line.Length < 3)
                {
                    throw new ImportException(source.Path, number, $"{Quoted.Text(line)} is not a section", "write it as [NAME]");
                }

                sections.Add(new SourceSection(source.Path, number, line[1..^1]));
                continue;
            }

            var equals = line.IndexOf('=', StringComparison.Ordinal);
            var key = equals > 0 ? line[..equals].TrimEnd() : line;
            var value = equals > 0 ? line[(equals + 1)..].TrimStart() : "";
            var setting = new SourceSetting(source.Path, number, sections.Count > 0 ? sections[^1].Name : "", key, value);
            if (equals > 0 && sections.Count > 0)
            {
                sections[^1].Add(setting);
            }
            else
            {
                differences.Add(setting, SystemdReasons.Ignored);
            }
        }

        return sections;
    }

    /// <summary>Lines that are neither empty nor comments, with the number of their first line; continuations are joined.</summary>
    private static IEnumerable<(int Number, string Line)> Joined(string[] lines)
    {
        var joined = new StringBuilder();
        var start = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].TrimEnd('\r').TrimStart();
            if (line is ['#' or ';', ..])
            {
                continue;
            }

            start = joined.Length == 0 ? i + 1 : start;
            if (Continues(line))
            {
                joined.Append(line.AsSpan(0, line.Length - 1)).Append(' ');
                continue;
            }

            if (joined.Append(line).ToString().Trim() is { Length: > 0 } whole)
            {
                yield return (start, whole);
            }

            joined.Clear();
        }

        if (joined.ToString().Trim() is { Length: > 0 } last)
        {
            yield return (start, last);
        }
    }

    private static bool Continues(string line)
    {
        var backslashes = 0;
        while (backslashes < line.Length && line[^(backslashes + 1)] == '\\')
        {
            backslashes++;
        }

        return backslashes % 2 == 1;
    }
}
