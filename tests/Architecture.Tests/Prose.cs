using System.Text.RegularExpressions;

namespace Supervisor.Architecture;

/// <summary>A sentence of a page, without markup; code and settings are the word "code".</summary>
/// <param name="Text">The sentence, on one line.</param>
/// <param name="InTable">Whether it is in a cell of a table, where a list may be separated by semicolons.</param>
internal sealed partial record Sentence(string Text, bool InTable)
{
    /// <summary>The number of its words.</summary>
    public int Words => Text.Split(' ').Count(word => word.Any(char.IsLetterOrDigit));

    /// <summary>The sentences of a Markdown page, without blocks of code.</summary>
    public static IEnumerable<Sentence> OfMarkdown(string page)
    {
        var text = Link().Replace(Image().Replace(Fence().Replace(page, "\n"), ""), "$1");
        return Part().Split(text).SelectMany(part => Row().IsMatch(part)
            ? part.Trim().Trim('|').Split('|').SelectMany(cell => Split(cell, inTable: true))
            : Split(Bullet().Replace(part, ""), inTable: false));
    }

    /// <summary>The sentences of a man page, without examples.</summary>
    public static IEnumerable<Sentence> OfManPage(string page)
    {
        var text = Example().Replace(page, "\n")
            .Replace("\\-", "-", StringComparison.Ordinal)
            .Replace("\\(aq", "'", StringComparison.Ordinal);
        return text.Split('\n')
            .Where(line => line.Length > 0 && line[0] is not ('.' or '\''))
            .SelectMany(line => Split(Bold().Replace(line, "code"), inTable: false));
    }

    private static IEnumerable<Sentence> Split(string text, bool inTable) => End()
        .Split(CodeList().Replace(Space().Replace(Code().Replace(text, "code"), " ").Trim(), "code"))
        .Where(sentence => sentence.Length > 0)
        .Select(sentence => new Sentence(sentence, inTable));

    [GeneratedRegex("^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex("""!\[[^\]]*\]\([^)]*\)""")]
    private static partial Regex Image();

    [GeneratedRegex("""\[([^\]]*)\]\([^)]*\)""")]
    private static partial Regex Link();

    // A blank line, or the beginning of a list's item, a heading or a row.
    [GeneratedRegex(@"\n\s*\n|^(?=\s*(?:[-*]|\d+\.) |#|\|)", RegexOptions.Multiline)]
    private static partial Regex Part();

    [GeneratedRegex(@"^\s*\|")]
    private static partial Regex Row();

    [GeneratedRegex(@"^\s*(?:[-*]|\d+\.|#+) ")]
    private static partial Regex Bullet();

    [GeneratedRegex(@"^\.EX$.*?^\.EE$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex(@"\\fB.*?\\fR")]
    private static partial Regex Bold();

    [GeneratedRegex("`[^`]*`")]
    private static partial Regex Code();

    // A list of settings is one word.
    [GeneratedRegex("code(?:,? code)+(?: (?:and|or) code)?")]
    private static partial Regex CodeList();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    [GeneratedRegex("""(?<=[.!?:])[)"*]*\s+""")]
    private static partial Regex End();
}
