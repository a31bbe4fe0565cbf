using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Terminal;
using Supervisor.Listenctl.Verbs;

namespace Supervisor.Listenctl;

/// <summary>
/// Completion for shells: <c>listenctl "[suggest:POSITION]" "LINE"</c> prints the words that can complete
/// the line at that character, one per line. Names come from the daemon; without an answer there are no names and no error.
/// </summary>
internal sealed class Completion
{
    private const string Directive = "[suggest";

    private readonly string line;
    private readonly int position;

    private Completion(string line, int position)
    {
        this.line = line;
        this.position = position;
    }

    /// <summary>The request; null if the command line is not one.</summary>
    public static Completion? Parse(IReadOnlyList<string> args)
    {
        if (args.Count is not (1 or 2) || !args[0].StartsWith(Directive, StringComparison.Ordinal) || args[0] is not [.., ']'])
        {
            return null;
        }

        var line = args.Count == 2 ? args[1] : "";
        return int.TryParse(args[0].AsSpan(Directive.Length).Trim(":]"), NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            ? new Completion(line, Math.Min(position, line.Length))
            : new Completion(line, line.Length);
    }

    /// <summary>Writes the words.</summary>
    public void Write(Command root, GlobalOptions options, CommandContext context)
    {
        var text = line[..position];
        var parsed = root.Parse(text, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var verb = parsed.CommandResult.Command;
        var here = ArgumentHere(parsed, text);

        // The parser offers the words of every argument of the verb, also of those that the line has already.
        foreach (var argument in verb.Arguments.Where(argument => argument != here))
        {
            argument.CompletionSources.Clear();
        }

        var source = here?.Name switch
        {
            "SERVICE" => "/v1/status?usage=false",
            "LISTENER" or "NAME" => "/v1/listeners?options=false&drift=false",
            _ => null,
        };
        // Names of another host would need a connection there for each key.
        if (here is not null && source is not null && parsed.GetResult(options.Host) is null)
        {
            here.CompletionSources.Add(asked => Names(asked.ParseResult.GetValue(options.Socket), context, source));
        }

        using var output = new StreamWriter(context.Output, leaveOpen: true);
        var items = parsed.GetCompletions(position).Select(item => item.InsertText ?? item.Label).Distinct();
        foreach (var item in items.OrderBy(item => item.StartsWith('-')))
        {
            output.Write(Printable.Of(item) + "\n");
        }
    }

    /// <summary>The argument at the cursor; null if the verb has no further argument, and after --.</summary>
    private static Argument? ArgumentHere(ParseResult parsed, string text)
    {
        var tokens = parsed.Tokens.ToList();
        if (text.Length > 0 && !char.IsWhiteSpace(text[^1]) && tokens.Count > 0)
        {
            tokens.RemoveAt(tokens.Count - 1);
        }

        bool IsValueOfOption(Token token) =>
            parsed.CommandResult.Children.OfType<OptionResult>().Any(option => option.Tokens.Contains(token));
        var there = tokens.Count(token => token.Type == TokenType.Argument && !IsValueOfOption(token));
        foreach (var argument in tokens.Exists(token => token.Type == TokenType.DoubleDash) ? [] : parsed.CommandResult.Command.Arguments)
        {
            if (there < argument.Arity.MaximumNumberOfValues)
            {
                return argument;
            }

            there -= argument.Arity.MaximumNumberOfValues;
        }

        return null;
    }

    /// <summary>The names in a document of the daemon: services or listeners.</summary>
    private static IEnumerable<CompletionItem> Names(string? socket, CommandContext context, string source)
    {
        try
        {
            var client = ControlClient.For(socket, context);
            client.SuccessorTimeout = TimeSpan.Zero;
            using var document = Json.Parse(client.Get(source), client);
            var root = document.RootElement;
            var list = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("services", out var services) ? services : root;
            return list.ValueKind == JsonValueKind.Array
                ? [.. list.EnumerateArray().Select(Json.Name).OfType<string>().Select(name => new CompletionItem(name))]
                : [];
        }
        catch (ControlException)
        {
            return [];
        }
    }
}
