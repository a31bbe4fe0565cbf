using System.CommandLine;
using System.Globalization;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>--worker SLOT</c>: only the worker of one slot.</summary>
internal sealed class SlotOption : Option<int?>
{
    public SlotOption(string description)
        : base("--worker")
    {
        HelpName = "SLOT";
        Description = description;
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var slot))
            {
                return slot;
            }

            result.AddError($"invalid slot \"{text}\" for --worker: use a number from 0, as \"listenctl status\" shows it");
            return null;
        };
    }

    /// <summary>The option as a parameter of a request that has other parameters; empty if it is not given.</summary>
    public string Parameter(ParseResult parsed) =>
        parsed.GetValue(this) is { } slot ? string.Create(CultureInfo.InvariantCulture, $"&worker={slot}") : "";
}
