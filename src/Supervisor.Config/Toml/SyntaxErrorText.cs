using System.Buffers;
using System.Text.RegularExpressions;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Toml;

/// <summary>
/// A syntax error for people: what is wrong, what to write instead, and where the mistake is. Tomlyn often notices it later.
/// </summary>
internal static partial class SyntaxErrorText
{
    /// <summary>What makes a value more than one word.</summary>
    private static readonly SearchValues<char> Structure = SearchValues.Create("\"'[]{},=");


    /// <summary>The texts for an error of the statement that begins at <paramref name="start"/>.</summary>
    public static (string Message, string Remedy, int Offset) For(string text, SyntaxFault error, int start)
    {
        if (error.IsTooDeep)
        {
            return (
                "arrays or tables are nested too deeply: a setting has at most three levels",
                "remove the surplus brackets or braces", error.Offset);
        }

        if (error.Message.StartsWith("Invalid newline in a string", StringComparison.Ordinal)
            || error.Message.StartsWith("Invalid End-Of-File found on string", StringComparison.Ordinal))
        {
            return ("a string is not closed before the end of its line", "close it with the quote that opens it", error.Offset);
        }

        var line = SyntaxReader.Line(text, start).ToString();
        var atKey = start + (line.Length - line.TrimStart().Length);
        if (error.Message.StartsWith("Invalid End-Of-File found for multi-line string", StringComparison.Ordinal))
        {
            return ("the string that begins here is not closed", "close it with the three quotes that open it", atKey);
        }

        if (line.TrimStart().StartsWith('['))
        {
            return ForHeader(line, error.Offset);
        }

        var statement = SyntaxReader.Statement().Match(line);
        if (statement.Success)
        {
            var known = SyntaxReader.LineStart(text, error.Offset) == start
                ? ForValue(text, error, start, line, statement)
                : ForLongValue(text, error, start, statement.Groups["key"].Value, atKey);
            if (known is { } texts)
            {
                return texts;
            }
        }

        return (Clean(error.Message), DiagnosticList.SyntaxRemedy, error.Offset);
    }

    private static (string Message, string Remedy, int Offset) ForHeader(string line, int offset)
    {
        var header = Quoted.Text(line.Trim());
        return SyntaxReader.MeantHeader(line) is { } name
            ? ($"invalid section header {header}", $"write [{name}] on a line of its own", offset)
            : ($"invalid section header {header}: its settings were skipped", "write [daemon], [listener.NAME] or [service.NAME]", offset);
    }

    /// <summary>An error in a later line of the statement; null if its cause is unknown.</summary>
    private static (string Message, string Remedy, int Offset)? ForLongValue(
        string text, SyntaxFault error, int start, string key, int atKey)
    {
        var at = SyntaxReader.LineStart(text, error.Offset);
        var isOpen = SyntaxReader.MayBegin(SyntaxReader.Line(text, at)) || text.AsSpan(at).IsWhiteSpace();
        return isOpen && Closing(text, start) is { } closing
            ? ($"the value of {key} that begins here is not closed", $"close it with {closing}", atKey)
            : null;
    }

    /// <summary>An error in the statement's first line; null if its cause is unknown.</summary>
    private static (string Message, string Remedy, int Offset)? ForValue(
        string text, SyntaxFault error, int start, string line, Match statement)
    {
        var key = statement.Groups["key"].Value;
        var value = Comment().Replace(line[statement.Length..], "").Trim();
        if (value.Length == 0)
        {
            return ($"{key} has no value", $"write {key} = VALUE, with strings in quotes", error.Offset);
        }

        if (value.AsSpan().IndexOfAny(Structure) < 0)
        {
            var at = start + line.IndexOf(value, statement.Length, StringComparison.Ordinal);
            return (
                $"{Quoted.Text(value)[1..^1]} is not a TOML value",
                Meant(value) is { } word ? $"write {key} = {word}" : $"write strings in quotes: {key} = {InQuotes(value)}", at);
        }

        return error.Message.EndsWith("for a value", StringComparison.Ordinal)
            && Bare().Match(text, error.Offset) is { Success: true } bare
            ? (
                $"{Quoted.Text(bare.Value)[1..^1]} is not a TOML value",
                $"write {Meant(bare.Value) ?? $"strings in quotes: {InQuotes(bare.Value)}"}", error.Offset)
            : null;
    }

    /// <summary>Names, paths and addresses without the quotes that they need.</summary>
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

    private static string InQuotes(string value)
    {
        var quoted = Quoted.Text(value);
        return value.Contains('\\', StringComparison.Ordinal) ? $"'{quoted[1..^1]}'" : quoted;
    }

    /// <summary>What closes the value that begins behind the "=" of a statement; null if nothing has to.</summary>
    private static string? Closing(string text, int start)
    {
        var value = text.AsSpan(text.IndexOf('=', start) + 1).TrimStart();
        return value.StartsWith("\"\"\"") ? "\"\"\""
            : value.StartsWith("'''") ? "'''"
            : value.StartsWith("[") ? "]"
            : value.StartsWith("{") ? "} on the same line"
            : null;
    }

    private static string Clean(string message) => TokenName().Replace(message, "")
        .Replace("token `newline`", "the end of the line", StringComparison.Ordinal)
        .Replace("`␤`", "the end of the line", StringComparison.Ordinal)
        .Replace("instead of ␤", "instead of the end of the line", StringComparison.Ordinal);
}
