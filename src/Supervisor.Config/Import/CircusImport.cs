using System.Globalization;
using System.Text.RegularExpressions;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>
/// circus.ini. A [socket:NAME] becomes a listener, a [watcher:NAME] a service. A watcher names the descriptors of its
/// sockets in its command, <c>$(circus.sockets.NAME)</c>; listend numbers them from 3 in the order of its listeners.
/// </summary>
internal sealed partial class CircusImport(ImportDraft draft)
{
    private const string UnknownVariable = "it names a variable that no section of the file defines: write its value";

    private readonly List<SourceSection> _sections = [];
    private readonly Dictionary<string, DraftSection> _sockets = new(StringComparer.Ordinal);

    public void Add(ConfigSource source) => _sections.AddRange(IniText.Read(source, hasInlineHash: false));

    public void Translate()
    {
        foreach (var section in _sections.Where(s => s.Name.StartsWith("socket:", StringComparison.Ordinal)))
        {
            Socket(section);
        }

        foreach (var section in _sections)
        {
            switch (section.Name.Split(':', 2)[0])
            {
                case "socket" or "env":
                    break;
                case "watcher" when section.Name.Contains(':', StringComparison.Ordinal):
                    Watcher(section);
                    break;
                case "circus":
                    section.Settings.ForEach(s => draft.Differences.Add(s, CircusReasons.OfDaemon(s.Key)));
                    break;
                case "plugin":
                    draft.Lost(
                        section, "listend has no plugins: see \"listenctl events --follow --json\" and GET /metrics");
                    break;
                default:
                    draft.Differences.Add(section, CommonReasons.Section);
                    break;
            }
        }

        foreach (var section in _sections.Where(s => s.Name.StartsWith("env:", StringComparison.Ordinal)))
        {
            var watchers = _sections.Where(w => w.Name.StartsWith("watcher:", StringComparison.Ordinal));
            if (!watchers.Any(w => AppliesTo(section, w.Name["watcher:".Length..])))
            {
                draft.Lost(section, "no watcher has this name");
            }
        }
    }

    private void Socket(SourceSection section)
    {
        var name = section.Name["socket:".Length..].ToLowerInvariant();
        var listener = draft.Add("listener", name, section.File);
        _sockets[name] = listener;
        var isDatagram = string.Equals(section.Last("type")?.Value, "SOCK_DGRAM", StringComparison.OrdinalIgnoreCase);
        var path = section.Last("path");
        if (path is not null)
        {
            var scheme = section.Last("type")?.Value.ToUpperInvariant() switch
            {
                "SOCK_DGRAM" => "unix-dgram",
                "SOCK_SEQPACKET" => "unix-seqpacket",
                _ => "unix",
            };
            listener.Set("address", TomlLiteral.Of($"{scheme}://{path.Value}"), path);
        }
        else
        {
            var host = section.Last("host")?.Value ?? "localhost";
            var port = section.Last("port")?.Value ?? "8080";
            host = host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('[') ? $"[{host}]" : host;
            var isIPv6 = string.Equals(section.Last("family")?.Value, "AF_INET6", StringComparison.OrdinalIgnoreCase);
            host = isIPv6 && host == "localhost" ? "[::1]" : host;
            var address = ImportedHosts.Numeric($"{(isDatagram ? "udp" : "tcp")}://{host}:{port}", out var remark);
            listener.Set("address", TomlLiteral.Of(address), section.Last("host") ?? section.Last("port"), remark);
        }

        var blocking = section.Last("blocking");
        if (blocking is null || !Flag(blocking.Value))
        {
            listener.Set("listen.non_blocking", TomlLiteral.Of(true), blocking, blocking is null ? "Circus's default" : null);
        }

        foreach (var setting in section.Settings.Where(s => section.Last(s.Key) == s))
        {
            switch (setting.Key)
            {
                case "host" or "port" or "path" or "blocking":
                    break;
                case "family" when setting.Value.ToUpperInvariant() is "AF_INET" or "AF_INET6" or "AF_UNIX":
                case "type" when setting.Value.ToUpperInvariant() is "SOCK_STREAM" or "SOCK_DGRAM":
                case "type" when path is not null && setting.Value.Equals("SOCK_SEQPACKET", StringComparison.OrdinalIgnoreCase):
                    break;
                case "interface":
                    listener.Set("bind.device", TomlLiteral.Of(setting.Value), setting);
                    break;
                case "backlog":
                    listener.Set("listen.backlog", Number(setting.Value) is { } backlog ? TomlLiteral.Of(backlog) : "0", setting);
                    break;
                case "umask":
                    // Circus reads it as a decimal number.
                    var mode = 0x1ff & ~(Number(setting.Value) ?? 0);
                    listener.Set("unix.mode", TomlLiteral.Of(Convert.ToString(mode, 8).PadLeft(4, '0')), setting);
                    break;
                case "replace":
                    listener.Set(
                        "unix.remove_stale", TomlLiteral.Of(Flag(setting.Value)), setting,
                        "removes a file only if no process listens on it");
                    break;
                case "so_reuseport":
                    listener.Set(
                        "bind.reuse_port", TomlLiteral.Of(Flag(setting.Value)), setting,
                        "shards = N creates N sockets, one for each worker");
                    break;
                default:
                    listener.Report(
                        setting,
                        setting.Key == "proto" ? Reason.NotNeeded("the address determines the protocol") : CircusReasons.Of(setting.Key));
                    break;
            }
        }
    }

