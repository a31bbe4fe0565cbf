using System.CommandLine;

namespace Supervisor.Daemon.Commands;

/// <summary>Parses and runs a command line; a wrong one ends with exit status 2 and says what is wrong on standard error.</summary>
internal static class CommandLine
{
    private const int Usage = 2;

    public static int Invoke(RootCommand root, string[] args)
    {
        var parsed = root.Parse(args);
        if (parsed.Errors.Count == 0)
        {
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }

        foreach (var error in parsed.Errors)
        {
            Console.Error.WriteLine($"listend: {error.Message}");
        }

        Console.Error.WriteLine($"listend: see \"listend{(parsed.CommandResult.Command is RootCommand ? "" : " " + parsed.CommandResult.Command.Name)} --help\"");
        return Usage;
    }
}
