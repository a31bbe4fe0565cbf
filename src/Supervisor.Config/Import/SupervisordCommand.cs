using Supervisor.Config.Values;

namespace Supervisor.Config.Import;

/// <summary>The command of a program of supervisord.conf.</summary>
internal static class SupervisordCommand
{
    /// <summary>The words of a command, with expressions that can be expanded; null with the reason.</summary>
    public static List<string>? Words(string line, SupervisordExpansion expansion, out string reason)
    {
        reason = CommonReasons.OpenQuote;
        if (ShellWords.Split(SupervisordExpansion.Unquoted(line)) is not { } words)
        {
            return null;
        }

        foreach (var word in words)
        {
            if (!expansion.TryExpand(word, _ => { }, _ => { }, _ => { }, out reason))
            {
                return null;
            }
        }

        reason = CommonReasons.NoCommand;
        return words.Count == 0 ? null : words;
    }

    /// <summary>The command, after env(1) with the variables whose values depend on variables of the daemon.</summary>
    public static CommandText Of(
        IEnumerable<(string Name, string Text)> variables, List<string> words, SupervisordExpansion expansion)
    {
        var command = new CommandText();
        foreach (var (name, text) in variables)
        {
            if (command.IsEmpty)
            {
                command.BeginWord();
                command.Literal("/usr/bin/env");
            }

            command.BeginWord();
            command.Literal(name + "=");
            expansion.TryExpand(text, command.Literal, command.Variable, command.Variable, out _);
        }

        foreach (var word in words)
        {
            command.BeginWord();
            expansion.TryExpand(word, command.Literal, command.Variable, command.SplitVariable, out _);
        }

        return command;
    }
}
