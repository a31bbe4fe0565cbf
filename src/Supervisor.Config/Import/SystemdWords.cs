using System.Text;

namespace Supervisor.Config.Import;

/// <summary>Splits a line into words as systemd does, systemd.syntax(7): quotes around a word or within it, C escapes.</summary>
internal static class SystemdWords
{
    /// <summary>The words; null if a quote is not closed.</summary>
    public static List<string>? Split(string text)
    {
        var words = new List<string>();
        StringBuilder? word = null;
        var quote = '\0';
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (quote == '\0' && char.IsWhiteSpace(c))
            {
                if (word is not null)
                {
                    words.Add(word.ToString());
                    word = null;
                }

                continue;
            }

            word ??= new StringBuilder();
            if (c == quote && quote != '\0')
            {
                quote = '\0';
            }
            else if (quote == '\0' && c is '"' or '\'')
            {
                quote = c;
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

        if (quote != '\0')
        {
            return null;
        }

        if (word is not null)
        {
            words.Add(word.ToString());
        }

        return words;
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
