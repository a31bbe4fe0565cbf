using System.CommandLine;
using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary><c>events [--follow]</c>: one line for each change of state, oldest first.</summary>
internal sealed class EventsCommand : Verb
{
    private readonly Option<bool> follow = new("--follow", "-f") { Description = "Go on with what happens from now on" };

    public EventsCommand(GlobalOptions options, CommandContext standard)
        : base("events", "What has happened, oldest first: the last 1024 changes of state", "[--follow]", options, standard) => Options.Add(follow);

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var isEndless = parsed.GetValue(follow);
        var screen = json ? null : new Screen(CommandContext);
        using var stream = client.Follow(isEndless ? "/v1/events" : "/v1/events?follow=false");
        var isLeaving = false;
        while (stream.TryReadLine(out var line))
        {
            // Of a server-sent event the data says all; each is one line.
            if (!line.AsSpan().StartsWith("data:"u8))
            {
                continue;
            }

            var data = line.AsMemory("data:".Length).TrimStart((byte)' ');
            var happened = Json.Read(data.Span, ControlJson.Default.EventDocument, client);
            isLeaving |= happened.Kind == "daemon-leaving";
            if (screen is null)
            {
                Json.Write(CommandContext.Output, data);
            }
            else
            {
                screen.Line(Text(happened));
            }

            if (CommandContext.OutputIsClosed)
            {
                return ExitCode.Done;
            }
        }

        // The stream ends with the daemon; one that goes away without having said so is lost.
        return isEndless && !isLeaving ? throw client.Lost("the daemon ended the stream") : ExitCode.Done;
    }

    private Cell Text(EventDocument happened) => new Cell(HumanTime.LocalPrecise(happened.At, CommandContext.Clock), Palette.Quiet)
        .And("  ").And(happened.Kind.PadRight("worker-keeps-accepting".Length), Style(happened)).And("  ").And(happened.Message);

    private static Spectre.Console.Style Style(EventDocument happened) => happened.Kind switch
    {
        "service-state" => Palette.StateStyle(happened.State ?? ""),
        "worker-ready" or "listener-made" or "listener-repaired" => Palette.Good,
        "worker-draining" or "worker-backoff" or "worker-start-timeout" or "listener-drifted" or "events-lost" or "daemon-leaving" => Palette.Attention,
        "worker-died" or "worker-hung" or "worker-killed" or "worker-cut" or "worker-keeps-accepting" or "listener-failed" or "rollout-failing" => Palette.Bad,
        "rollout-ended" => Palette.StateStyle(happened.Rollout?.State ?? ""),
        _ => Palette.Plain,
    };
}
