using System.Text.RegularExpressions;

namespace Supervisor.EndToEnd;

/// <summary>Configurations of tests that do not wait in roll-outs for something that they do not test.</summary>
internal static partial class Quick
{
    /// <summary>The configuration with <c>rollout.settle = "0s"</c> for each service that does not set it.</summary>
    public static string Rollouts(string config) => Service().Replace(config, section =>
    {
        var text = section.Value;
        return text.Contains("settle", StringComparison.Ordinal) ? text
            : Table().IsMatch(text) ? Table().Replace(text, "$1 settle = \"0s\", ", 1)
            : $"{text.TrimEnd()}\nrollout.settle = \"0s\"\n\n";
    });

    /// <summary>From the header of a service to the next header.</summary>
    [GeneratedRegex(@"^\[service\.[^\]\n]+\][^\n]*\n(?:(?!\[)[^\n]*(?:\n|\z))*", RegexOptions.Multiline)]
    private static partial Regex Service();

    [GeneratedRegex(@"(?<=^rollout *= *)(\{)", RegexOptions.Multiline)]
    private static partial Regex Table();
}
