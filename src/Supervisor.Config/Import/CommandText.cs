using System.Buffers;
using System.Text;

namespace Supervisor.Config.Import;

/// <summary>
/// A command during its translation: words of literal text and variables. listend executes a command without a shell and
/// expands nothing. A command with variables is therefore written for /bin/sh, which replaces itself with the program.
/// </summary>
internal sealed class CommandText
{
    /// <summary>The remark on a command with a shell.</summary>
    public const string ShellRemark = "the shell expands the variables, sets PWD and replaces itself";

    private static readonly SearchValues<char> ShellSyntax = SearchValues.Create("$`|&;<>()*?[]{}~#!\\\n");

    private readonly List<List<(PieceKind Kind, StringBuilder Text)>> _words = [];

    private enum PieceKind
    {
        Literal,
        Variable,
        SplitVariable,
        Arithmetic,
    }

    /// <summary>Whether the command needs a shell.</summary>
    public bool NeedsShell => _words.Exists(word => word.Exists(piece => piece.Kind != PieceKind.Literal));

    /// <summary>Whether the shell splits a variable, so that its line needs "set -f" before it.</summary>
    public bool SplitsVariables => _words.Exists(word => word.Exists(piece => piece.Kind == PieceKind.SplitVariable));

    public bool IsEmpty => _words.Count == 0;

    /// <summary>The variables that the shell expands.</summary>
    public IEnumerable<string> Variables => _words
        .SelectMany(word => word)
        .Where(piece => piece.Kind is PieceKind.Variable or PieceKind.SplitVariable)
        .Select(piece => piece.Text.ToString());

    /// <summary>Whether only a shell gives a line its meaning.</summary>
    public static bool NeedsShellFor(string line) => line.AsSpan().ContainsAny(ShellSyntax);

    /// <summary>Starts the next word.</summary>
    public void BeginWord() => _words.Add([]);

    public void Literal(string text)
    {
        if (text.Length == 0)
        {
            return;
        }

        if (_words[^1] is [.., (PieceKind.Literal, var before)])
        {
            before.Append(text);
        }
        else
        {
            Add(PieceKind.Literal, text);
        }
    }

    /// <summary>A variable's value, in one piece.</summary>
    public void Variable(string name) => Add(PieceKind.Variable, name);

    /// <summary>A variable's value, split at white space.</summary>
    public void SplitVariable(string name) => Add(PieceKind.SplitVariable, name);

    /// <summary>An expression that the shell calculates.</summary>
    public void Arithmetic(string expression) => Add(PieceKind.Arithmetic, expression);

    /// <summary>The command for listend.</summary>
    public IReadOnlyList<string> Words() => NeedsShell
        ? ["/bin/sh", "-c", (SplitsVariables ? "set -f; exec " : "exec ") + ShellLine()]
        : [.. _words.Select(word => string.Concat(word.Select(piece => piece.Text)))];

    /// <summary>The command for a shell.</summary>
    public string ShellLine() => string.Join(' ', _words.Select(ShellWord));

    private void Add(PieceKind kind, string text) => _words[^1].Add((kind, new StringBuilder(text)));

    private static string ShellWord(List<(PieceKind Kind, StringBuilder Text)> word)
    {
        var text = new StringBuilder();
        foreach (var (kind, piece) in word)
        {
            text.Append(kind switch
            {
                PieceKind.Variable => $"\"${{{piece}}}\"",
                PieceKind.SplitVariable => $"${{{piece}}}",
                PieceKind.Arithmetic => $"\"$(({piece}))\"",
                _ => Quote(piece.ToString()),
            });
        }

        return text.Length == 0 ? "''" : text.ToString();
    }

    private static string Quote(string text) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || "_-./:=,@%+".Contains(c))
            ? text
            : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
