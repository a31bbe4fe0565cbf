using System.CommandLine;
using System.CommandLine.Help;
using System.Text;
using Supervisor.Control;
using Supervisor.Control.CommandLine;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Terminal;
using Supervisor.Listenctl.Verbs;

namespace Supervisor.Listenctl;

/// <summary>
/// The control client: the list of verbs, and the exit status of errors. A client runs for milliseconds, often in a
/// script's loop, so everything is synchronous: one blocking socket, no thread pool, no epoll thread. Standard output has
/// the answer only, with <c>--json</c> the bytes of the daemon; errors go to standard error.
/// </summary>
internal static class ListenctlProgram
{
    /// <summary>The verbs.</summary>
    internal static Command Root(GlobalOptions options, CommandContext context) =>
        new("listenctl", "Inspect and control listend: its listeners and their history, its services and their workers")
        {
            new HelpOption(),
            new VersionFlag("listenctl"),
            options.Socket,
            options.Host,
            options.Json,
            new StatusCommand(options, context),
            new ListenersCommand(options, context),
            new HistoryCommand(options, context),
            new ExplainCommand(options, context),
            new DiagnoseCommand(options, context),
            new ConnectionsCommand(options, context),
            new RestartCommand(options, context),
            new PromoteCommand(options, context),
            new AbortCommand(options, context),
            new StartCommand(options, context),
            new StopCommand(options, context),
            new ScaleCommand(options, context),
            new SignalCommand(options, context),
            new ReloadCommand(options, context),
            new UpgradeCommand(options, context),
            new EventsCommand(options, context),
            new LogsCommand(options, context),
            new MetricsCommand(options, context),
            new TakeCommand(options, context),
            new PutCommand(options, context),
            new DropCommand(options, context),
            new TopCommand(options, context),
            new ImportCommand(options, context),
        };

    /// <summary>Runs one command line and returns its exit status, one of <see cref="ExitCode"/>.</summary>
    public static int Run(IReadOnlyList<string> args, CommandContext context)
    {
        var options = new GlobalOptions();
        ParseResult? parsed = null;
        try
        {
            var root = Root(options, context);
            ReadableHelp.Install(root);
            if (Completion.Parse(args) is { } completion)
            {
                completion.Write(root, options, context);
                return ExitCode.Done;
            }

            parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (parsed.Errors.Count > 0)
            {
                return UsageError.Report(parsed, context.Error);
            }

            if (parsed.GetValue(options.Host) is { } host && parsed.CommandResult.Command is Verb verb && parsed.Action == verb.Action)
            {
                verb.RequireRemote();
                return new RemoteHost(host, context).Run(args, becomesProgram: verb is TakeCommand);
            }

            using var output = new StreamWriter(context.Output, new UTF8Encoding(false), leaveOpen: true);
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = output,
                Error = context.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
        }
        catch (ControlException error)
        {
            return Report(error, isJson: parsed?.GetValue(options.Json) == true, context);
        }
        catch (OutputClosedException)
        {
            return ExitCode.Done;
        }
        catch (IOException error)
        {
            context.Error.WriteLine($"listenctl: cannot write standard output: {Printable.Of(error.Message)}");
            return ExitCode.Failed;
        }
        catch (Exception error)
        {
            // A fault of listenctl itself. The runtime would print a page and leave a core file.
            var what = Printable.Of($"{error.GetType().Name} {error.StackTrace?.Split('\n')[0].Trim()}: {error.Message}");
            return Report(
                new ControlException($"internal error, please report it: {what}", ExitCode.Failed),
                isJson: parsed?.GetValue(options.Json) == true,
                context);
        }
    }

    private static int Report(ControlException error, bool isJson, CommandContext context)
    {
        context.Error.WriteLine("listenctl: " + Printable.Of(error.Message, keepLines: true));
        if (error.ExitCode is not (ExitCode.Usage or ExitCode.Unreachable or ExitCode.NotPermitted) && isJson)
        {
            Json.Write(context.Output, error.Document ?? Json.Problem("Failed", 500, error.Message));
        }

        return error.ExitCode;
    }
}
