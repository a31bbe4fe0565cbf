using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary>
/// A verb that changes a service and can wait for what comes of it: asked with <c>--wait</c>, the daemon answers with a
/// document for each step, and last the one with the outcome.
/// </summary>
internal abstract class ChangeVerb : Verb
{
    /// <summary>The daemon keeps the time itself; this is how much longer we wait for it to say that it is over.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly string subject;
    private readonly NameArgument service = new("SERVICE", "The service");
    private readonly Option<bool> wait = new("--wait");
    private readonly Option<TimeSpan?> timeout = new("--timeout")
    {
        HelpName = "D",
        Description = "Wait no longer than that, such as 30s or 5m; what was begun goes on. Implies --wait",
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (Duration.TryParse(text, out var duration) && duration > TimeSpan.Zero)
            {
                return duration;
            }

            result.AddError($"\"{text}\" is no duration for --timeout: write 500ms, 30s or 5m");
            return null;
        },
    };

    /// <param name="subject">What goes on where nobody waits for it any more: "roll-out".</param>
    protected ChangeVerb(string name, string description, string subject, string waitDescription, GlobalOptions options, CommandContext standard)
        : base(name, description, "SERVICE [--wait] [--timeout D]", options, standard)
    {
        this.subject = subject;
        wait.Description = waitDescription;
        Arguments.Add(service);
        Options.Add(wait);
        Options.Add(timeout);
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var name = parsed.GetRequiredValue(service)!;
        var target = $"/v1/services/{Uri.EscapeDataString(name)}/{Name}";
        var limit = parsed.GetValue(timeout);
        if (parsed.GetValue(wait) || limit is not null)
        {
            return Wait(client, target, name, limit, json);
        }

        var bytes = client.Post(target);
        if (json)
        {
            Json.Write(CommandContext.Output, bytes);
            return ExitCode.Done;
        }

        var begun = Json.Read(bytes, ControlJson.Default.ChangeDocument, client);
        new Screen(CommandContext).Line(RolloutText.Named(begun, begun.Message));
        return ExitCode.Done;
    }

    private int Wait(ControlClient client, string target, string name, TimeSpan? limit, bool json)
    {
        var query = "?wait=true";
        var deadline = Deadline.None;
        if (limit is { } span)
        {
            query += string.Create(CultureInfo.InvariantCulture, $"&timeout_ms={(long)Math.Ceiling(span.TotalMilliseconds)}");
            deadline = Deadline.After(span + Grace, CommandContext.Clock);
        }

        var screen = json ? null : new Screen(CommandContext);
        IRolloutProgress progress = screen switch
        {
            null => new PlainRolloutProgress(CommandContext.Error.WriteLine),
            { IsLive: true } => new LiveRolloutProgress(screen, name, CommandContext.Clock),
            _ => new PlainRolloutProgress(line => screen.Line(line)),
        };

        ChangeDocument? last = null;
        byte[]? bytes = null;
        try
        {
            progress.Run(show =>
            {
                using var stream = client.PostAndWatch(target + query, deadline);
                using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
                {
                    context.Cancel = true;
                    stream.Interrupt();
                });
                while (last?.Outcome is null && stream.TryReadLine(out bytes))
                {
                    last = Json.Read(bytes, ControlJson.Default.ChangeDocument, client);
                    show(last);
                }

                if (last?.Outcome is null)
                {
                    throw client.Lost($"the daemon ended the stream before the {subject}'s outcome");
                }
            });
        }
        catch (TimeoutException)
        {
            var rollout = last?.Rollout;
            last = new ChangeDocument(name, "timeout", rollout, $"{name}: the daemon has not said how the {subject} goes");
            bytes = JsonSerializer.SerializeToUtf8Bytes(last, ControlJson.Default.ChangeDocument);
        }
        catch (OperationCanceledException)
        {
            CommandContext.Error.WriteLine($"listenctl: interrupted; the {subject} of {Printable.Of(name)} goes on: see \"listenctl status {Printable.Of(name)}\"");
            return 130;
        }

        if (json)
        {
            Json.Write(CommandContext.Output, bytes);
        }

        var outcome = Printable.Of(RolloutText.Outcome(last!));
        if (last!.Outcome != "done")
        {
            CommandContext.Error.WriteLine("listenctl: " + outcome);
            return ExitCode.Failed;
        }

        screen?.Line(new Cell(outcome, Palette.Good));
        return ExitCode.Done;
    }
}
