using System.Text;

namespace Supervisor.Config.Import;

/// <summary>Limits the lines of a value in TOML: a long string becomes a multi-line string, whose lines end with a backslash.</summary>
internal static class TomlLines
{
    private const int MaxLine = CommentText.MaxLine;
    private const int BreakAfter = 100;
    private const int MaxSegment = 120;
    private const string Indent = "    ";

    /// <summary>The same value with lines that are not too long.</summary>
    /// <param name="literal">A value as <see cref="TomlLiteral"/> writes it.</param>
    /// <param name="before">How many characters stand before it on its first line.</param>
    public static string Fold(string literal, int before)
    {
        var lines = literal.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].Length + (i == 0 ? before : 0) > MaxLine)
            {
                lines[i] = FoldStrings(lines[i]);
            }
        }

        return string.Join('\n', lines);
    }

    private static string FoldStrings(string line)
    {
        var folded = new StringBuilder();
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] != '"')
            {
                folded.Append(line[i]);
                continue;
            }

            var end = i + 1;
            while (line[end] != '"')
            {
                end += line[end] == '\\' ? 2 : 1;
            }

            AddString(folded, line[(i + 1)..end]);
            i = end;
        }

        return folded.ToString();
    }

    /// <summary>A line ends after a space if it can. A new line begins with something that the backslash does not remove.</summary>
    private static void AddString(StringBuilder folded, string content)
    {
        if (content.Length < MaxSegment)
        {
            folded.Append('"').Append(content).Append('"');
            return;
        }

        folded.Append("\"\"\"");
        var length = MaxSegment;
        var previous = '\0';
        for (var i = 0; i < content.Length;)
        {
            var taken = UnitLength(content, i);
            var unit = content.AsSpan(i, taken);
            if (length >= MaxSegment || (length >= BreakAfter && previous == ' ' && unit is not " "))
            {
                // A space after the break would be removed.
                unit = unit is " " ? "\\u0020" : unit;
                folded.Append("\\\n").Append(Indent);
                length = 0;
            }

            folded.Append(unit);
            previous = unit[0];
            length += unit.Length;
            i += taken;
        }

        folded.Append("\"\"\"");
    }

    /// <summary>The length of an escape sequence or a character, which no line may divide.</summary>
    private static int UnitLength(string content, int at) => content[at] switch
    {
        '\\' when content[at + 1] == 'u' => 6,
        '\\' when content[at + 1] == 'U' => 10,
        '\\' => 2,
        var high when char.IsHighSurrogate(high) => 2,
        _ => 1,
    };
}
