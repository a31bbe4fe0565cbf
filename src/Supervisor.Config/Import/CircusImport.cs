using System.Globalization;
using System.Text.RegularExpressions;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>
/// circus.ini. A [socket:NAME] becomes a listener, a [watcher:NAME] a service. A watcher names the descriptors of its
/// sockets in its command, <c>$(circus.sockets.NAME)</c>; here they are numbered from 3 in the order of its listeners.
/// </summary>
internal sealed partial class CircusImport(ImportDraft draft)
{
    private const string Sampled = "Circus samples it by itself; listend polls nothing";

    private static readonly Dictionary<string, string> Without = new(StringComparer.Ordinal)
    {
        ["warmup_delay"] = "workers start at once; rollout.settle spaces those of a roll-out",
        ["send_hup"] = "\"listenctl signal SERVICE HUP\" sends it; \"listenctl restart\" replaces the workers without a refused connection",
        ["stop_children"] = "the worker alone gets stop_signal; what is left of its session is killed after it",
        ["max_retry"] = "listend goes on trying, ever more seldom, up to restart.backoff_max",
        ["priority"] = "all services start side by side",
        ["max_age"] = "workers are not ended by age: call \"listenctl restart\" from a timer",
        ["max_age_variance"] = "workers are not ended by age: call \"listenctl restart\" from a timer",
        ["on_demand"] = "it is start = \"on-demand\"",
        ["virtualenv"] = "name the interpreter in the command: VIRTUALENV/bin/python",
        ["virtualenv_py_ver"] = "name the interpreter in the command: VIRTUALENV/bin/python",
        ["copy_path"] = "PYTHONPATH is inherited with the rest of the daemon's environment",
        ["close_child_stdin"] = "a worker's standard input is /dev/null",
        ["close_child_stdout"] = "output is never thrown away",
        ["close_child_stderr"] = "output is never thrown away",
        ["executable"] = "the program is the command's first word",
        ["stream_backend"] = "output is read by the daemon's own loop",
        ["use_papa"] = "the daemon keeps listeners open by itself",
        ["check_flapping"] = "restart.limit and restart.limit_interval hold back workers that fail",
        ["respawn_delay"] = "restart.backoff holds back workers that fail",
        ["shell_args"] = "write the shell's arguments into the command",
    };

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
                case "watcher":
                    Watcher(section);
                    break;
                case "circus":
                    section.Settings.ForEach(s => draft.NoEqual(s, Daemon(s.Key)));
                    break;
                case "plugin":
                    draft.NoEqual(section, "listend has no plugins: \"listenctl events --follow --json\" and GET /metrics say what happens");
                    break;
                default:
                    draft.NoEqual(section, "this section says nothing to listend");
                    break;
            }
        }

        foreach (var section in _sections.Where(s => s.Name.StartsWith("env:", StringComparison.Ordinal)))
        {
            if (!_sections.Exists(w => w.Name.StartsWith("watcher:", StringComparison.Ordinal) && AppliesTo(section, w.Name["watcher:".Length..])))
            {
                draft.NoEqual(section, "no watcher has that name");
            }
        }
    }

    private static string Daemon(string key) => key switch
    {
        "endpoint" or "endpoint_owner" or "pubsub_endpoint" or "multicast_endpoint" or "stats_endpoint" or "ssh_server" => "listenctl speaks to control.sock in daemon.runtime_directory",
        "httpd" or "httpd_host" or "httpd_port" => "daemon.metrics gives GET /metrics; \"listenctl top\" is the live screen",
        "statsd" or "statsd_close_outputs" => "see GET /metrics",
        "check_delay" => Sampled,
        "include" or "include_dir" => "no other files are read: give them to \"listenctl import\" too",
        "umask" => "set umask of each service",
        "loglevel" or "logoutput" or "loggerconfig" or "debug" or "debug_gc" => "listend logs to the journal or to its standard error: --log-level, --log-format",
        "pidfile" => "listend writes none: \"listenctl status --json\" has its process id",
        _ => Without.GetValueOrDefault(key, "listend has nothing like it"),
    };

    private void Socket(SourceSection section)
    {
        var name = section.Name["socket:".Length..].ToLowerInvariant();
        var listener = draft.Add("listener", name);
        _sockets[name] = listener;
        var isDatagram = string.Equals(section.Last("type")?.Value, "SOCK_DGRAM", StringComparison.OrdinalIgnoreCase);
        var path = section.Last("path");
        if (path is not null)
        {
            var scheme = section.Last("type")?.Value.ToUpperInvariant() switch { "SOCK_DGRAM" => "unix-dgram", "SOCK_SEQPACKET" => "unix-seqpacket", _ => "unix" };
            listener.Set("address", TomlLiteral.Of($"{scheme}://{path.Value}"), path);
        }
        else
        {
            var host = section.Last("host")?.Value ?? "localhost";
            var port = section.Last("port")?.Value ?? "8080";
            host = host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('[') ? $"[{host}]" : host;
            host = string.Equals(section.Last("family")?.Value, "AF_INET6", StringComparison.OrdinalIgnoreCase) && host == "localhost" ? "[::1]" : host;
            var address = ImportedHosts.Numeric($"{(isDatagram ? "udp" : "tcp")}://{host}:{port}", out var remark);
            listener.Set("address", TomlLiteral.Of(address), section.Last("host") ?? section.Last("port"), remark);
        }

        var isBlocking = section.Last("blocking") is { } blocking && Flag(blocking.Value);
        if (!isBlocking)
        {
            listener.Set("listen.non_blocking", TomlLiteral.Of(true), section.Last("blocking"), section.Last("blocking") is null ? "Circus's default" : null);
        }

        foreach (var setting in section.Settings.Where(s => section.Last(s.Key) == s))
        {
            switch (setting.Key)
            {
                case "host" or "port" or "path" or "blocking":
                    break;
                case "family" when setting.Value.ToUpperInvariant() is "AF_INET" or "AF_INET6" or "AF_UNIX":
                case "type" when setting.Value.ToUpperInvariant() is "SOCK_STREAM" or "SOCK_DGRAM" || (path is not null && setting.Value.Equals("SOCK_SEQPACKET", StringComparison.OrdinalIgnoreCase)):
                    break;
                case "interface":
                    listener.Set("bind.device", TomlLiteral.Of(setting.Value), setting);
                    break;
                case "backlog":
                    listener.Set("listen.backlog", Number(setting.Value) is { } backlog ? TomlLiteral.Of(backlog) : "0", setting);
                    break;
                case "umask":
                    // Circus reads it as a decimal number.
                    listener.Set("unix.mode", TomlLiteral.Of(Convert.ToString(0x1ff & ~(Number(setting.Value) ?? 0), 8).PadLeft(4, '0')), setting);
                    break;
                case "replace":
                    listener.Set("unix.remove_stale", TomlLiteral.Of(Flag(setting.Value)), setting, "only a file on which nobody listens");
                    break;
                case "so_reuseport":
                    listener.Set("bind.reuse_port", TomlLiteral.Of(Flag(setting.Value)), setting, "shards = N makes N sockets, one for each worker");
                    break;
                default:
                    listener.NoEqual(setting, setting.Key == "proto" ? "the protocol follows from the address" : Without.GetValueOrDefault(setting.Key, "listend has nothing like it"));
                    break;
            }
        }
    }

    private void Watcher(SourceSection section)
    {
        var name = section.Name["watcher:".Length..];
        if (section.Last("cmd") is not { } cmd)
        {
            draft.NoEqual(section, "it has no cmd, and so nothing to run");
            return;
        }

        var service = draft.Add("service", name);
        var environment = Environment(name);
        var line = section.Last("args") is { } args ? $"{cmd.Value} {args.Value}" : cmd.Value;
        Listeners(service, section, line);
        Command(service, section, cmd, line, environment);
        service.Set("ready", TomlLiteral.Of("started"), null, "as Circus has it; \"notify\", \"accepting\" or \"http:/PATH\" make restarts safe");
        foreach (var (key, value) in environment)
        {
            if (Expand(value.Value, environment) is { } expanded)
            {
                service.Set($"environment.{TomlLiteral.Key(key)}", TomlLiteral.Of(expanded), value);
            }
            else
            {
                service.NoEqual(value, "it names a variable that no section here defines: write its value");
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
                service.NoEqual(setting, "it names a variable that no section here defines: write its value");
            }
        }
    }

    /// <summary>With use_sockets those that the command names, or all; only a command can say which.</summary>
    private void Listeners(DraftSection service, SourceSection section, string line)
    {
        if (section.Last("use_sockets") is not { } use || !Flag(use.Value))
        {
            return;
        }

        var named = Reference().Matches(line).Select(m => m.Groups["name"].Value.ToLowerInvariant())
            .Where(n => n.StartsWith("sockets.", StringComparison.Ordinal)).Select(n => n["sockets.".Length..]).Distinct().Where(_sockets.ContainsKey).ToList();
        service.Listeners.AddRange((named.Count > 0 ? named.Select(n => _sockets[n]) : _sockets.Values).Select(s => s.Name));
    }

    private void Command(DraftSection service, SourceSection section, SourceSetting cmd, string line, Dictionary<string, SourceSetting> environment)
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

        service.Set("command", TomlLiteral.Of(command.Words()), cmd, command.NeedsShell ? "the shell expands the variables, then becomes the program" : null);
    }

    /// <summary>A reference to a descriptor, or to a worker's number in a shell; null for a variable.</summary>
    private string? Piece(Match match, DraftSection service)
    {
        var name = match.Groups["name"].Value.ToLowerInvariant();
        if (name.StartsWith("sockets.", StringComparison.Ordinal) && _sockets.TryGetValue(name["sockets.".Length..], out var socket)
            && service.Listeners.IndexOf(socket.Name) is var index and >= 0)
        {
            return (3 + index).ToString(CultureInfo.InvariantCulture);
        }

        return name == "wid" ? "$((LISTEND_WORKER + 1))" : null;
    }

    private static string Variable(Match match)
    {
        var name = match.Groups["name"].Value;
        return (name.StartsWith("env.", StringComparison.OrdinalIgnoreCase) ? name["env.".Length..] : name).ToUpperInvariant().Replace('.', '_').Replace('-', '_');
    }

    /// <summary>A setting with its references to [env] replaced; null where one is not defined there.</summary>
    private static string? Expand(string text, Dictionary<string, SourceSetting> environment, int depth = 0)
    {
        var isKnown = depth < 8;
        var expanded = Reference().Replace(text, match =>
        {
            var value = isKnown && environment.TryGetValue(Variable(match), out var setting) ? Expand(setting.Value, environment, depth + 1) : null;
            isKnown &= value is not null;
            return value ?? "";
        });
        return isKnown ? expanded : null;
    }

    /// <summary>[env], then [env:PATTERN,...], the later over the earlier. Circus writes names in capitals.</summary>
    private Dictionary<string, SourceSetting> Environment(string watcher)
    {
        var environment = new Dictionary<string, SourceSetting>(StringComparer.Ordinal);
        foreach (var section in _sections.Where(s => s.Name == "env").Concat(_sections.Where(s => s.Name.StartsWith("env:", StringComparison.Ordinal) && AppliesTo(s, watcher))))
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
                    service.NoEqual(setting, "workers inherit the daemon's environment, always");
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
                service.Set(
                    "stop_signal",
                    TomlLiteral.Of(Number(value) is { } number ? Values.SignalName.Format(number) : value.StartsWith("SIG", StringComparison.Ordinal) ? value : "SIG" + value), setting);
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
                    service.NoEqual(setting, "services start with the daemon: \"listenctl stop\" stops one");
                }

                break;
            case "singleton":
                if (Flag(value))
                {
                    service.NoEqual(setting, "nothing holds \"listenctl scale\" back");
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
                service.Set("limits." + key["rlimit_".Length..], Number(value) is { } limit ? TomlLiteral.Of(limit) : TomlLiteral.Of(value), setting);
                break;
            case var key when key.StartsWith("stdout_stream", StringComparison.Ordinal):
                service.NoEqual(setting, "log files are reopened after they were moved: rotate them by logrotate");
                break;
            case var key when key.StartsWith("stderr_stream", StringComparison.Ordinal):
                service.NoEqual(setting, "standard error goes where standard output goes");
                break;
            case var key when key.StartsWith("hooks.", StringComparison.Ordinal):
                service.NoEqual(setting, "a hook here is a program: hooks.pre_start, hooks.post_ready, hooks.post_stop");
                break;
            default:
                service.NoEqual(setting, Without.GetValueOrDefault(setting.Key, "listend has nothing like it"));
                break;
        }
    }

    private static int? Number(string value) => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static TimeSpan? Seconds(string value) =>
        double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds < 1e9 ? TimeSpan.FromSeconds(seconds) : null;

    private static bool Flag(string value) => value.ToLowerInvariant() is "true" or "yes" or "on" or "1";

    /// <summary><c>$(circus.NAME)</c> and <c>((circus.NAME))</c>.</summary>
    [GeneratedRegex(@"\$\((?:circus\.)?(?<name>[A-Za-z0-9_.-]+)\)|\(\((?:circus\.)?(?<name>[A-Za-z0-9_.-]+)\)\)")]
    private static partial Regex Reference();
}
