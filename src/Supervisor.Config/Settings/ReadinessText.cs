using System.Globalization;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Values;
using Supervisor.Core.Services;

namespace Supervisor.Config.Settings;

/// <summary>The text of a condition that a worker meets: <c>ready</c>.</summary>
internal static class ReadinessText
{
    public const string Pattern = "^(notify|started|accepting|tcp|http:/[!-~]*|fd:[0-9]{1,4}|log:.+|exec:.+)$";

    public const string ProbePattern = "^(tcp|http:/[!-~]*|exec:.+)$";

    private static readonly string[] Words = ["notify", "started", "accepting", "tcp"];

    public static ParseResult<Readiness> Parse(string text, ConfigContext context)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var argument = colon < 0 ? "" : text[(colon + 1)..];
        return (colon < 0 ? text : text[..(colon + 1)]) switch
        {
            "notify" => Readiness.Notify,
            "started" => Readiness.Started,
            "accepting" => new Readiness(ReadinessKind.Accepting),
            "tcp" => new Readiness(ReadinessKind.Tcp),
            "http:" => Http(text, argument),
            "fd:" => Descriptor(text, argument),
            "log:" => Log(text, argument),
            "exec:" => Exec(text, argument),
            _ => new ValueError(
                $"{Quoted.Text(text)} is not one of notify, started, accepting, tcp, http:/PATH, fd:N, log:TEXT, exec:COMMAND",
                Spelling.Nearest(text, Words) is { } near
                    ? $"did you mean {Quoted.Text(near)}?"
                    : "write \"notify\", \"started\", \"accepting\" or \"http:/healthz\""),
        };
    }

    /// <summary>A condition that can be tested again and again: <c>liveness.probe</c>.</summary>
    public static ParseResult<Readiness> ParseProbe(string text, ConfigContext context)
    {
        var isProbe = text == "tcp" || text.Split(':', 2) is ["http" or "exec", _];
        return isProbe
            ? Parse(text, context)
            : new ValueError($"{Quoted.Text(text)} is not one of tcp, http:/PATH, exec:COMMAND", "write \"http:/healthz\", or \"tcp\"");
    }

    private static ParseResult<Readiness> Http(string text, string path) =>
        path.StartsWith('/') && !path.StartsWith("//", StringComparison.Ordinal) && path.All(c => c is > ' ' and <= '~')
            ? new Readiness(ReadinessKind.Http, path)
            : new ValueError(
                $"{Quoted.Text(text)} has no valid path: a path begins with \"/\" and has no spaces",
                "write a path, such as \"http:/healthz\"");

    private static ParseResult<Readiness> Descriptor(string text, string number) =>
        int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var descriptor)
        && descriptor is >= Readiness.LowestDescriptor and <= Readiness.HighestDescriptor
            ? new Readiness(ReadinessKind.Descriptor) { Descriptor = descriptor }
            : new ValueError(
                $"{Quoted.Text(text)} has no valid descriptor: it is a number from {Readiness.LowestDescriptor} to "
                + $"{Readiness.HighestDescriptor}",
                "write a number that no listener has, such as \"fd:10\"");

    private static ParseResult<Readiness> Log(string text, string part) => part.Length > 0
        ? new Readiness(ReadinessKind.Log) { Text = part }
        : new ValueError($"{Quoted.Text(text)} has no text", "write a part of the line, such as \"log:Listening on\"");

    private static ParseResult<Readiness> Exec(string text, string command) => ShellWords.Split(command) switch
    {
        null => new ValueError($"{Quoted.Text(text)} has a quote without an end", "close the quote"),
        [{ Length: > 0 }, ..] words => new Readiness(ReadinessKind.Exec) { Command = [.. words] },
        _ => new ValueError($"{Quoted.Text(text)} has no program", "write a command, such as \"exec:/usr/bin/pg_isready -q\""),
    };
}
