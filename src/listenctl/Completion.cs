using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;

namespace Supervisor.Listenctl;

/// <summary>
/// What a shell asks as <c>listenctl "[suggest:POSITION]" "LINE"</c>: the words that may stand at that character of the
/// line, one a line. Names come from the daemon; where it does not answer, there are none, and nothing is said about it.
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

    /// <summary>The question; null where the command line is none.</summary>
    public static Completion? Asked(IReadOnlyList<string> args)
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

    /// <summary>Writes the answer.</summary>
    public void Answer(Command root, GlobalOptions options, CommandContext standard)
    {
        var text = line[..position];
        var parsed = root.Parse(text, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var verb = parsed.CommandResult.Command;
        var here = ArgumentHere(parsed, text);

        // Asked as it is, the parser offers what any argument of the verb may be, also of one that stands there already.
        foreach (var argument in verb.Arguments.Where(argument => argument != here))
        {
            argument.CompletionSources.Clear();
        }

        var source = here?.Name switch { "SERVICE" => "/v1/status", "LISTENER" or "NAME" => "/v1/listeners", _ => null };
        if (here is not null && source is not null)
        {
            here.CompletionSources.Add(context => Names(context.ParseResult.GetValue(options.Socket), standard, source));
        }

        using var output = new StreamWriter(standard.Output, leaveOpen: true);
        var items = parsed.GetCompletions(position).Select(item => item.InsertText ?? item.Label).Distinct();
        foreach (var item in items.OrderBy(item => item.StartsWith('-')))
        {
            output.Write(Printable.Of(item) + "\n");
        }
    }

    /// <summary>The argument that the word at the cursor is, or would be; null where the verb has no further one, and after --.</summary>
    private static Argument? ArgumentHere(ParseResult parsed, string text)
    {
        var tokens = parsed.Tokens.ToList();
        if (text.Length > 0 && !char.IsWhiteSpace(text[^1]) && tokens.Count > 0)
        {
            tokens.RemoveAt(tokens.Count - 1);
        }

        var there = tokens.Count(token => token.Type == TokenType.Argument && !parsed.CommandResult.Children.OfType<OptionResult>().Any(option => option.Tokens.Contains(token)));
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

    /// <summary>The names in a document of the daemon: of its services, or of its listeners.</summary>
    private static IEnumerable<CompletionItem> Names(string? socket, CommandContext standard, string source)
    {
        try
        {
            var client = ControlClient.For(socket, standard);
            client.SuccessorPatience = TimeSpan.Zero;
            using var document = Json.Parse(client.Get(source), client);
            var list = document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("services", out var services) ? services : document.RootElement;
            return list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray().Select(Json.Name).OfType<string>().Select(name => new CompletionItem(name))] : [];
        }
        catch (ControlException)
        {
            return [];
        }
    }
}