    private void Watcher(SourceSection section)
    {
        var name = section.Name["watcher:".Length..];
        if (section.Last("cmd") is not { } cmd)
        {
            draft.Lost(section, "it has no cmd, so there is no program to run");
            return;
        }

        var service = draft.Add("service", name, section.File);
        var environment = Environment(name);
        var line = section.Last("args") is { } args ? $"{cmd.Value} {args.Value}" : cmd.Value;
        Listeners(service, section, line);
        Command(service, section, cmd, line, environment);
        service.Set(
            "ready", TomlLiteral.Of("started"), null,
            "Circus's behaviour; \"notify\", \"accepting\" or \"http:/PATH\" make restarts safe");
        service.Set("no_new_privileges", TomlLiteral.Of(false), null, "as Circus");
        foreach (var (key, value) in environment)
        {
            if (Expand(value.Value, environment) is { } expanded)
            {
                service.Set($"environment.{TomlLiteral.Key(key)}", TomlLiteral.Of(expanded), value);
            }
            else
            {
                service.Lost(value, UnknownVariable);
            }
        }

        foreach (var setting in section.Settings.Where(s => section.Last(s.Key) == s))
        {
            if (Expand(setting.Value, environment) is { } value || setting.Key is "cmd" or "args")
            {
                Translate(service, setting, value: Expand(setting.Value, environment) ?? setting.Value);
            }
            else
            {
                service.Lost(setting, UnknownVariable);
            }
        }
    }

    /// <summary>With use_sockets: the sockets that the command names, or all if it names none.</summary>
    private void Listeners(DraftSection service, SourceSection section, string line)
    {
        if (section.Last("use_sockets") is not { } use || !Flag(use.Value))
        {
            return;
        }

        var named = Reference().Matches(line)
            .Select(m => m.Groups["name"].Value.ToLowerInvariant())
            .Where(n => n.StartsWith("sockets.", StringComparison.Ordinal))
            .Select(n => n["sockets.".Length..])
            .Distinct()
            .Where(_sockets.ContainsKey)
            .ToList();
        service.Listeners.AddRange((named.Count > 0 ? named.Select(n => _sockets[n]) : _sockets.Values).Select(s => s.Name));
    }

    private void Command(
        DraftSection service, SourceSection section, SourceSetting cmd, string line, Dictionary<string, SourceSetting> environment)
    {
        var isShell = section.Last("shell") is { } shell && Flag(shell.Value);
        if (isShell)
        {
            var script = Reference().Replace(line, match => Piece(match, service) is { } known ? known : $"${{{Variable(match)}}}");
            service.Set("command", TomlLiteral.Of((IEnumerable<string>)["/bin/sh", "-c", script]), cmd);
            return;
        }

        if (ShellWords.Split(line) is not { Count: > 0 } words)
        {
            service.Set("command", TomlLiteral.Of(Array.Empty<string>()), cmd);
            return;
        }

        var command = new CommandText();
        foreach (var word in words)
        {
            command.BeginWord();
            var at = 0;
            foreach (var match in Reference().Matches(word).Cast<Match>())
            {
                command.Literal(word[at..match.Index]);
                at = match.Index + match.Length;
                if (match.Groups["name"].Value.Equals("wid", StringComparison.OrdinalIgnoreCase))
                {
                    command.Arithmetic("LISTEND_WORKER + 1");
                }
                else if (Piece(match, service) is { } known)
                {
                    command.Literal(known);
                }
                else if (environment.TryGetValue(Variable(match), out var value) && Expand(value.Value, environment) is { } text)
                {
                    command.Literal(text);
                }
                else
                {
                    command.Variable(Variable(match));
                }
            }

            command.Literal(word[at..]);
        }

        service.Set("command", TomlLiteral.Of(command.Words()), cmd, command.NeedsShell ? CommandText.ShellRemark : null);
    }

    /// <summary>A reference to a descriptor, or to a worker's number in a shell; null for a variable.</summary>
    private string? Piece(Match match, DraftSection service)
    {
        var name = match.Groups["name"].Value.ToLowerInvariant();
        if (name.StartsWith("sockets.", StringComparison.Ordinal)
            && _sockets.TryGetValue(name["sockets.".Length..], out var socket)
            && service.Listeners.IndexOf(socket.Name) is var index and >= 0)
        {
            return (3 + index).ToString(CultureInfo.InvariantCulture);
        }

        return name == "wid" ? "$((LISTEND_WORKER + 1))" : null;
    }

    private static string Variable(Match match)
    {
        var name = match.Groups["name"].Value;
        name = name.StartsWith("env.", StringComparison.OrdinalIgnoreCase) ? name["env.".Length..] : name;
        return name.ToUpperInvariant().Replace('.', '_').Replace('-', '_');
    }

