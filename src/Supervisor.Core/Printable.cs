using System.Globalization;
using System.Text;

namespace Supervisor.Core;

/// <summary>
/// Makes text from outside (a process's name, a worker's output, a path, a Host header) safe for terminals and one-line logs.
/// An escape code would act on the reader's terminal, and a line break would forge a log line. A character that changes the
/// order of others (U+202E) or has no width would make a line look like another one.
/// </summary>
/// <remarks>
/// It escapes the Unicode categories Cc (C0, DEL, C1), Cf (bidirectional and zero-width format characters, tags), Zl and Zp
/// (U+2028, U+2029), and unpaired surrogates: <c>\n</c>, <c>\r</c>, <c>\t</c>, else <c>\x1B</c>, <c>\u202E</c>,
/// <c>\U000E0001</c>. A byte that is not UTF-8 (U+10FFNN, Supervisor.Native's ByteText) becomes <c>\xNN</c>. Backslashes in the
/// text stay unchanged.
/// </remarks>
public static class Printable
{
    /// <summary>The first character that stands for a byte.</summary>
    private const int FirstByte = 0x10FF80;

    /// <summary>For a terminal: line breaks and tabs become spaces; with <paramref name="keepLines"/> line breaks stay.</summary>
    public static string Of(string text, bool keepLines = false) => Escape(text, keepLines ? '\n' : ' ', ' ');

    /// <summary>For one line of a log: line breaks and tabs are escaped too.</summary>
    public static string Line(string text) => Escape(text, null, null);

    private static string Escape(string text, char? lineBreak, char? tab)
    {
        var first = text.AsSpan().IndexOfAnyExceptInRange(' ', '~');
        if (first < 0)
        {
            return text;
        }

        var escaped = new StringBuilder(text.Length + 16).Append(text, 0, first);
        for (var at = first; at < text.Length;)
        {
            if (!Rune.TryGetRuneAt(text, at, out var rune))
            {
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[at++]:X4}");
                continue;
            }

            switch (rune.Value)
            {
                case '\n':
                    _ = lineBreak is { } broken ? escaped.Append(broken) : escaped.Append("\\n");
                    break;
                case '\t':
                    _ = tab is { } tabbed ? escaped.Append(tabbed) : escaped.Append("\\t");
                    break;
                case '\r':
                    escaped.Append("\\r");
                    break;
                case >= FirstByte and var value:
                    escaped.Append(CultureInfo.InvariantCulture, $"\\x{value & 0xFF:X2}");
                    break;
                case not (< 0x20) when !IsHidden(rune):
                    escaped.Append(text, at, rune.Utf16SequenceLength);
                    break;
                case < 0x100 and var value:
                    escaped.Append(CultureInfo.InvariantCulture, $"\\x{value:X2}");
                    break;
                case <= 0xFFFF and var value:
                    escaped.Append(CultureInfo.InvariantCulture, $"\\u{value:X4}");
                    break;
                case var value:
                    escaped.Append(CultureInfo.InvariantCulture, $"\\U{value:X8}");
                    break;
            }

            at += rune.Utf16SequenceLength;
        }

        return escaped.ToString();
    }

    private static bool IsHidden(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
