using System.Text;

namespace Supervisor.Config.Import;

/// <summary>Writes text as comments of TOML: limited lines, without the control characters that TOML forbids.</summary>
internal static class CommentText
{
    /// <summary>The longest line, in characters.</summary>
    public const int MaxLine = 140;

    /// <summary>A space at which no line ends. Not part of any text of a reader.</summary>
    public const char Glue = '\u0001';

    private const int MaxValue = 100;
    private const string FurtherIndent = "  ";

    /// <summary>A value of another program, cut if it is long.</summary>
    public static string Value(string text)
    {
        if (text.Length <= MaxValue)
        {
            return text;
        }

        var length = char.IsHighSurrogate(text[MaxValue - 1]) ? MaxValue - 1 : MaxValue;
        return text[..length] + "...";
    }

    /// <summary>The text as comment lines. A line that is too long continues with a deeper indent.</summary>
    public static IEnumerable<string> Lines(string text, string indent = "")
    {
        var clean = Clean(text);
        var prefix = "# " + indent;
        var start = 0;
        while (prefix.Length + clean.Length - start > MaxLine)
        {
            var end = Break(clean, start, MaxLine - prefix.Length);
            yield return prefix + Spaced(clean[start..end]).TrimEnd();
            start = end;
            while (start < clean.Length && clean[start] == ' ')
            {
                start++;
            }

            prefix = "# " + indent + FurtherIndent;
        }

        yield return (prefix + Spaced(clean[start..])).TrimEnd();
    }

    /// <summary>The text with spaces for <see cref="Glue"/>.</summary>
    public static string Spaced(string text) => text.Replace(Glue, ' ');

    /// <summary>Where a line ends: at its last space, or after as many characters as it has room for.</summary>
    private static int Break(string text, int start, int room)
    {
        var space = text.LastIndexOf(' ', start + room, room);
        if (space > start)
        {
            return space;
        }

        return char.IsHighSurrogate(text[start + room - 1]) ? start + room - 1 : start + room;
    }

    /// <summary>The text on one line. A character that TOML forbids becomes a space.</summary>
    private static string Clean(string text)
    {
        var clean = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            clean.Append(rune.Value != Glue && (Rune.IsControl(rune) || rune == Rune.ReplacementChar) ? " " : rune.ToString());
        }

        return clean.ToString().Trim();
    }
}
