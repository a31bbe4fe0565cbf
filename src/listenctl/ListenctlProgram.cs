using System.CommandLine;
using System.CommandLine.Help;
using System.Text;
using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary>
/// The control client. Each verb is a class of its own; what they share is here: the options that may stand before or
/// after the verb, and what an error becomes.
///
/// A client lives for milliseconds and is run in loops by scripts, so everything is synchronous: one blocking socket,
/// no thread pool, no epoll thread. Standard output carries the answer and nothing else; with <c>--json</c> it is the
/// daemon's own bytes. Everything said to people about failure goes to standard error.
/// </summary>
internal static class ListenctlProgram
{
    /// <summary>The tree of commands.</summary>
    internal static Command Root(GlobalOptions options, CommandContext standard) =>
        new("listenctl", "Looks at listend and tells it what to do: listeners, their history, services and their workers.")
        {
            new HelpOption(),
            new VersionFlag(standard),
            options.Socket,
            options.Json,
            new StatusCommand(options, standard),
            new ListenersCommand(options, standard),
            new HistoryCommand(options, standard),
            new ExplainCommand(options, standard),
            new RestartCommand(options, standard),
            new PromoteCommand(options, standard),
            new AbortCommand(options, standard),
            new StartCommand(options, standard),
            new StopCommand(options, standard),
            new ScaleCommand(options, standard),
            new SignalCommand(options, standard),
            new ReloadCommand(options, standard),
            new UpgradeCommand(options, standard),
            new EventsCommand(options, standard),
            new LogsCommand(options, standard),
            new TakeCommand(options, standard),
            new PutCommand(options, standard),
            new DropCommand(options, standard),
            new TopCommand(options, standard),
            new ImportCommand(options, standard),
        };

    /// <summary>Runs one command line and returns its exit status, one of <see cref="ExitCode"/>.</summary>
    public static int Run(IReadOnlyList<string> args, CommandContext standard)
    {
        var options = new GlobalOptions();
        var root = Root(options, standard);

        if (Completion.Asked(args) is { } completion)
        {
            completion.Answer(root, options, standard);
            return ExitCode.Done;
        }

        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            return UsageError.Report(parsed, standard.Error);
        }

        try
        {
            using var output = new StreamWriter(standard.Output, new UTF8Encoding(false), leaveOpen: true);
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = output,
                Error = standard.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
        }
        catch (ControlException error)
        {
            standard.Error.WriteLine("listenctl: " + Printable.Of(error.Message, keepLines: true));
            if (error.ExitCode == ExitCode.Failed && parsed.GetValue(options.Json))
            {
                Json.Write(standard.Output, error.Document ?? Json.Problem("Failed", 500, error.Message));
            }

            return error.ExitCode;
        }
        catch (IOException error)
        {
            standard.Error.WriteLine($"listenctl: cannot write standard output: {Printable.Of(error.Message)}");
            return ExitCode.Failed;
        }
    }
}
