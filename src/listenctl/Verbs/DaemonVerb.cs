using System.CommandLine;
using Supervisor.Control;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary>A verb that needs the daemon.</summary>
internal abstract class DaemonVerb(string name, string description, string usage, GlobalOptions options, CommandContext context)
    : Verb(name, description, usage, options, context)
{
    /// <inheritdoc/>
    protected sealed override int Run(ParseResult parsed, GlobalOptions options) =>
        Run(parsed, ControlClient.For(parsed.GetValue(options.Socket), Context), parsed.GetValue(options.Json));

    /// <summary>Runs the verb and returns the exit status; an error is a <see cref="ControlException"/>.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="client">A client for the control socket, not connected yet.</param>
    /// <param name="json">Whether to print JSON.</param>
    protected abstract int Run(ParseResult parsed, ControlClient client, bool json);

    /// <summary>Prints one answer: the daemon's document with --json, otherwise a line for people.</summary>
    protected int Print(byte[] document, bool json, Func<byte[], string> line)
    {
        var text = line(document);
        if (json)
        {
            Json.Write(Context.Output, document);
        }
        else
        {
            new TextOutput(Context).WriteLine(text);
        }

        return ExitCode.Done;
    }
}
