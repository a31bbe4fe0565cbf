using System.CommandLine;
using System.CommandLine.Completions;
using System.Globalization;
using Supervisor.Control;
using Supervisor.Core.Workers;

namespace Supervisor.Listenctl;

/// <summary><c>signal SERVICE SIG</c>: a signal to the main process of each worker, also of those that drain.</summary>
internal sealed class SignalCommand : Verb
{
    private readonly NameArgument service = new("SERVICE", "The service");
    private readonly Argument<int> signal = new("SIG")
    {
        Description = "The signal, with or without SIG, such as HUP, SIGUSR1 or RTMIN+3, or its number",
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (Signals.Parse(text) is { } number)
            {
                return number;
            }

            result.AddError($"\"{text}\" is no signal: write HUP, SIGUSR1, RTMIN+3 or a number from 1 to 64");
            return 0;
        },
    };

    public SignalCommand(GlobalOptions options, CommandContext standard)
        : base("signal", "Sends a signal to the main process of each of the service's workers", "SERVICE SIG", options, standard)
    {
        Arguments.Add(service);
        Arguments.Add(signal);
        signal.CompletionSources.Add(_ => Enumerable.Range(1, 31).Select(number => new CompletionItem(Signals.Name(number)[3..])));
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var name = parsed.GetRequiredValue(service)!;
        var bytes = client.Post(string.Create(CultureInfo.InvariantCulture, $"/v1/services/{Uri.EscapeDataString(name)}/signal?signal={parsed.GetValue(signal)}"));
        if (json)
        {
            Json.Write(CommandContext.Output, bytes);
            return ExitCode.Done;
        }

        var sent = Json.Read(bytes, ControlJson.Default.SignalDocument, client);
        new Screen(CommandContext).Line(sent.Message);
        return ExitCode.Done;
    }
}
