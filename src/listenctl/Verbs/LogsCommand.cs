using System.CommandLine;
using System.Globalization;
using Supervisor.Control;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary>
/// <c>logs SERVICE [--worker SLOT] [--follow] [-n N]</c>: what the workers have written to standard output and standard error.
/// </summary>
internal sealed class LogsCommand : DaemonVerb
{
    private readonly NameArgument service = new("SERVICE", "The service");
    private readonly Option<bool> follow = new("--follow", "-f") { Description = "Continue with new lines as workers write them" };
    private readonly CountOption lines = new(
        "--lines", "lines", "Start with the last N lines (default: all that the daemon keeps, the newest 256 KiB)");
    private readonly SlotOption worker = new("Only the output of the workers in this slot");

    public LogsCommand(GlobalOptions options, CommandContext context)
        : base("logs", "Show the output of the workers of a service", "SERVICE [--worker SLOT] [--follow] [-n N]", options, context)
    {
        Arguments.Add(service);
        Options.Add(follow);
        Options.Add(lines);
        Options.Add(worker);
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var isEndless = parsed.GetValue(follow);
        var query = (isEndless ? "?follow=true" : "?follow=false") + lines.Parameter(parsed) + worker.Parameter(parsed);
        var output = json ? null : new TextOutput(Context);
        using var stream = client.Follow($"/v1/services/{Uri.EscapeDataString(parsed.GetRequiredValue(service)!)}/logs{query}");
        while (stream.TryReadLine(out var line))
        {
            var written = Json.Read(line, ControlJson.Default.OutputLineDocument, client);
            if (output is null)
            {
                Json.Write(Context.Output, line);
            }
            else
            {
                output.WriteLine(Text(written));
            }

            if (Context.OutputIsClosed)
            {
                return ExitCode.Done;
            }
        }

        return isEndless ? throw client.ConnectionLost("the daemon ended the stream") : ExitCode.Done;
    }

    private StyledText Text(OutputLineDocument line)
    {
        var who = line.Pid is { } pid
            ? string.Create(CultureInfo.InvariantCulture, $"{line.Slot}[{pid}]")
            : line.Stream;
        return new StyledText(HumanTime.LocalPrecise(line.At, Context.Clock), Palette.Muted)
            .Append(" ").Append(who + ":", Palette.Muted).Append(" ")
            .Append(line.Line, line.Priority switch
            {
                <= 3 => Palette.Failure,
                4 => Palette.Warning,
                7 => Palette.Muted,
                _ => Palette.Plain,
            });
    }
}
