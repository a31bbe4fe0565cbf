using System.CommandLine;
using Supervisor.Control;
using Supervisor.Control.CommandLine;
using Supervisor.Listenctl.Verbs;

namespace Supervisor.Listenctl;

/// <summary>Reports a wrong command line: the error, and the usage of the verb in one line.</summary>
internal static class UsageError
{
    /// <summary>Writes the error and returns the exit status.</summary>
    public static int Report(ParseResult parsed, TextWriter error)
    {
        var command = parsed.CommandResult.Command;
        var isRoot = command is not Verb;
        if (isRoot && parsed.UnmatchedTokens.Count > 0)
        {
            var word = parsed.UnmatchedTokens[0];
            error.WriteLine($"listenctl: unknown {(word.StartsWith('-') ? "option" : "command")} \"{Printable.Of(word)}\"");
        }
        else
        {
            foreach (var message in parsed.Errors.Select(UsageText.Of).Distinct())
            {
                error.WriteLine($"listenctl: {Printable.Of(message)}");
            }
        }

        if (command is Verb verb)
        {
            error.WriteLine($"usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] {verb.Name} {verb.Usage}".TrimEnd());
            return ExitCode.Usage;
        }

        error.WriteLine("usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] COMMAND");
        foreach (var known in command.Subcommands.OfType<Verb>())
        {
            error.WriteLine($"       listenctl {known.Name} {known.Usage}".TrimEnd());
        }

        return ExitCode.Usage;
    }
}
