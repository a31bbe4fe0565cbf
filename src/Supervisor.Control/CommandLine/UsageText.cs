using System.CommandLine.Parsing;

namespace Supervisor.Control.CommandLine;

/// <summary>The errors of a command line in the words of this project. The framework has its own, some with names of types.</summary>
public static class UsageText
{
    /// <summary>The text of an error.</summary>
    public static string Of(ParseError error) => Of(error.Message);

    /// <summary>The text for a message of the framework; the message itself if it is another.</summary>
    public static string Of(string message)
    {
        // Names and values are in single quotes. A value may have quotes too: it is what is between the first and the known end.
        var parts = message.Split('\'');
        return parts switch
        {
            ["Required argument ", var name, " missing for command: ", _, _] => $"missing argument {name}",
            ["Required argument missing for option: ", var option, _] => $"missing value for {option}",
            ["Option ", var option, " is required."] => $"missing option {option}",
            ["Option ", var option, var rest] when rest.StartsWith(" expects a single argument", StringComparison.Ordinal) =>
                $"{option} is written more than once",
            ["Unrecognized command or argument ", .. var value, "."] => $"unexpected argument \"{string.Join('\'', value)}\"",
            ["Argument ", var value, " not recognized. Must be one of:" or " not recognized. Must be one of:\n\t", .. var known] =>
                $"invalid value \"{value}\": use one of {string.Join(", ", known.Select(part => part.Trim()).Where(part => part.Length > 0))}",
            ["Cannot parse argument ", var value, " for option ", var option, ..] => $"invalid value \"{value}\" for {option}",
            ["Required command was not provided."] => "missing command",
            _ => message,
        };
    }
}
