using System.Text;

namespace Supervisor.Config.Import;

/// <summary>Splits a line into words as systemd does, systemd.syntax(7): quotes around a word or within it, C escapes.</summary>
internal static class SystemdWords
{
    /// <summary>The words; null if a quote is not closed.</summary>
    public static List<string>? Split(string text) => Commands(text, separator: null)?[0];

    /// <summary>The words of each command of an Exec*= setting, separated by ";" as a word; null if a quote is not closed.</summary>
    public static List<List<string>>? Commands(string text) => Commands(text, separator: ";");

    /// <summary>
    /// The words of a variable's value, as systemd splits <c>$NAME</c>: quotes join words, a backslash protects the next
    /// character, and a quote that is not closed ends with the text (EXTRACT_UNQUOTE and EXTRACT_RELAX).
    /// </summary>
    public static List<string> SplitValue(string value)
    {
        var words = new List<string>();
        StringBuilder? word = null;
        var quote = '\0';
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            if (quote == '\0' && char.IsWhiteSpace(c))
            {
                AddTo(words, ref word);
                continue;
            }

            word ??= new StringBuilder();
            if (c is '"' or '\'' && (quote == '\0' || quote == c))
            {
                quote = quote == '\0' ? c : '\0';
            }
            else
            {
                i += c == '\\' && i + 1 < value.Length ? 1 : 0;
                word.Append(value[i]);
            }
        }

        AddTo(words, ref word);
        return words;
    }

    private static List<List<string>>? Commands(string text, string? separator)
    {
        var commands = new List<List<string>> { new() };
        StringBuilder? word = null;
        var start = 0;
        var quote = '\0';
        for (var i = 0; i <= text.Length; i++)
        {
            if (i == text.Length || (quote == '\0' && char.IsWhiteSpace(text[i])))
            {
                var raw = text.AsSpan(start, i - start);
                if (word is not null && separator is not null && raw.SequenceEqual(separator))
                {
                    word = null;
                    commands.Add([]);
                }
                else if (word is not null && separator is not null && raw.SequenceEqual("\\" + separator))
                {
                    word = new StringBuilder(separator);
                }

                AddTo(commands[^1], ref word);
                start = i + 1;
                continue;
            }

            var c = text[i];
            word ??= new StringBuilder();
            if (c is '"' or '\'' && (quote == '\0' || quote == c))
            {
                quote = quote == '\0' ? c : '\0';
            }
            else if (c == '\\' && i + 1 < text.Length)
            {
                i = Escape(text, i + 1, word);
            }
            else
            {
                word.Append(c);
            }
        }

        return quote == '\0' ? commands : null;
    }

    private static void AddTo(List<string> words, ref StringBuilder? word)
    {
        if (word is not null)
        {
            words.Add(word.ToString());
            word = null;
        }
    }

    /// <summary>Reads the escape after a backslash; returns its end.</summary>
    private static int Escape(string text, int at, StringBuilder word)
    {
        const string letters = "abfnrtvs\\\"'";
        const string meanings = "\a\b\f\n\r\t\v \\\"'";
        var c = text[at];
        if (letters.IndexOf(c, StringComparison.Ordinal) is var index and >= 0)
        {
            word.Append(meanings[index]);
            return at;
        }

        var (digits, from) = c switch { 'x' => (2, 16), 'u' => (4, 16), 'U' => (8, 16), >= '0' and <= '7' => (3, 8), _ => (0, 0) };
        var start = from == 8 ? at : at + 1;
        if (digits > 0 && start + digits <= text.Length && text.Substring(start, digits) is var number
            && number.All(from == 8 ? (d => d is >= '0' and <= '7') : char.IsAsciiHexDigit))
        {
            var value = Convert.ToUInt32(number, from);
            if (Rune.IsValid(value))
            {
                word.Append(new Rune(value));
                return start + digits - 1;
            }
        }

        // An unknown escape stays as it is.
        word.Append('\\').Append(c);
        return at;
    }
}
