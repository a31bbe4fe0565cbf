using System.Globalization;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Config.Toml;

namespace Supervisor.Config;

/// <summary>
/// The configuration of <c>listend run --listen ADDRESS... -- COMMAND</c>: one service, named after its command. The
/// options become the same tree that a file gives, so they have exactly the meaning and the ranges of the settings.
/// </summary>
public static class AdHocConfig
{
    private static readonly SourcePosition Here = new("command line", 0, 0);

    /// <summary>Makes the configuration; null stands for an option that was not given.</summary>
    /// <param name="listen">Values of <c>--listen</c>: ADDRESS or NAME=ADDRESS. Without a name it is "listen", or "listen0" and so on
    /// among several.</param>
    /// <param name="workers">Value of <c>--workers</c>: a number, or "cpus".</param>
    /// <param name="handoff">Value of <c>--handoff</c>.</param>
    /// <param name="ready">Value of <c>--ready</c>.</param>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="context">What the parser needs to know about the machine.</param>
    public static ParsedConfig ForCommand(
        IReadOnlyList<string> listen,
        string? workers,
        string? handoff,
        string? ready,
        IReadOnlyList<string> command,
        ConfigContext context)
    {
        var report = new DiagnosticList();
        var root = TomlNode.OfTable(Here, TableOrigin.Header);
        var listeners = Table(root, "listener");
        var names = TomlNode.OfArray(Here, "--listen");
        for (var i = 0; i < listen.Count; i++)
        {
            var (given, address) = Split(listen[i]);
            var name = given ?? (listen.Count == 1 ? "listen" : string.Create(null, $"listen{i}"));
            var listener = TomlNode.OfTable(Here, TableOrigin.Header, "--listen");
            Put(listener, "address", TomlNode.OfString(address, Here, "--listen"));
            if (listeners.TryAdd(new TomlEntry(name, Here, listener)))
            {
                names.Add(TomlNode.OfString(name, Here, "--listen"));
            }
            else
            {
                report.Add(Here, "--listen", $"the name {Quoted.Text(name)} is given twice",
                    "write a different NAME=ADDRESS for each listener");
            }
        }

        var service = TomlNode.OfTable(Here, TableOrigin.Header, "COMMAND");
        Put(Table(root, "service"), ServiceName(command), service);
        var words = TomlNode.OfArray(Here, "COMMAND");
        foreach (var word in command)
        {
            words.Add(TomlNode.OfString(word, Here, "COMMAND"));
        }

        Put(service, "command", words);
        Put(service, "listeners", names);
        if (workers is not null)
        {
            Put(service, "workers", Number(workers, "--workers"));
        }

        if (handoff is not null)
        {
            Put(service, "handoff", TomlNode.OfString(handoff, Here, "--handoff"));
        }

        if (ready is not null)
        {
            Put(service, "ready", TomlNode.OfString(ready, Here, "--ready"));
        }

        return ConfigReader.Read([root], report, context);
    }

    /// <summary>Splits NAME=ADDRESS at the first "=" if a valid name precedes it. An address may contain "=" too.</summary>
    private static (string? Name, string Address) Split(string value)
    {
        var equals = value.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && SettingTypes.CheckName(value[..equals]) is null ? (value[..equals], value[(equals + 1)..]) : (null, value);
    }

    /// <summary>The command's file name, with "-" for each character that is not permitted in a name.</summary>
    private static string ServiceName(IReadOnlyList<string> command)
    {
        var file = command.Count == 0 ? "" : Path.GetFileName(command[0].TrimEnd('/'));
        var name = string.Concat(file.Take(64).Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' ? c : '-'));
        return SettingTypes.CheckName(name) is null ? name : "command";
    }

    /// <summary>An integer if the text is one, otherwise a string. The setting decides whether it accepts a string.</summary>
    private static TomlNode Number(string text, string option) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? TomlNode.OfInteger(number, text, Here, option)
        : text.TrimStart('-', '+') is { Length: > 0 } digits && digits.All(char.IsAsciiDigit) ? TomlNode.OfHugeInteger(text, Here, option)
        : TomlNode.OfString(text, Here, option);

    private static TomlNode Table(TomlNode parent, string key)
    {
        var table = TomlNode.OfTable(Here, TableOrigin.Header);
        Put(parent, key, table);
        return table;
    }

    private static void Put(TomlNode table, string key, TomlNode value) => table.TryAdd(new TomlEntry(key, Here, value));
}
