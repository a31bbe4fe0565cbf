using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using Supervisor.Control;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Reports;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary>
/// A verb that changes a service. With <c>--wait</c> the daemon answers with a document for each step, and with a last one
/// that has the outcome.
/// </summary>
internal abstract class ChangeVerb : DaemonVerb
{
    /// <summary>The exit status of an interrupted wait: 128 and SIGINT, as a shell reports it.</summary>
    private const int Interrupted = 130;

    private readonly string subject;
    private readonly NameArgument service = new("SERVICE", "The service");
    private readonly Option<bool> wait = new("--wait");
    private readonly Option<TimeSpan?> timeout = WaitTimeout.Option();

    /// <param name="name">The verb.</param>
    /// <param name="description">What it does, in the imperative.</param>
    /// <param name="subject">What continues when the client stops waiting: "roll-out".</param>
    /// <param name="waitDescription">What --wait does.</param>
    /// <param name="options">The options of all verbs.</param>
    /// <param name="context">Where the verb writes.</param>
    /// <param name="usage">Its arguments and options.</param>
    protected ChangeVerb(
        string name, string description, string subject, string waitDescription, GlobalOptions options, CommandContext context,
        string usage = "SERVICE [--wait] [--timeout D]")
        : base(name, description, usage, options, context)
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
        var parameters = Parameters(parsed);
        var limit = parsed.GetValue(timeout);
        return parsed.GetValue(wait) || limit is not null
            ? Wait(client, target, parameters, name, limit, json)
            : Print(client.Post(parameters.Length == 0 ? target : $"{target}?{parameters[1..]}"), json,
                document => ChangeText.Named(Json.Read(document, ControlJson.Default.ChangeDocument, client)));
    }

    /// <summary>Further parameters of the request, each after an ampersand; empty if there are none.</summary>
    protected virtual string Parameters(ParseResult parsed) => "";

    private int Wait(ControlClient client, string target, string parameters, string name, TimeSpan? limit, bool json)
    {
        var (query, deadline) = WaitTimeout.Of(limit, Context.Clock);
        var output = json ? null : new TextOutput(Context);
        (ChangeDocument Document, byte[] Bytes) last;
        try
        {
            last = Follow(client, target + query + parameters, deadline, Progress(output, name), name);
        }
        catch (OperationCanceledException)
        {
            var printable = Printable.Of(name);
            Context.Error.WriteLine(
                $"listenctl: interrupted, the {subject} of {printable} continues: see \"listenctl status {printable}\"");
            return Interrupted;
        }

        if (json)
        {
            Json.Write(Context.Output, last.Bytes);
        }

        var outcome = Printable.Of(ChangeText.Outcome(last.Document));
        if (last.Document.Outcome != "done")
        {
            Context.Error.WriteLine("listenctl: " + outcome);
            return ExitCode.Failed;
        }

        output?.WriteLine(new StyledText(outcome, Palette.Success));
        return ExitCode.Done;
    }

    private IRolloutProgress Progress(TextOutput? output, string name) => output switch
    {
        null => new PlainRolloutProgress(Context.Error.WriteLine),
        { IsLive: true } => new LiveRolloutProgress(output, name, Context.Clock),
        _ => new PlainRolloutProgress(line => output.WriteLine(line)),
    };

    /// <summary>
    /// Shows each step until the outcome and returns the last document; Ctrl-C is an <see cref="OperationCanceledException"/>.
    /// </summary>
    private (ChangeDocument Document, byte[] Bytes) Follow(
        ControlClient client, string target, Deadline deadline, IRolloutProgress progress, string name)
    {
        ChangeDocument? last = null;
        byte[]? bytes = null;
        try
        {
            progress.Run(show =>
            {
                using var stream = client.PostAndWatch(target, deadline);
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
                    throw client.ConnectionLost($"the daemon ended the stream before the outcome of the {subject}");
                }
            });
        }
        catch (TimeoutException)
        {
            last = new ChangeDocument(name, "timeout", last?.Rollout, $"{name}: the daemon does not report on the {subject}");
            bytes = JsonSerializer.SerializeToUtf8Bytes(last, ControlJson.Default.ChangeDocument);
        }

        return (last!, bytes!);
    }
}
