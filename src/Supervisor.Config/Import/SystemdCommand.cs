namespace Supervisor.Config.Import;

/// <summary>One command of an Exec*= setting, systemd.service(5).</summary>
/// <param name="Text">The command.</param>
/// <param name="Prefixes">The special characters before it.</param>
internal sealed record SystemdCommand(CommandText Text, string Prefixes)
{
    /// <summary>The variables whose values the import has written into the command.</summary>
    public HashSet<string> Expanded { get; } = [];

    /// <summary>Reads a setting's commands, separated by a word <c>;</c>; null with the reason if unreadable.</summary>
    public static List<SystemdCommand>? Read(SourceSetting setting, SystemdUnit unit, SystemdVariables variables, out string reason)
    {
        reason = CommonReasons.OpenQuote;
        if (SystemdWords.Commands(setting.Value) is not { } commands)
        {
            return null;
        }

        reason = CommonReasons.NoCommand;
        var read = new List<SystemdCommand>();
        foreach (var words in commands.Where(words => words.Count > 0))
        {
            if (Read(words, unit, variables, out reason) is not { } command)
            {
                return null;
            }

            read.Add(command);
        }

        return read.Count > 0 ? read : null;
    }

    private static SystemdCommand? Read(List<string> words, SystemdUnit unit, SystemdVariables variables, out string reason)
    {
        var program = words[0].TrimStart('@', '-', ':', '+', '!', '|');
        var command = new SystemdCommand(new CommandText(), words[0][..^program.Length]);
        reason = CommonReasons.NoCommand;
        if (program.Length == 0)
        {
            return null;
        }

        var arguments = words.Skip(command.Prefixes.Contains('@') ? 2 : 1);
        foreach (var word in arguments.Prepend(program))
        {
            if (SystemdSpecifiers.Expand(word, unit, out reason) is not { } expanded)
            {
                return null;
            }

            command.Add(expanded, variables);
        }

        return command;
    }

    /// <summary><c>$NAME</c> as a separate word becomes several words; <c>${NAME}</c> stays one word.</summary>
    private void Add(string word, SystemdVariables variables)
    {
        if (Prefixes.Contains(':') || word is not ['$', not ('{' or '$'), ..] and not "$")
        {
            Text.BeginWord();
            Literal(word, variables);
            return;
        }

        var name = word[1..];
        if (variables.Value(name) is { } value)
        {
            Expanded.Add(name);
            foreach (var part in SystemdWords.SplitValue(value))
            {
                Text.BeginWord();
                Text.Literal(part);
            }
        }
        else if (SystemdVariables.IsName(name))
        {
            Text.BeginWord();
            Text.SplitVariable(name);
        }

        // systemd removes a word whose name cannot be that of a variable.
    }

    private void Literal(string word, SystemdVariables variables)
    {
        if (Prefixes.Contains(':'))
        {
            Text.Literal(word);
            return;
        }

        var start = 0;
        var at = 0;
        while ((at = word.IndexOf('$', at)) >= 0 && at + 1 < word.Length)
        {
            var end = word[at + 1] == '{' ? NameEnd(word, at + 2) : -1;
            if (word[at + 1] == '$')
            {
                Text.Literal(word[start..(at + 1)]);
                start = at += 2;
            }
            else if (end > 0)
            {
                Text.Literal(word[start..at]);
                Variable(word[(at + 2)..end], variables);
                start = at = end + 1;
            }
            else
            {
                at++;
            }
        }

        Text.Literal(word[start..]);
    }

    /// <summary>What cannot be the name of a variable has no value.</summary>
    private void Variable(string name, SystemdVariables variables)
    {
        if (!SystemdVariables.IsName(name))
        {
            return;
        }

        if (variables.Value(name) is { } value)
        {
            Expanded.Add(name);
            Text.Literal(value);
        }
        else
        {
            Text.Variable(name);
        }
    }

    /// <summary>
    /// The place of the brace that closes the name; -1 if systemd leaves the text, as for a colon, src/basic/env-util.c.
    /// </summary>
    private static int NameEnd(string word, int start)
    {
        var end = word.AsSpan(start).IndexOfAny('}', ':');
        return end >= 0 && word[start + end] == '}' ? start + end : -1;
    }
}
