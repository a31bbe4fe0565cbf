using System.CommandLine;
using System.Globalization;
using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary><c>scale SERVICE N</c>: changes the number of workers, until the daemon reads another one from its configuration.</summary>
internal sealed class ScaleCommand : Verb
{
    private const int MaxWorkers = 10_000;

    private readonly NameArgument service = new("SERVICE", "The service");
    private readonly Argument<int> workers = new("N")
    {
        Description = "How many workers, 1 to 10000; what is too many drains",
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= MaxWorkers)
            {
                return number;
            }

            result.AddError($"\"{text}\" is no number of workers: write 1 to {MaxWorkers}; to have none, stop the service");
            return 0;
        },
    };

    public ScaleCommand(GlobalOptions options, CommandContext standard)
        : base("scale", "Changes the service's number of workers", "SERVICE N", options, standard)
    {
        Arguments.Add(service);
        Arguments.Add(workers);
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var name = parsed.GetRequiredValue(service)!;
        var bytes = client.Post(string.Create(CultureInfo.InvariantCulture, $"/v1/services/{Uri.EscapeDataString(name)}/scale?workers={parsed.GetValue(workers)}"));
        if (json)
        {
            Json.Write(CommandContext.Output, bytes);
            return ExitCode.Done;
        }

        var scaled = Json.Read(bytes, ControlJson.Default.ChangeDocument, client);
        new Screen(CommandContext).Line(RolloutText.Named(scaled, scaled.Message));
        return ExitCode.Done;
    }
}
