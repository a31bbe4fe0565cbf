using System.CommandLine;
using System.Globalization;
using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary><c>logs SERVICE [--follow] [--lines N]</c>: what the workers have written to standard output and error.</summary>
internal sealed class LogsCommand : Verb
{
    private readonly NameArgument service = new("SERVICE", "The service");
    private readonly Option<bool> follow = new("--follow", "-f") { Description = "Go on with what they write from now on" };
    private readonly Option<long?> lines = new("--lines", "-n")
    {
        HelpName = "N",
        Description = "Begin with the last N lines; default: all that the daemon keeps, the newest 256 KiB",
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return number;
            }

            result.AddError($"\"{text}\" is no number of lines");
            return null;
        },
    };

    public LogsCommand(GlobalOptions options, CommandContext standard)
        : base("logs", "What the service's workers have written", "SERVICE [--follow] [--lines N]", options, standard)
    {
        Arguments.Add(service);
        Options.Add(follow);
        Options.Add(lines);
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var isEndless = parsed.GetValue(follow);
        var query = (isEndless ? "?follow=true" : "?follow=false")
            + (parsed.GetValue(lines) is { } last ? string.Create(CultureInfo.InvariantCulture, $"&lines={last}") : "");
        var screen = json ? null : new Screen(CommandContext);
        using var stream = client.Follow($"/v1/services/{Uri.EscapeDataString(parsed.GetRequiredValue(service)!)}/logs{query}");
        while (stream.TryReadLine(out var line))
        {
            if (screen is null)
            {
                Json.Write(CommandContext.Output, line);
            }
            else
            {
                screen.Line(Text(Json.Read(line, ControlJson.Default.OutputLineDocument, client)));
            }

            if (CommandContext.OutputIsClosed)
            {
                return ExitCode.Done;
            }
        }

        return isEndless ? throw client.Lost("the daemon ended the stream") : ExitCode.Done;
    }

    private Cell Text(OutputLineDocument line)
    {
        var who = line.Pid is { } pid
            ? string.Create(CultureInfo.InvariantCulture, $"{line.Slot}[{pid}]")
            : line.Stream;
        return new Cell(HumanTime.LocalPrecise(line.At, CommandContext.Clock), Palette.Quiet)
            .And(" ").And(who + ":", Palette.Quiet).And(" ")
            .And(line.Line, line.Priority <= 3 ? Palette.Bad : line.Priority == 4 ? Palette.Attention : line.Priority == 7 ? Palette.Quiet : Palette.Plain);
    }
}