    /// <summary>A setting with its references to [env] replaced; null if one is not defined there.</summary>
    private static string? Expand(string text, Dictionary<string, SourceSetting> environment, int depth = 0)
    {
        var isKnown = depth < 8;
        var expanded = Reference().Replace(text, match =>
        {
            var value = isKnown && environment.TryGetValue(Variable(match), out var setting)
                ? Expand(setting.Value, environment, depth + 1)
                : null;
            isKnown &= value is not null;
            return value ?? "";
        });
        return isKnown ? expanded : null;
    }

    /// <summary>[env], then [env:PATTERN,...]. A later section overrides an earlier one. Circus writes names in capitals.</summary>
    private Dictionary<string, SourceSetting> Environment(string watcher)
    {
        var environment = new Dictionary<string, SourceSetting>(StringComparer.Ordinal);
        var common = _sections.Where(s => s.Name == "env");
        var special = _sections.Where(s => s.Name.StartsWith("env:", StringComparison.Ordinal) && AppliesTo(s, watcher));
        foreach (var section in common.Concat(special))
        {
            section.Settings.ForEach(setting => environment[setting.Key.ToUpperInvariant()] = setting);
        }

        return environment;
    }

    private static bool AppliesTo(SourceSection env, string watcher) => env.Name["env:".Length..].Split(',').Any(pattern =>
        System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern.Trim(), watcher, ignoreCase: false));

    private static void Translate(DraftSection service, SourceSetting setting, string value)
    {
        switch (setting.Key)
        {
            case "cmd" or "args" or "shell" or "use_sockets":
                break;
            case "copy_env":
                if (!Flag(value))
                {
                    service.Lost(setting, "workers always inherit the environment of the daemon");
                }

                break;
            case "numprocesses":
                service.Set("workers", Number(value) is { } workers ? TomlLiteral.Of(workers) : TomlLiteral.Of(value), setting);
                break;
            case "working_dir":
                service.Set("working_directory", TomlLiteral.Of(value), setting);
                break;
            case "uid":
                service.Set("user", TomlLiteral.Of(value), setting);
                break;
            case "gid":
                service.Set("group", TomlLiteral.Of(value), setting);
                break;
            case "stop_signal":
                var signal = Number(value) is { } number ? Values.SignalName.Format(number)
                    : value.StartsWith("SIG", StringComparison.Ordinal) ? value
                    : "SIG" + value;
                service.Set("stop_signal", TomlLiteral.Of(signal), setting);
                break;
            case "graceful_timeout":
                service.Set("stop_timeout", Seconds(value) is { } timeout ? TomlLiteral.Of(timeout) : TomlLiteral.Of(value), setting);
                break;
            case "respawn":
                service.Set("restart.policy", TomlLiteral.Of(Flag(value) ? "always" : "never"), setting);
                break;
            case "autostart":
                if (!Flag(value))
                {
                    service.Report(setting, CommonReasons.AutoStart);
                }

                break;
            case "singleton":
                if (Flag(value))
                {
                    service.Lost(setting, "listend does not limit \"listenctl scale\"");
                }

                break;
            case "stdout_stream.filename":
                service.Set("log", TomlLiteral.Of("file:" + value), setting);
                break;
            case "stdout_stream.class" when value.Contains("FileStream", StringComparison.Ordinal):
                break;
            case "stdout_stream.class" when value.Contains("StdoutStream", StringComparison.Ordinal):
                service.Set("log", TomlLiteral.Of("inherit"), setting);
                break;
            case var key when key.StartsWith("rlimit_", StringComparison.Ordinal):
                var limit = Number(value) is { } units ? TomlLiteral.Of(units) : TomlLiteral.Of(value);
                service.Set("limits." + key["rlimit_".Length..], limit, setting);
                break;
            case var key when key.StartsWith("stdout_stream", StringComparison.Ordinal):
                service.Report(setting, CommonReasons.LogRotation);
                break;
            case var key when key.StartsWith("stderr_stream", StringComparison.Ordinal):
                service.Report(setting, CommonReasons.OneStream);
                break;
            case var key when key.StartsWith("hooks.", StringComparison.Ordinal):
                service.Lost(setting, "a hook of listend is a program: see hooks.pre_start, hooks.post_ready and hooks.post_stop");
                break;
            default:
                service.Report(setting, CircusReasons.Of(setting.Key));
                break;
        }
    }

    private static int? Number(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static TimeSpan? Seconds(string value) =>
        double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds < 1e9
            ? TimeSpan.FromSeconds(seconds)
            : null;

    private static bool Flag(string value) => value.ToLowerInvariant() is "true" or "yes" or "on" or "1";

    /// <summary><c>$(circus.NAME)</c> and <c>((circus.NAME))</c>.</summary>
    [GeneratedRegex(@"\$\((?:circus\.)?(?<name>[A-Za-z0-9_.-]+)\)|\(\((?:circus\.)?(?<name>[A-Za-z0-9_.-]+)\)\)")]
    private static partial Regex Reference();
}
