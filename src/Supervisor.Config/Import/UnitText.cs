using System.Text;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>
/// The text of a systemd unit, systemd.syntax(7): sections in brackets, <c>Key=value</c>, comments after <c>#</c> or
/// <c>;</c> at the beginning of a line, and a backslash at a line's end that continues it (comments in between are skipped).
/// </summary>
internal static class UnitText
{
    public static List<SourceSection> Read(ConfigSource source)
    {
        var sections = new List<SourceSection>();
        var lines = source.Text.TrimStart('\uFEFF').Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var start = i;
            var line = lines[i].Trim();
            if (line.Length == 0 || line[0] is '#' or ';')
            {
                continue;
            }

            var joined = new StringBuilder();
            while (line.EndsWith('\\') && i + 1 < lines.Length)
            {
                joined.Append(line.AsSpan(0, line.Length - 1)).Append(' ');
                do
                {
                    i++;
                    line = lines[i].Trim();
                }
                while (line.Length > 0 && line[0] is '#' or ';' && i + 1 < lines.Length);
            }

            line = joined.Append(line).ToString();
            if (line[0] == '[')
            {
                if (!line.EndsWith(']') || line.Length < 3)
                {
                    throw new ImportException(source.Path, start + 1, $"{Quoted.Text(line)} is not a section", "write it as [NAME]");
                }

                sections.Add(new SourceSection(source.Path, start + 1, line[1..^1]));
                continue;
            }

            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || sections.Count == 0)
            {
                throw new ImportException(
                    source.Path, start + 1, $"{Quoted.Text(line)} is not a setting{(sections.Count == 0 ? " of a section" : "")}",
                    "write it as Key=value below a [SECTION]");
            }

            var section = sections[^1];
            var key = line[..equals].TrimEnd();
            section.Settings.Add(new SourceSetting(source.Path, start + 1, section.Name, key, line[(equals + 1)..].TrimStart()));
        }

        return sections;
    }
}
