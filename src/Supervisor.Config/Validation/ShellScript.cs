using System.Buffers;
using System.Text;

namespace Supervisor.Config.Validation;

/// <summary>
/// The commands of a shell's <c>-c</c> text, as far as it takes to tell whether the shell replaces itself by the last one.
/// </summary>
internal sealed class ShellScript
{
    private static readonly HashSet<string> Compound =
    [
        "if", "then", "else", "fi", "while", "until", "for", "do", "done", "case", "esac", "select", "function", "{", "}", "!", "time",
        "[[",
    ];

    /// <summary>Commands that the shell runs itself. The program that serves is none of them.</summary>
    private static readonly HashSet<string> Builtins =
    [
        ":", ".", "[", "alias", "bg", "cd", "command", "echo", "eval", "exit", "export", "false", "fg", "jobs", "kill", "local", "printf",
        "pwd", "read", "readonly", "return", "set", "shift", "shopt", "sleep", "source", "test", "trap", "true", "type", "ulimit", "umask",
        "unset", "wait",
    ];

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+");

    private readonly List<(List<string> Words, string Separator)> _commands = [];

    private ShellScript()
    {
    }

    /// <summary>The last command, as words; empty if there is none.</summary>
    public IReadOnlyList<string> Last => _commands.Count == 0 ? [] : _commands[^1].Words;

    /// <summary>The last command that the shell does not run itself; null if there is none.</summary>
    public IReadOnlyList<string>? Program => _commands.FindLast(command =>
        !Builtins.Contains(command.Words[0]) && !Compound.Contains(command.Words[0]) && command.Words[0][0] is not ('(' or ')')).Words;

    /// <summary>Whether a command of the list is <c>exec PROGRAM</c>.</summary>
    public bool Execs => _commands.Exists(command => command.Words is ["exec", var program, ..] && !IsRedirection(program));

    /// <summary>
    /// Whether bash, zsh and ksh execute the last command without a fork: a list of builtins with one program at its end, without a
    /// pipe, a background job, a redirection or a compound command.
    /// </summary>
    public bool EndsWithItsOnlyProgram =>
        _commands.Count > 0
        && _commands.TrueForAll(command => command.Words is [var name, ..] && !Compound.Contains(name) && !name.StartsWith('('))
        && _commands.Take(_commands.Count - 1).All(command => Builtins.Contains(command.Words[0]) && command.Separator is ";" or "&&")
        && _commands[^1].Separator is "" or ";"
        && !Builtins.Contains(Last[0]) && !Last.Any(IsRedirection);

    /// <summary>Splits the text at operators. Quoted text, $(...) and `...` stay in their words.</summary>
    public static ShellScript Parse(string text)
    {
        var script = new ShellScript();
        var words = new List<string>();
        var word = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is '\'' or '"' or '`' or '\\' || (c == '$' && i + 1 < text.Length && text[i + 1] is '(' or '{'))
            {
                var end = EndOfQuoted(text, i);
                word.Append(text, i, end - i);
                i = end - 1;
            }
            else if (c == '#' && word.Length == 0)
            {
                i = text.IndexOf('\n', i) is > 0 and var line ? line - 1 : text.Length;
            }
            else if (Operator(text, i) is { } separator)
            {
                EndWord(words, word);
                script.Add(ref words, separator);
                i += separator.Length - 1;
            }
            else if (char.IsWhiteSpace(c))
            {
                EndWord(words, word);
            }
            else
            {
                word.Append(c);
            }
        }

        EndWord(words, word);
        script.Add(ref words, "");
        return script;
    }

    private void Add(ref List<string> words, string separator)
    {
        while (words is [var first, ..] && IsAssignment(first))
        {
            words.RemoveAt(0);
        }

        if (words.Count > 0)
        {
            _commands.Add((words, separator == "\n" ? ";" : separator));
            words = [];
        }
    }

    private static void EndWord(List<string> words, StringBuilder word)
    {
        if (word.Length > 0)
        {
            words.Add(word.ToString());
            word.Clear();
        }
    }

    /// <summary>The operator that ends a command here; null if there is none. The &amp; of 2&gt;&amp;1 and &amp;&gt; is none.</summary>
    private static string? Operator(string text, int at) => text[at] switch
    {
        ';' or '\n' => text[at] == ';' ? ";" : "\n",
        '|' => at + 1 < text.Length && text[at + 1] is '|' or '&' ? text.Substring(at, 2) : "|",
        '&' when (at > 0 && text[at - 1] is '>' or '<') || (at + 1 < text.Length && text[at + 1] == '>') => null,
        '&' => at + 1 < text.Length && text[at + 1] == '&' ? "&&" : "&",
        _ => null,
    };

    /// <summary>The index after a quoted text, an escaped character or an expansion.</summary>
    private static int EndOfQuoted(string text, int start)
    {
        if (text[start] == '\\')
        {
            return Math.Min(start + 2, text.Length);
        }

        var (open, close) = text[start] switch
        {
            '$' => (text[start + 1], text[start + 1] == '(' ? ')' : '}'),
            var quote => (quote, quote),
        };
        var depth = 1;
        for (var i = start + (text[start] == '$' ? 2 : 1); i < text.Length; i++)
        {
            if (text[i] == '\\' && open != '\'')
            {
                i++;
            }
            else if (text[i] == close && --depth == 0)
            {
                return i + 1;
            }
            else if (text[i] == open && open != close)
            {
                depth++;
            }
        }

        return text.Length;
    }

    private static bool IsAssignment(string word) =>
        word.IndexOf('=', StringComparison.Ordinal) is > 0 and var end && !char.IsAsciiDigit(word[0])
            && word.AsSpan(0, end).IndexOfAnyExcept(NameCharacters) < 0;

    private static bool IsRedirection(string word) => word.TrimStart('0', '1', '2', '3', '4', '5', '6', '7', '8', '9') is ['<' or '>', ..]
        or ['&', '>', ..];
}
