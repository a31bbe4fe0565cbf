using System.CommandLine;
using Supervisor.Config.Values;
using Supervisor.Core;

namespace Supervisor.Listend.Commands;

/// <summary>Parses and runs a command line; a wrong one ends with exit status 2 and says what is wrong on standard error.</summary>
internal static class CommandLine
{
    private const int Usage = 2;

    public static int Invoke(RootCommand root, string[] args)
    {
        // An argument such as @file belongs to the worker.
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var command = parsed.CommandResult.Command;
        var errors = UnknownOptions(parsed, args).ToList();
        if (errors.Count == 0 && parsed.Errors.Count == 0)
        {
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }

        // One that is not known makes of its value an argument that is out of place: said of itself alone.
        if (errors.Count == 0 && command is RootCommand && parsed.UnmatchedTokens.Count > 0)
        {
            var near = Spelling.Nearest(
                parsed.UnmatchedTokens[0],
                command.Subcommands.Where(known => !known.Hidden).Select(known => known.Name));
            errors.Add($"unknown command \"{parsed.UnmatchedTokens[0]}\"{(near is null ? "" : $"; did you mean \"{near}\"?")}");
        }

        foreach (var error in errors.Count > 0 ? errors : parsed.Errors.Select(error => ForPeople(error.Message)).Distinct())
        {
            Console.Error.WriteLine($"listend: {Printable.Line(error)}");
        }

        Console.Error.WriteLine($"listend: see \"listend{(command is RootCommand ? "" : " " + command.Name)} --help\"");
        return Usage;
    }

    /// <summary>
    /// What stands before "--", looks like an option and is none: an option that may be repeated would take it for its value.
    /// </summary>
    private static IEnumerable<string> UnknownOptions(ParseResult parsed, string[] args)
    {
        var command = parsed.CommandResult.Command;
        var options = command.Options.Concat(parsed.RootCommandResult.Command.Options.Where(option => option.Recursive)).ToList();
        var names = options.SelectMany(option => option.Aliases.Prepend(option.Name)).ToHashSet(StringComparer.Ordinal);
        var given = args.TakeWhile(arg => arg != "--").Where(arg => arg.Length > 1 && arg[0] == '-' && !char.IsAsciiDigit(arg[1]))
            .Select(arg => arg.Split('=', ':')[0])
            .ToList();
        if (given.Exists(name => name is "--help" or "-h" or "-?" or "--version"))
        {
            yield break;
        }

        foreach (var name in given.Where(name => !names.Contains(name)).Distinct())
        {
            var near = Spelling.Nearest(name, names.Where(known => known.StartsWith("--", StringComparison.Ordinal)));
            var after = command.Arguments.Count > 0 ? "; options of the worker's command follow --" : "";
            yield return $"unknown option \"{name}\"{(near is null ? after : $"; did you mean \"{near}\"?")}";
        }
    }

    /// <summary>
    /// The framework names its own types where a value cannot be read: "Cannot parse argument 'x' for option '--o' as expected type
    /// 'System.Boolean'.".
    /// </summary>
    private static string ForPeople(string message)
    {
        var parts = message.Split('\'');
        return message.StartsWith("Cannot parse argument", StringComparison.Ordinal) && parts.Length > 3
            ? $"invalid value \"{parts[1]}\" for {parts[3]}" : message;
    }
}
