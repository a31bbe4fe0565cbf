using System.CommandLine;
using Supervisor.Config.Values;
using Supervisor.Control.CommandLine;
using Supervisor.Core;
using Supervisor.Daemon.Runtime;
using Supervisor.Native;

namespace Supervisor.Listend.Commands;

/// <summary>Parses and runs a command line. For a wrong one it writes the errors to standard error and returns 2.</summary>
internal static class CommandLine
{
    private const int Failed = 1;
    private const int Usage = 2;

    public static int Invoke(RootCommand root, string[] args)
    {
        try
        {
            PrintedOutput.Install();
            return InvokeParsed(root, args);
        }
        catch (Exception exception) when (StartFault.Of(exception) is { } fault)
        {
            StandardError.WriteLine($"listend: {Printable.Line(fault)}");
            return Failed;
        }
        catch (OutputException error)
        {
            Console.Error.WriteLine($"listend: cannot write standard output: {error.Message}");
            return Failed;
        }
    }

    private static int InvokeParsed(RootCommand root, string[] args)
    {
        // An argument such as @file belongs to the worker.
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var command = parsed.CommandResult.Command;
        var errors = UnknownOptions(parsed, args).ToList();
        if (errors.Count == 0 && parsed.Errors.Count == 0)
        {
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }

        // The parser reports the value of an unknown option as a wrong argument too. Only the unknown option is reported.
        if (errors.Count == 0 && command is RootCommand && parsed.UnmatchedTokens.Count > 0)
        {
            var commands = command.Subcommands.Where(known => !known.Hidden).Select(known => known.Name);
            var near = Spelling.Nearest(parsed.UnmatchedTokens[0], commands);
            errors.Add($"unknown command \"{parsed.UnmatchedTokens[0]}\"{(near is null ? "" : $"; did you mean \"{near}\"?")}");
        }

        foreach (var error in errors.Count > 0 ? errors : parsed.Errors.Select(UsageText.Of).Distinct())
        {
            Console.Error.WriteLine($"listend: {Printable.Line(error)}");
        }

        Console.Error.WriteLine($"listend: see \"listend{(command is RootCommand ? "" : " " + command.Name)} --help\"");
        return Usage;
    }

    /// <summary>
    /// Words before "--" that look like an option and are unknown. The parser would accept such a word as the value of an option
    /// that may be repeated.
    /// </summary>
    private static IEnumerable<string> UnknownOptions(ParseResult parsed, string[] args)
    {
        var command = parsed.CommandResult.Command;
        var options = command.Options.Concat(parsed.RootCommandResult.Command.Options.Where(option => option.Recursive)).ToList();
        var names = options.SelectMany(option => option.Aliases.Prepend(option.Name)).ToHashSet(StringComparer.Ordinal);
        var given = args.TakeWhile(arg => arg != "--").Where(arg => arg.Length > 1 && arg[0] == '-' && !char.IsAsciiDigit(arg[1]))
            .Select(arg => arg.Split('=', ':')[0]).ToList();
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
}
