using System.Text;

namespace Supervisor.Config.Values;

/// <summary>Splits a line into words as a POSIX shell does before expansion, and as Python's shlex.split does.</summary>
internal static class ShellWords
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
            switch (quote)
            {
                case '\0' when char.IsWhiteSpace(c):
                    if (word is not null)
                    {
                        words.Add(word.ToString());
                        word = null;
                    }

                    continue;
                case '\0' when c is '"' or '\'':
                    word ??= new StringBuilder();
                    quote = c;
                    continue;
                case '\0' or '"' when c == '\\' && i + 1 < text.Length:
                    word ??= new StringBuilder();
                    i++;
                    if (quote == '"' && text[i] is not ('"' or '\\'))
                    {
                        word.Append('\\');
                    }

                    word.Append(text[i]);
                    continue;
                case not '\0' when c == quote:
                    quote = '\0';
                    continue;
                default:
                    word ??= new StringBuilder();
                    word.Append(c);
                    continue;
            }
        }

        if (word is not null)
        {
            words.Add(word.ToString());
        }

        return quote == '\0' ? words : null;
    }
}
