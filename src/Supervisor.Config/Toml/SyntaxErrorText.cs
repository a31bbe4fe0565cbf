using System.Buffers;
using System.Text.RegularExpressions;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Toml;

/// <summary>A syntax error for people: what is wrong, what to write instead, and where the mistake is rather than where it was noticed.</summary>
internal static partial class SyntaxErrorText
{
    /// <summary>What makes a value more than one word.</summary>
    private static readonly SearchValues<char> Structure = SearchValues.Create("\"'[]{},=");

    private const string General = "write the line as TOML has it: key = value, strings in quotes";

    /// <summary>The texts for an error of the statement that begins at <paramref name="start"/>.</summary>
    public static (string Message, string Remedy, int Offset) For(string text, SyntaxFault error, int start)
    {
        var line = SyntaxReader.Line(text, start).ToString();
        var isOnFirstLine = SyntaxReader.LineStart(text, error.Offset) == start;
        var statement = SyntaxReader.Statement().Match(line);
        var key = statement.Success ? statement.Groups["key"].Value : null;
        var atKey = start + (line.Length - line.TrimStart().Length);
        if (error.IsTooDeep)
        {
            return ("arrays and tables are nested too deep: no setting has more than three levels", "remove the brackets or braces that are too many", error.Offset);
        }

        if (error.Message.StartsWith("Invalid newline in a string", StringComparison.Ordinal) || error.Message.StartsWith("Invalid End-Of-File found on string", StringComparison.Ordinal))
        {
            return ("a string is not closed before the end of its line", "end it with the quote with which it begins", error.Offset);
        }

        if (error.Message.StartsWith("Invalid End-Of-File found for multi-line string", StringComparison.Ordinal))
        {
            return ("the string that begins here is never closed", "end it with the three quotes with which it begins", atKey);
        }

        if (line.TrimStart().StartsWith('['))
        {
            var name = SyntaxReader.MeantHeader(line);
            return name is null
                ? ($"{Quoted.Text(line.Trim())} is not a valid name of a section; its settings were not looked at", "write [daemon], [listener.NAME] or [service.NAME]", error.Offset)
                : ($"the name of a section is not as TOML has it: {Quoted.Text(line.Trim())}", $"write [{name}] on a line of its own", error.Offset);
        }

        if (key is not null && !isOnFirstLine)
        {
            var at = SyntaxReader.LineStart(text, error.Offset);
            var isFound = SyntaxReader.MayBegin(SyntaxReader.Line(text, at)) || text.AsSpan(at).IsWhiteSpace();
            return isFound && Closing(text, start) is { } closing
                ? ($"the value of {key} that begins here is not closed", $"end it with {closing}", atKey)
                : (Clean(error.Message), General, error.Offset);
        }

        if (key is not null && isOnFirstLine)
        {
            var value = Comment().Replace(line[statement.Length..], "").Trim();
            if (value.Length == 0)
            {
                return ($"{key} has no value", $"write {key} = VALUE, strings in quotes", error.Offset);
            }

            if (value.AsSpan().IndexOfAny(Structure) < 0)
            {
                var at = start + line.IndexOf(value, statement.Length, StringComparison.Ordinal);
                return ($"{Quoted.Text(value)[1..^1]} is not a TOML value", Meant(value) is { } word ? $"write {key} = {word}" : $"write strings in quotes: {key} = {InQuotes(value)}", at);
            }

            if (error.Message.EndsWith("for a value", StringComparison.Ordinal) && Bare().Match(text, error.Offset) is { Success: true } bare)
            {
                return ($"{Quoted.Text(bare.Value)[1..^1]} is not a TOML value", $"write {Meant(bare.Value) ?? $"strings in quotes: {InQuotes(bare.Value)}"}", error.Offset);
            }
        }

        return (Clean(error.Message), General, error.Offset);
    }

    /// <summary>Names, paths and addresses, as they are written without the quotes that they need.</summary>
    [GeneratedRegex("""\G[A-Za-z0-9_/~.@*+:%-]+""")]
    private static partial Regex Bare();

    [GeneratedRegex("""(?:^|[ \t])#.*$""")]
    private static partial Regex Comment();

    [GeneratedRegex(@" \(token: [^)]*\)")]
    private static partial Regex TokenName();

    /// <summary>A boolean in another spelling.</summary>
    private static string? Meant(string value) => value.ToUpperInvariant() switch
    {
        "TRUE" or "YES" or "ON" => "true",
        "FALSE" or "NO" or "OFF" => "false",
        _ => null,
    };

    private static string InQuotes(string value) => Quoted.Text(value) is var quoted && value.Contains('\\', StringComparison.Ordinal) ? $"'{quoted[1..^1]}'" : quoted;

    /// <summary>What ends the value that begins behind the "=" of a statement.</summary>
    private static string? Closing(string text, int start)
    {
        var value = text.AsSpan(text.IndexOf('=', start) + 1).TrimStart();
        return value.StartsWith("\"\"\"") ? "\"\"\"" : value.StartsWith("'''") ? "'''" : value.StartsWith("[") ? "]" : value.StartsWith("{") ? "} on the same line" : null;
    }

    private static string Clean(string message) => TokenName().Replace(message, "").Replace("token `newline`", "the end of the line", StringComparison.Ordinal).Replace("`␤`", "the end of the line", StringComparison.Ordinal).Replace("instead of ␤", "instead of the end of the line", StringComparison.Ordinal);
}
