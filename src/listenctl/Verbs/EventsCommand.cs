using System.CommandLine;
using Spectre.Console;
using Supervisor.Control;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>events [--service S] [--follow] [-n N]</c>: one line for each change of state.</summary>
internal sealed class EventsCommand : DaemonVerb
{
    private const string Leaving = "daemon-leaving";

    private readonly Option<bool> follow = new("--follow", "-f") { Description = "Continue with new events as they happen" };

    private readonly CountOption lines = new("--lines", "events", "Start with the last N events (default: all that the daemon keeps)");
    private readonly Option<string?> service = new("--service") { HelpName = "S", Description = "Only the events of this service" };

    public EventsCommand(GlobalOptions options, CommandContext context)
        : base(
            "events", "Show the last 1024 changes of state, oldest first", "[--service S] [--follow] [-n N]", options, context)
    {
        Options.Add(follow);
        Options.Add(lines);
        Options.Add(service);
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var isEndless = parsed.GetValue(follow);
        var output = json ? null : new TextOutput(Context);
        var of = parsed.GetValue(service) is { } name ? $"&service={Uri.EscapeDataString(name)}" : "";
        using var stream = client.Follow((isEndless ? "/v1/events?follow=true" : "/v1/events?follow=false") + of + lines.Parameter(parsed));
        var isLeaving = false;
        while (stream.TryReadLine(out var line))
        {
            // The document of a server-sent event is one data line.
            if (!line.AsSpan().StartsWith("data:"u8))
            {
                continue;
            }

            var data = line.AsMemory("data:".Length).TrimStart((byte)' ');
            var happened = Json.Read(data.Span, ControlJson.Default.EventDocument, client);
            isLeaving |= happened.Kind == Leaving;
            if (output is null)
            {
                Json.Write(Context.Output, data);
            }
            else
            {
                output.WriteLine(Text(happened));
            }

            if (Context.OutputIsClosed)
            {
                return ExitCode.Done;
            }
        }

        // The stream ends with the daemon. Without a daemon-leaving event the connection was lost.
        return isEndless && !isLeaving ? throw client.ConnectionLost("the daemon ended the stream") : ExitCode.Done;
    }

    private StyledText Text(EventDocument happened) => new StyledText(HumanTime.LocalPrecise(happened.At, Context.Clock), Palette.Muted)
        .Append("  ").Append(happened.Kind.PadRight("worker-keeps-accepting".Length), Style(happened)).Append("  ")
        .Append(happened.Message);

    private static Style Style(EventDocument happened) => happened.Kind switch
    {
        "service-state" => Palette.StateStyle(happened.State ?? ""),
        "worker-ready" or "listener-made" or "listener-repaired" => Palette.Success,
        "worker-draining" or "worker-backoff" or "worker-start-timeout" or "worker-pin-lost" => Palette.Warning,
        "listener-drifted" or "events-lost" or "daemon-leaving" => Palette.Warning,
        "worker-died" or "worker-hung" or "worker-killed" or "worker-cut" or "worker-keeps-accepting" => Palette.Failure,
        "listener-failed" or "rollout-failing" or "worker-crash-loop" => Palette.Failure,
        "rollout-ended" => Palette.StateStyle(happened.Rollout?.State ?? ""),
        _ => Palette.Plain,
    };
}
