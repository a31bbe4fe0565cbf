using System.Buffers;
using System.Globalization;
using System.Text.RegularExpressions;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Values;

namespace Supervisor.Config.Import;

/// <summary>
/// A Procfile, as foreman runs it: <c>NAME: COMMAND</c> on each line. A process type becomes a service. The file .env next to it
/// becomes <c>environment_files</c>.
/// </summary>
internal sealed partial class ProcfileImport(ImportDraft draft, Func<string, string> fullPath)
{
    private const int FirstPort = 5000;
    private const int PortsOfType = 100;

    private static readonly SearchValues<char> SeveralCommands = SearchValues.Create("|&;()`#");

    private static readonly Reason Repeated =
        Reason.Changed("foreman runs each line of a name that is written twice: each becomes a service");
    private static readonly Reason NoLine = Reason.Lost("foreman skips a line that is not NAME: COMMAND");
    private static readonly Reason Release =
        Reason.Lost("it runs once for a release: write it into hooks.pre_start of a service, or run it before \"listenctl restart\"");
    private static readonly Reason Together =
        Reason.Changed("foreman stops everything when one process exits: listend starts that process again");
    private static readonly Reason Ports =
        Reason.Changed("foreman numbers ports from 5000: PORT is written for each service; with a listener, restarts lose nothing");

    private readonly List<ConfigSource> _files = [];
    private readonly List<ConfigSource> _environments = [];

    /// <summary>The name of the file with variables that foreman reads next to a Procfile.</summary>
    public const string EnvironmentFile = ".env";

    /// <summary>Whether the name is that of a Procfile.</summary>
    public static bool Reads(string name) =>
        name.StartsWith("Procfile", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".procfile", StringComparison.OrdinalIgnoreCase);

    public void Add(ConfigSource source) => _files.Add(source);

    public void AddEnvironment(ConfigSource source) => _environments.Add(source);

    public void Translate()
    {
        foreach (var file in _files)
        {
            Translate(file);
        }
    }

    private void Translate(ConfigSource file)
    {
        var types = Types(file);
        if (types.Count == 0)
        {
            return;
        }

        draft.Differences.Add(file.Path, Together);
        draft.Differences.Add(file.Path, Ports);
        var folder = Folder(file);
        var first = First(folder);
        for (var i = 0; i < types.Count; i++)
        {
            if (types[i].Key == "release")
            {
                draft.Differences.Add(types[i], Release);
            }
            else
            {
                Service(types[i], folder, first + (i * PortsOfType));
            }
        }
    }

    /// <summary>The port of the first process type: PORT of .env, else foreman's.</summary>
    private int First(string folder)
    {
        var given = _environments
            .Where(one => Folder(one) == folder)
            .Select(one => Port().Match(one.Text))
            .LastOrDefault(match => match.Success);
        return given is not null && int.Parse(given.Groups[1].ValueSpan, CultureInfo.InvariantCulture) is var port and > 0 and <= 65535
            ? port
            : FirstPort;
    }

    private List<SourceSetting> Types(ConfigSource file)
    {
        var types = new List<SourceSetting>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var number = 0;
        foreach (var line in file.Text.Split('\n').Select(line => line.TrimEnd('\r')))
        {
            number++;
            if (Line().Match(line) is { Success: true } match)
            {
                var type = new SourceSetting(file.Path, number, "", match.Groups[1].Value, match.Groups[2].Value.Trim());
                if (!names.Add(type.Key))
                {
                    draft.Differences.Add(type, Repeated);
                }

                types.Add(type);
            }
            else if (line.Trim() is { Length: > 0 } other && !other.StartsWith('#'))
            {
                draft.Differences.Add(new SourceSetting(file.Path, number, "", "line", other), NoLine);
            }
        }

        return types;
    }

    private void Service(SourceSetting type, string folder, int port)
    {
        var service = draft.Add("service", type.Key, type.File);
        var (words, remark) = Command(type.Value);
        service.Set("command", TomlLiteral.Of(words), type, remark);
        service.Set("ready", TomlLiteral.Of("started"), null, "\"notify\", \"accepting\" or \"http:/PATH\" make restarts safe");
        service.Set("rollout.strategy", TomlLiteral.Of("stop-first"), null, CommonReasons.BindsItself);
        service.Set("stop_timeout", TomlLiteral.Of(TimeSpan.FromSeconds(5)), null, "foreman's default");
        service.Set("working_directory", TomlLiteral.Of(folder));
        service.Set("no_new_privileges", TomlLiteral.Of(false), null, "as foreman");
        foreach (var file in _environments.Where(one => Folder(one) == folder))
        {
            service.Set("environment_files", TomlLiteral.Of([fullPath(file.Path)]));
        }

        service.Set("environment.PORT", TomlLiteral.Of(port.ToString(CultureInfo.InvariantCulture)));
        service.Set("environment.PS", TomlLiteral.Of(type.Key + ".1"));
    }

    /// <summary>The command without a shell where that is the same; else a shell, which replaces itself with a single program.</summary>
    private static (IReadOnlyList<string> Words, string? Remark) Command(string line)
    {
        if (!CommandText.NeedsShellFor(line) && !Assignment().IsMatch(line) && ShellWords.Split(line) is { Count: > 0 } words)
        {
            return (words, null);
        }

        var isOneProgram = !line.AsSpan().ContainsAny(SeveralCommands) && !line.StartsWith("exec ", StringComparison.Ordinal);
        var assignments = Assignment().Match(line).Value;
        return isOneProgram
            ? (["/bin/sh", "-c", $"{assignments}exec {line[assignments.Length..]}"], CommandText.ShellRemark)
            : (["/bin/sh", "-c", line], null);
    }

    private string Folder(ConfigSource file) => Path.GetDirectoryName(fullPath(file.Path)) is { Length: > 0 } folder ? folder : "/";

    [GeneratedRegex(@"^([A-Za-z0-9_-]+):\s*(\S.*)$")]
    private static partial Regex Line();

    [GeneratedRegex(@"^(?:[A-Za-z_][A-Za-z0-9_]*=(?:[^\s'""\\]|\\.|'[^']*'|""(?:[^""\\]|\\.)*"")*\s+)+")]
    private static partial Regex Assignment();

    [GeneratedRegex(@"^\s*(?:export\s+)?PORT\s*=\s*[""']?([0-9]{1,5})", RegexOptions.Multiline)]
    private static partial Regex Port();
}
