using System.Text.RegularExpressions;
using Supervisor.Config.Diagnostics;
using Tomlyn;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace Supervisor.Config.Toml;

/// <summary>
/// Continues after syntax errors, with one message for each mistake. Tomlyn continues inside the statement that it did not
/// understand, and reports errors in correct text: after a missing quote, every line break is "in a string". Therefore only
/// its first error counts. The reader blanks its statement (lines and columns stay) and parses the text again.
/// </summary>
internal sealed partial class SyntaxReader
{
    /// <summary>The minimum number of characters to parse in search of further errors. A large file is parsed only a few times.</summary>
    private const long LeastBudget = 2_000_000;

    /// <summary>The number of statements to try as the one in which an error begins.</summary>
    private const int MostStarts = 16;

    /// <summary>Tomlyn's limit, TomlSerializerOptions.MaxDepth.</summary>
    private const int MaxDepth = 64;

    /// <summary>A key: parts that are bare or in quotes, with dots between them.</summary>
    private const string Key =
        """(?<key>(?>[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')(?:[ \t]*\.[ \t]*(?>[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*'))*)""";

    private readonly string _file;
    private readonly DiagnosticList _report;
    private readonly Dictionary<int, string> _huge = [];
    private string _text;
    private long _budget;

    public SyntaxReader(string text, string file, DiagnosticList report)
    {
        _file = file;
        _report = report;
        _text = text;
        _budget = LeastBudget + (4L * text.Length);
    }

    /// <summary>The text without its errors.</summary>
    public string Text => _text;

    /// <summary>The digits of an integer that is too large for any setting, by its offset. The syntax has 1 instead.</summary>
    public string? HugeIntegerAt(int offset) => _huge.GetValueOrDefault(offset);

    /// <summary>Parses the text and reports its errors. The result does not contain the statements with errors.</summary>
    public DocumentSyntax Read()
    {
        while (true)
        {
            var error = FirstError(_text, out var syntax);
            if (error is null)
            {
                return syntax!;
            }

            if (error.Integer is { } digits && digits.Length > 0)
            {
                _huge[error.Offset] = digits;
                _text = string.Concat(
                    _text.AsSpan(0, error.Offset), "1", new string(' ', digits.Length - 1), _text.AsSpan(error.Offset + digits.Length));
                continue;
            }

            var start = Start(error);
            var isHopeless = start < 0 || _budget <= 0;
            start = Math.Max(start, 0);
            var at = LineStart(_text, error.Offset);
            isHopeless |= at != start && NextLine(at) >= _text.Length && !_text.AsSpan(NextLine(start)).IsWhiteSpace();
            var (message, remedy, offset) = SyntaxErrorText.For(_text, error, start);
            var setting = Setting(start);
            _report.AddSyntax(PositionOf(offset), setting, isHopeless ? message + "; the text after it was skipped" : message, remedy);
            if (isHopeless)
            {
                _text = Blank(start, _text.Length);
                if (FirstError(_text, out syntax) is not null)
                {
                    _text = "";
                    _ = FirstError(_text, out syntax);
                }

                return syntax!;
            }

            _text = Without(start, at);
        }
    }

    /// <summary>The offset at which the line of an offset begins.</summary>
    internal static int LineStart(string text, int offset) =>
        offset <= 0 ? 0 : text.LastIndexOf('\n', Math.Min(offset, text.Length) - 1) + 1;

    /// <summary>The line that begins at an offset, without its end.</summary>
    internal static ReadOnlySpan<char> Line(string text, int start)
    {
        var end = text.IndexOf('\n', start);
        return text.AsSpan(start, (end < 0 ? text.Length : end) - start).TrimEnd('\r');
    }

    [GeneratedRegex("""^[ \t]*""" + Key + """[ \t]*=""", RegexOptions.CultureInvariant)]
    internal static partial Regex Statement();

    [GeneratedRegex("""^[ \t]*\[\[?[ \t]*""" + Key + """[ \t]*(?<close>\]?)""", RegexOptions.CultureInvariant)]
    internal static partial Regex Header();

    /// <summary>Whether a statement may begin with that line: a header, or a key and its "=".</summary>
    internal static bool MayBegin(ReadOnlySpan<char> line) => Statement().IsMatch(line) || IsHeader(line);

    /// <summary>The section that an invalid header means: its bracket is missing or text follows it; null if unknown.</summary>
    internal static string? MeantHeader(string line) =>
        Header().Match(line) is { Success: true } header
            && (header.Groups["close"].Length > 0 || line[header.Length..].Trim().Length == 0)
            ? header.Groups["key"].Value
            : null;

    private static bool IsHeader(ReadOnlySpan<char> line) => Header().IsMatch(line) && !line.TrimEnd().EndsWith(",");

