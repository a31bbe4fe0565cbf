namespace Supervisor.Config.Import;

/// <summary>One command of an Exec*= setting, systemd.service(5).</summary>
/// <param name="Text">The command.</param>
/// <param name="Prefixes">The special characters before it.</param>
internal sealed record SystemdCommand(CommandText Text, string Prefixes)
{
    /// <summary>Reads a setting's commands, separated by a word <c>;</c>; null with the reason if unreadable.</summary>
    public static List<SystemdCommand>? Read(SourceSetting setting, SystemdUnit unit, out string reason)
    {
        reason = CommonReasons.OpenQuote;
        if (SystemdWords.Split(setting.Value) is not { } words)
        {
            return null;
        }

        var commands = new List<SystemdCommand>();
        CommandText? command = null;
        var prefixes = "";
        var skip = false;
        foreach (var raw in words)
        {
            if (raw == ";")
            {
                command = null;
                continue;
            }

            if (SystemdSpecifiers.Expand(raw == "\\;" ? ";" : raw, unit, out reason) is not { } word)
            {
                return null;
            }

            if (command is null)
            {
                var program = word.TrimStart('@', '-', ':', '+', '!', '|');
                prefixes = word[..^program.Length];
                command = new CommandText();
                commands.Add(new SystemdCommand(command, prefixes));
                skip = prefixes.Contains('@');
                word = program;
            }
            else if (skip)
            {
                skip = false;
                continue;
            }

            AddWord(command, word, expands: !prefixes.Contains(':'));
        }

        reason = CommonReasons.NoCommand;
        return commands.Count > 0 && commands.TrueForAll(c => !c.Text.IsEmpty) ? commands : null;
    }

    /// <summary><c>$NAME</c> as a separate word becomes several words; <c>${NAME}</c> stays one word.</summary>
    private static void AddWord(CommandText command, string word, bool expands)
    {
        command.BeginWord();
        if (!expands)
        {
            command.Literal(word);
            return;
        }

        if (word is ['$', ..] && IsName(word[1..]))
        {
            command.SplitVariable(word[1..]);
            return;
        }

        for (var i = 0; i < word.Length; i++)
        {
            if (word[i] == '$' && i + 1 < word.Length)
            {
                if (word[i + 1] == '$')
                {
                    command.Literal("$");
                    i++;
                    continue;
                }

                var end = word[i + 1] == '{' ? word.IndexOf('}', i) : -1;
                if (end > 0 && IsName(word[(i + 2)..end]))
                {
                    command.Variable(word[(i + 2)..end]);
                    i = end;
                    continue;
                }
            }

            command.Literal(word[i].ToString());
        }
    }

    private static bool IsName(string text) =>
        text.Length > 0 && !char.IsAsciiDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
