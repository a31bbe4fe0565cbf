using System.CommandLine;
using System.Globalization;
using Supervisor.Control;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Reports;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>scale SERVICE N</c>: changes the number of workers until a reload reads another one.</summary>
internal sealed class ScaleCommand : DaemonVerb
{
    private const int MaxWorkers = 10_000;

    private readonly NameArgument service = new("SERVICE", "The service");
    private readonly Argument<int> workers = new("N")
    {
        Description = "The number of workers, 1 to 10000; surplus workers drain",
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= MaxWorkers)
            {
                return number;
            }

            result.AddError($"invalid number of workers \"{text}\": use 1 to {MaxWorkers}, or stop the service");
            return 0;
        },
    };

    public ScaleCommand(GlobalOptions options, CommandContext context)
        : base("scale", "Change the number of workers of a service", "SERVICE N", options, context)
    {
        Arguments.Add(service);
        Arguments.Add(workers);
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var name = Uri.EscapeDataString(parsed.GetRequiredValue(service)!);
        var bytes = client.Post(
            string.Create(CultureInfo.InvariantCulture, $"/v1/services/{name}/scale?workers={parsed.GetValue(workers)}"));
        return Print(bytes, json, document => ChangeText.Named(Json.Read(document, ControlJson.Default.ChangeDocument, client)));
    }
}