    private SyntaxFault? FirstError(string text, out DocumentSyntax? syntax)
    {
        _budget -= text.Length;
        try
        {
            syntax = SyntaxParser.Parse(text, _file, validate: false);
        }
        catch (TomlException)
        {
            // Tomlyn throws for nesting beyond its limit, without a position.
            syntax = null;
            return new SyntaxFault(DeepestOffset(text), "", null, IsTooDeep: true);
        }

        var first = syntax.Diagnostics.MinBy(diagnostic => diagnostic.Span.Start.Offset);
        if (first is null)
        {
            return null;
        }

        var offset = Math.Clamp(first.Span.Start.Offset, 0, text.Length);
        var length = Math.Clamp(first.Span.End.Offset + 1 - offset, 0, text.Length - offset);
        return new SyntaxFault(
            offset, first.Message,
            first.Message.StartsWith("Unable to parse integer", StringComparison.Ordinal) ? text.Substring(offset, length) : null,
            IsTooDeep: false);
    }

    /// <summary>
    /// The offset of the statement with an error: the nearest line before which everything is complete. Negative if it is
    /// not among the lines that were tried.
    /// </summary>
    private int Start(SyntaxFault error)
    {
        var at = LineStart(_text, error.Offset);
        for (var (line, tries) = (at, 0); tries < MostStarts && _budget > 0; line = LineStart(_text, line - 1))
        {
            if (line == at || MayBegin(Line(_text, line)))
            {
                tries++;
                if (line == 0 || FirstError(_text[..line], out _) is null)
                {
                    return line;
                }
            }

            if (line == 0)
            {
                break;
            }
        }

        return -1;
    }

    /// <summary>
    /// The text without the statement that begins at <paramref name="start"/> and has an error in the line that begins at
    /// <paramref name="at"/>. An invalid header is repaired if its meaning is known, otherwise its section is removed.
    /// </summary>
    private string Without(int start, int at)
    {
        var first = Line(_text, start);
        var end = start == at || !MayBegin(Line(_text, at)) ? NextLine(at) : at;
        if (first.TrimStart().StartsWith("["))
        {
            var repaired = start == at && MeantHeader(first.ToString()) is { } meant
                ? string.Concat(_text.AsSpan(0, start), $"[{meant}]", _text.AsSpan(start + first.Length))
                : _text;
            return repaired != _text ? repaired : Blank(start, NextHeader(end));
        }

        // The rest of a value over several lines is not a statement.
        while (start != at && end < _text.Length && !MayBegin(Line(_text, end)))
        {
            end = NextLine(end);
        }

        return Blank(start, end);
    }

    private int NextHeader(int line)
    {
        while (line < _text.Length && !IsHeader(Line(_text, line)))
        {
            line = NextLine(line);
        }

        return line;
    }

    private int NextLine(int line)
    {
        var end = _text.IndexOf('\n', line);
        return end < 0 ? _text.Length : end + 1;
    }

    private string Blank(int start, int end) => string.Create(_text.Length, (_text, start, end), static (to, from) =>
    {
        from._text.CopyTo(to);
        foreach (ref var character in to[from.start..from.end])
        {
            character = character is '\n' ? '\n' : ' ';
        }
    });

    /// <summary>The path of the setting whose statement begins there, as far as it is known; null if unknown.</summary>
    private string? Setting(int start)
    {
        var line = Line(_text, start).ToString();
        if (line.TrimStart().StartsWith('['))
        {
            return MeantHeader(line) is null ? null : Path(Header().Match(line));
        }

        var key = Statement().Match(line) is { Success: true } statement ? Path(statement) : null;
        for (var above = start; above > 0;)
        {
            above = LineStart(_text, above - 1);
            if (Header().Match(Line(_text, above).ToString()) is { Success: true } header && header.Groups["close"].Length > 0)
            {
                return key is null ? Path(header) : $"{Path(header)}.{key}";
            }
        }

        return key;

        static string Path(Match match) =>
            string.Join('.', KeyPart().Matches(match.Groups["key"].Value).Select(part => part.Value.Trim('"', '\'')));
    }

    [GeneratedRegex("""[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*'""", RegexOptions.CultureInvariant)]
    private static partial Regex KeyPart();

    private SourcePosition PositionOf(int offset)
    {
        var start = LineStart(_text, offset);
        return new SourcePosition(_file, _text.AsSpan(0, start).Count('\n') + 1, offset - start + 1);
    }

    /// <summary>The offset of the first bracket or brace beyond Tomlyn's limit.</summary>
    private static int DeepestOffset(string text)
    {
        var depth = 0;
        var quote = '\0';
        for (var i = 0; i < text.Length; i++)
        {
            var character = text[i];
            if (quote != '\0')
            {
                i += character == '\\' && quote == '"' ? 1 : 0;
                quote = character == quote || character == '\n' ? '\0' : quote;
                continue;
            }

            switch (character)
            {
                case '"' or '\'':
                    quote = character;
                    break;
                case '#':
                    i = text.IndexOf('\n', i) is var end and >= 0 ? end : text.Length;
                    break;
                case '[' or '{':
                    if (++depth > MaxDepth)
                    {
                        return i;
                    }

                    break;
                case ']' or '}':
                    depth = Math.Max(0, depth - 1);
                    break;
                default:
                    break;
            }
        }

        return 0;
    }
}
