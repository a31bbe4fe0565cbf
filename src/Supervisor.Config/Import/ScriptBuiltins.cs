using System.Globalization;
using System.Text;

namespace Supervisor.Config.Import;

/// <summary>A function that a script can call.</summary>
/// <param name="arguments">The arguments.</param>
internal delegate object? ScriptFunction(IReadOnlyList<DataNode> arguments);

/// <summary>What a configuration in JavaScript may use of Node. Nothing of it looks at the host.</summary>
internal static class ScriptBuiltins
{
    /// <summary>The modules that <c>require()</c> and <c>import</c> give; null for another module.</summary>
    /// <param name="name">Its name, with or without <c>node:</c>.</param>
    /// <param name="folder">The folder of the file, absolute.</param>
    public static DataMap? Module(string name, string folder) => name switch
    {
        "path" or "node:path" => Of(
            ("join", arguments => Normalized(string.Join('/', Texts(arguments).Where(part => part.Length > 0)))),
            ("resolve", arguments => Resolved(folder, Texts(arguments))),
            ("dirname", arguments => Path.GetDirectoryName(Texts(arguments).FirstOrDefault("")) ?? "/"),
            ("basename", arguments => Base([.. Texts(arguments)])),
            ("extname", arguments => Path.GetExtension(Texts(arguments).FirstOrDefault("")))),
        "os" or "node:os" => Of(
            ("cpus", _ => Enumerable.Repeat(new DataNode(0, new DataMap()), Environment.ProcessorCount).ToList()),
            ("availableParallelism", _ => (double)Environment.ProcessorCount),
            ("hostname", _ => Environment.MachineName)),
        "dotenv" => Of(("config", _ => Of())),
        _ => null,
    };

    /// <summary>The global functions.</summary>
    public static DataMap Globals() => Of(
        ("String", arguments => arguments.Count == 0 ? "" : arguments[0].Text ?? arguments[0].Display),
        ("Number", arguments => arguments.Count == 0 ? 0 : arguments[0].Number ?? double.NaN),
        ("Boolean", arguments => arguments.Count > 0 && arguments[0].IsTrue),
        ("parseFloat", arguments => arguments.Count == 0 ? double.NaN : arguments[0].Number ?? double.NaN),
        ("parseInt", arguments => Whole(arguments.Count == 0 ? "" : arguments[0].Text ?? "")));

    /// <summary>The methods of <c>Object</c>.</summary>
    public static DataMap Objects() => Of(("assign", arguments =>
    {
        var all = new DataMap();
        arguments.ToList().ForEach(argument => all.SetAll(argument.Members));
        return all;
    }
    ));

    /// <summary>The method of a text, number or list; null for another one.</summary>
    /// <param name="self">The text, number or list.</param>
    /// <param name="name">The name of the method.</param>
    /// <param name="call">Calls a function within the limits of the script.</param>
    public static ScriptFunction? Method(
        DataNode self, string name, Func<ScriptFunction, IReadOnlyList<DataNode>, object?> call) => (self.Value, name) switch
        {
            (string or double or bool, "toString") => _ => self.Text,
            (string text, "trim") => _ => text.Trim(),
            (string text, "toLowerCase") => _ => text.ToLowerInvariant(),
            (string text, "toUpperCase") => _ => text.ToUpperInvariant(),
            (string text, "split") => arguments => Texts(arguments) is [{ Length: > 0 } by, ..]
                ? text.Split(by, ScriptBudget.MaxSteps).Select(part => new DataNode(self.Line, part)).ToList()
                : null,
            (IReadOnlyList<DataNode> items, "join") => arguments =>
                Joined(Texts(arguments).FirstOrDefault(","), items.Select(item => item.Text ?? "")),
            (IReadOnlyList<DataNode> items, "concat") => arguments =>
                items.Concat(arguments.SelectMany(argument => argument.Items ?? [argument])).Take(ScriptBudget.MaxSteps).ToList(),
            (IReadOnlyList<DataNode> items, "map") => arguments => arguments is [{ Value: ScriptFunction function }, ..]
                ? items.Select((item, at) => new DataNode(item.Line, call(function, [item, new DataNode(item.Line, (double)at)]))).ToList()
                : null,
            (IReadOnlyList<DataNode> items, "filter") => arguments => arguments is [{ Value: ScriptFunction function }, ..]
                ? items.Where(item => new DataNode(0, call(function, [item])).IsTrue).ToList()
                : arguments is [{ Value: DataMap }, ..] ? items.Where(item => item.IsTrue).ToList() : null,
            _ => null,
        };

    private static DataMap Of(params (string Name, ScriptFunction Function)[] functions)
    {
        var map = new DataMap();
        foreach (var (name, function) in functions)
        {
            map.Set(name, new DataNode(0, function));
        }

        return map;
    }

    /// <summary>The texts joined, but no more than it takes to be longer than a script may make them.</summary>
    private static string Joined(string separator, IEnumerable<string> parts)
    {
        var all = new StringBuilder();
        foreach (var part in parts.TakeWhile(_ => all.Length <= ScriptBudget.MaxText))
        {
            all.Append(part).Append(separator);
        }

        return all.Length == 0 ? "" : all.ToString(0, all.Length - separator.Length);
    }

    private static List<string> Texts(IReadOnlyList<DataNode> arguments) => [.. arguments.Select(argument => argument.Text ?? "")];

    private static string Resolved(string folder, List<string> parts) =>
        Normalized(parts.Aggregate(folder, (path, part) => part.StartsWith('/') ? part : $"{path}/{part}")) is var path and not "/"
            ? path.TrimEnd('/')
            : "/";

    private static string Base(List<string> arguments)
    {
        var name = Path.GetFileName(arguments.FirstOrDefault("").TrimEnd('/'));
        return arguments is [_, { Length: > 0 } ending] && name.EndsWith(ending, StringComparison.Ordinal) ? name[..^ending.Length] : name;
    }

    /// <summary>The path without empty parts, "." and "..", as far as they can go.</summary>
    private static string Normalized(string path)
    {
        var parts = new List<string>();
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => part != "."))
        {
            if (part == ".." && parts.Count > 0 && parts[^1] != "..")
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part != ".." || !path.StartsWith('/'))
            {
                parts.Add(part);
            }
        }

        var joined = string.Join('/', parts);
        return path.StartsWith('/') ? "/" + joined : joined.Length > 0 ? joined : ".";
    }

    private static double Whole(string text)
    {
        var digits = string.Concat(text.Trim().TakeWhile(char.IsAsciiDigit));
        return double.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : double.NaN;
    }
}
