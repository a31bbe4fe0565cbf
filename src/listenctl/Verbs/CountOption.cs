using System.CommandLine;
using System.Globalization;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>-n N</c>: only the last N of what a stream has.</summary>
internal sealed class CountOption : Option<long?>
{
    /// <param name="name">The long name.</param>
    /// <param name="what">What N counts, such as "lines".</param>
    /// <param name="description">What the option does.</param>
    public CountOption(string name, string what, string description)
        : base(name, "-n")
    {
        HelpName = "N";
        Description = description;
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return number;
            }

            result.AddError($"invalid number of {what} \"{text}\"");
            return null;
        };
    }

    /// <summary>The option as a parameter of a request that has other parameters; empty if it is not given.</summary>
    public string Parameter(ParseResult parsed) =>
        parsed.GetValue(this) is { } count ? string.Create(CultureInfo.InvariantCulture, $"&lines={count}") : "";
}
