using System.CommandLine;
using System.CommandLine.Completions;
using System.Globalization;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary>
/// <c>signal SERVICE SIG [--worker SLOT] [--force]</c>: a signal to the main process of each worker, draining ones included.
/// </summary>
internal sealed class SignalCommand : DaemonVerb
{
    private readonly NameArgument service = new("SERVICE", "The service");
    private readonly Argument<int> signal = new("SIG")
    {
        // Without it, the help has a column with all signals.
        HelpName = "SIG",
        Description = "A signal name with or without SIG, such as HUP, SIGUSR1 or RTMIN+3, or a number",
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (Signals.Parse(text) is { } number)
            {
                return number;
            }

            result.AddError($"unknown signal \"{text}\": use HUP, SIGUSR1, RTMIN+3 or a number from 1 to 64");
            return 0;
        },
    };

    private readonly SlotOption worker = new("Send it only to the workers of this slot");
    private readonly Option<bool> force = new("--force")
    {
        Description = "Send it also to workers that do not handle it and that its default action ends or stops",
    };

    public SignalCommand(GlobalOptions options, CommandContext context)
        : base("signal", "Send a signal to the main process of each worker of a service", "SERVICE SIG [--worker SLOT] [--force]", options,
            context)
    {
        Arguments.Add(service);
        Arguments.Add(signal);
        Options.Add(worker);
        Options.Add(force);
        signal.CompletionSources.Add(_ => Enumerable.Range(1, 31).Select(number => new CompletionItem(Signals.Name(number)[3..])));
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var name = Uri.EscapeDataString(parsed.GetRequiredValue(service)!);
        var bytes = client.Post(
            string.Create(CultureInfo.InvariantCulture, $"/v1/services/{name}/signal?signal={parsed.GetValue(signal)}")
            + worker.Parameter(parsed) + (parsed.GetValue(force) ? "&force=true" : ""));
        return Print(bytes, json, document => Json.Read(document, ControlJson.Default.SignalDocument, client).Message);
    }
}
