using System.CommandLine;
using Supervisor.Config.Values;
using Supervisor.Control;
using Supervisor.Control.CommandLine;
using Supervisor.Listenctl.Verbs;

namespace Supervisor.Listenctl;

/// <summary>Reports a wrong command line: the error, and the usage of the verb in one line.</summary>
internal static class UsageError
{
    private const string UnexpectedArgument = "unexpected argument ";

    /// <summary>Writes the error and returns the exit status.</summary>
    public static int Report(ParseResult parsed, TextWriter error)
    {
        var command = parsed.CommandResult.Command;
        var isRoot = command is not Verb;
        if (isRoot && parsed.UnmatchedTokens.Count > 0)
        {
            var word = parsed.UnmatchedTokens[0];
            var message = word.StartsWith('-')
                ? Unknown("option", word, LongOptions(parsed))
                : Unknown("command", word, command.Subcommands.Where(known => !known.Hidden).Select(known => known.Name));
            error.WriteLine($"listenctl: {Printable.Of(message)}");
        }
        else
        {
            foreach (var message in Messages(parsed))
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

    /// <summary>
    /// The errors. The parser reports an unknown option and its value as wrong arguments. Only the unknown options are reported.
    /// </summary>
    private static IEnumerable<string> Messages(ParseResult parsed)
    {
        var messages = parsed.Errors.Select(UsageText.Of).Distinct().ToArray();
        var unknown = messages.Select(Option).OfType<string>().Distinct().ToArray();
        return unknown.Length == 0 ? messages
            : messages.Where(message => Option(message) is null && !message.StartsWith(UnexpectedArgument, StringComparison.Ordinal))
                .Concat(unknown.Select(option => Unknown("option", option, LongOptions(parsed))));
    }

    /// <summary>The unknown option that a message names; null if it names none.</summary>
    private static string? Option(string message) =>
        message.Split('"') is [UnexpectedArgument or "unknown option ", ['-', not (>= '0' and <= '9'), ..] option, ""] ? option : null;

    private static string Unknown(string what, string word, IEnumerable<string> known) =>
        $"unknown {what} \"{word}\"{(Spelling.Nearest(word, known) is { } near ? $"; did you mean \"{near}\"?" : "")}";

    private static IEnumerable<string> LongOptions(ParseResult parsed) =>
        parsed.CommandResult.Command.Options.Concat(parsed.RootCommandResult.Command.Options.Where(option => option.Recursive))
            .SelectMany(option => option.Aliases.Prepend(option.Name)).Where(name => name.StartsWith("--", StringComparison.Ordinal));
}
