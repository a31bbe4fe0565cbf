using System.Globalization;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>
/// supervisord.conf. A program becomes a service; one whose processes differ (by <c>%(process_num)s</c> in more than
/// their names) a service for each. A fcgi-program becomes a listener and a service that gets it as descriptor 0.
/// </summary>
internal sealed class SupervisordImport(ImportDraft draft, Func<string, string> fullPath)
{
    private const string OneStream = "standard error goes where standard output goes";
    private const string Rotation = "log files are reopened after they were moved: rotate them by logrotate";

    private static readonly Dictionary<string, string> Without = new(StringComparer.Ordinal)
    {
        ["priority"] = "all services start side by side",
        ["startretries"] = "listend goes on trying, ever more seldom, up to restart.backoff_max",
        ["exitcodes"] = "exit status 0, SIGHUP, SIGINT, SIGTERM and SIGPIPE count as clean",
        ["stopasgroup"] = "the worker alone gets stop_signal; what is left of its session is killed after it",
        ["serverurl"] = "there is no XML-RPC: the control interface is LISTEND's control.sock",
        ["stdout_logfile_maxbytes"] = Rotation,
        ["stdout_logfile_backups"] = Rotation,
        ["stderr_logfile_maxbytes"] = OneStream,
        ["stderr_logfile_backups"] = OneStream,
        ["stdout_capture_maxbytes"] = "no capture mode",
        ["stderr_capture_maxbytes"] = "no capture mode",
        ["stdout_events_enabled"] = "see \"listenctl events\" and \"listenctl logs\"",
        ["stderr_events_enabled"] = "see \"listenctl events\" and \"listenctl logs\"",
        ["stderr_syslog"] = OneStream,
    };

    private readonly List<SourceSection> _sections = [];

    public void Add(ConfigSource source) => _sections.AddRange(IniText.Read(source, hasInlineHash: true));

    public void Translate()
    {
        var common = _sections.Find(s => s.Name == "supervisord")?.Last("environment");
        foreach (var section in _sections)
        {
            var (kind, name) = section.Name.Split(':', 2) is [var k, var n] ? (k, n) : (section.Name, "");
            switch (kind)
            {
                case "program" or "fcgi-program" when section.Last("command") is not null:
                    Program(section, name, kind == "fcgi-program", common);
                    break;
                case "program" or "fcgi-program":
                    draft.NoEqual(section, "it has no command, and so nothing to run");
                    break;
                case "group":
                    draft.Unsupported.Add(new UnsupportedSetting(
                        section.File, section.Line, section.Name, null, null, "services have no groups: name each one to listenctl"));
                    section.Settings.ForEach(s => draft.NoEqual(s, s.Key == "programs" ? "each is a service of its own" : "services have no groups"));
                    break;
                case "eventlistener":
                    draft.NoEqual(section, "listend has no event listeners: \"listenctl events --follow --json\" prints the events");
                    break;
                case "include":
                    draft.NoEqual(section, "no other files are read: give them to \"listenctl import\" too");
                    break;
                case "unix_http_server" or "inet_http_server" or "supervisorctl" or "rpcinterface":
                    draft.NoEqual(section, "listenctl speaks to control.sock in daemon.runtime_directory; file permissions and the peer's user decide who may");
                    break;
                case "supervisord":
                    section.Settings.Where(s => s.Key != "environment").ToList().ForEach(s => draft.NoEqual(s, Daemon(s.Key)));
                    break;
                default:
                    draft.NoEqual(section, "this section says nothing to listend");
                    break;
            }
        }
    }

    private static string Daemon(string key) => key switch
    {
        "logfile" or "logfile_maxbytes" or "logfile_backups" or "loglevel" or "strip_ansi" => "listend logs to the journal or to its standard error: --log-level, --log-format",
        "pidfile" => "listend writes none: \"listenctl status --json\" has its process id",
        "nodaemon" or "silent" => "listend stays in the foreground, always",
        "minfds" or "minprocs" or "umask" or "user" or "directory" => "set it on the unit of listend",
        _ => "listend has nothing like it",
    };

    private void Program(SourceSection section, string name, bool isFastCgi, SourceSetting? common)
    {
        var count = Number(section, "numprocs", 1);
        var first = Number(section, "numprocs_start", 0);
        var differ = count > 1 && section.Settings.Exists(s => s.Key != "process_name" && s.Value.Contains("%(process_num)", StringComparison.Ordinal));
        var socket = isFastCgi ? Socket(section, name) : null;
        for (var i = 0; i < (differ ? Math.Min(count, 1000) : 1); i++)
        {
            var values = Values(section, name, first + i, count);
            var wanted = name;
            if (differ)
            {
                wanted = section.Last("process_name") is { } given && new SupervisordExpansion(values).Expand(given.Value, out _) is { } expanded && expanded != name
                    ? expanded
                    : string.Create(CultureInfo.InvariantCulture, $"{name}_{first + i:00}");
            }

            Service(section, name, wanted, differ ? 1 : count, new SupervisordExpansion(values), common, socket, isFirst: i == 0);
        }
    }

    private Dictionary<string, string> Values(SourceSection section, string program, int process, int count)
    {
        var file = fullPath(section.File);
        var folder = file.LastIndexOf('/') is var slash and > 0 ? file[..slash] : file.StartsWith('/') ? "/" : null;
        var values = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["program_name"] = program,
            ["group_name"] = program,
            ["process_num"] = process.ToString(CultureInfo.InvariantCulture),
            ["numprocs"] = count.ToString(CultureInfo.InvariantCulture),
        };
        if (folder?.StartsWith('/') == true)
        {
            values["here"] = folder;
        }

        return values;
    }

    private void Service(
        SourceSection section, string program, string wanted, int workers, SupervisordExpansion expansion, SourceSetting? common, DraftSection? socket, bool isFirst)
    {
        var commandSetting = section.Last("command")!;
        if (Command(commandSetting, expansion, out var reason) is not { } command)
        {
            section.Settings.ForEach(s => draft.NoEqual(s, s == commandSetting ? reason : $"it belongs to {program}, whose command could not be translated"));
            return;
        }

        var service = draft.Add("service", wanted);
        service.Set("command", TomlLiteral.Of(command.Words()), commandSetting, command.NeedsShell ? "the shell expands the variables, then becomes the program" : null);
        if (socket is not null)
        {
            service.Listeners.Add(socket.Name);
            service.Set("handoff", TomlLiteral.Of("stdin"), null, "FastCGI's own: the listener is descriptor 0");
        }

        if (workers != 1)
        {
            service.Set("workers", TomlLiteral.Of(workers), section.Last("numprocs"));
        }

        service.Set("ready", TomlLiteral.Of("started"), null, "as supervisord has it; \"notify\", \"accepting\" or \"http:/PATH\" make restarts safe");
        if (section.Last("autorestart") is null)
        {
            service.Set("restart.policy", TomlLiteral.Of("on-failure"), null, "supervisord's default, \"unexpected\"");
        }

        if (common is not null)
        {
            Environment(service, common, expansion);
        }

        foreach (var setting in section.Settings.Where(s => section.Last(s.Key) == s))
        {
            if (setting.Key is "command" or "numprocs" or "numprocs_start" or "process_name" || setting.Key.StartsWith("socket", StringComparison.Ordinal))
            {
                continue;
            }

            if (setting.Key == "environment")
            {
                Environment(service, setting, expansion);
            }
            else if (expansion.Expand(setting.Value, out reason) is { } value)
            {
                Translate(service, setting, value, section, isFirst);
            }
            else
            {
                service.NoEqual(setting, reason);
            }
        }
    }

    private static CommandText? Command(SourceSetting setting, SupervisordExpansion expansion, out string reason)
    {
        reason = "a quote in it is not closed";
        if (ShellWords.Split(setting.Value) is not { } words)
        {
            return null;
        }

        var command = new CommandText();
        foreach (var word in words)
        {
            command.BeginWord();
            if (!expansion.TryExpand(word, command.Literal, command.Variable, out reason))
            {
                return null;
            }
        }

        reason = "there is no command in it";
        return command.IsEmpty ? null : command;
    }

    private static void Translate(DraftSection service, SourceSetting setting, string value, SourceSection section, bool isFirst)
    {
        switch (setting.Key)
        {
            case "directory":
                service.Set("working_directory", TomlLiteral.Of(value), setting);
                break;
            case "user":
                service.Set("user", TomlLiteral.Of(value), setting);
                break;
            case "umask":
                service.Set("umask", TomlLiteral.Of(value.PadLeft(4, '0')), setting);
                break;
            case "stopsignal":
                service.Set("stop_signal", TomlLiteral.Of(value.StartsWith("SIG", StringComparison.Ordinal) ? value : "SIG" + value), setting);
                break;
            case "stopwaitsecs":
                Seconds(service, setting, "stop_timeout");
                break;
            case "startsecs":
                Seconds(service, setting, "rollout.settle");
                break;
            case "autorestart":
                service.Set(
                    "restart.policy",
                    TomlLiteral.Of(value.ToLowerInvariant() switch { "unexpected" => "on-failure", var flag => Flag(flag) ? "always" : "never" }), setting);
                break;
            case "autostart":
                if (!Flag(value))
                {
                    service.NoEqual(setting, "services start with the daemon: \"listenctl stop\" stops one");
                }

                break;
            case "killasgroup" or "redirect_stderr":
                if (!Flag(value))
                {
                    service.NoEqual(setting, setting.Key == "killasgroup" ? "what is left of a worker's session is killed after it, always" : OneStream);
                }

                break;
            case "stdout_syslog":
                if (Flag(value))
                {
                    service.Set("log", TomlLiteral.Of("journal"), setting);
                }

                break;
            case "stdout_logfile":
                Log(service, setting, value);
                break;
            case "stderr_logfile":
                if (value != section.Last("stdout_logfile")?.Value && !(section.Last("redirect_stderr") is { } redirect && Flag(redirect.Value)))
                {
                    service.NoEqual(setting, OneStream);
                }

                break;
            case "stopasgroup" when !Flag(value):
                break;
            default:
                if (isFirst)
                {
                    service.NoEqual(setting, Without.GetValueOrDefault(setting.Key, "listend has nothing like it"));
                }

                break;
        }
    }

    private static void Log(DraftSection service, SourceSetting setting, string value)
    {
        switch (value.ToUpperInvariant())
        {
            case "AUTO":
                service.NoEqual(setting, "output goes to the journal under systemd, else to the daemon's own output");
                break;
            case "NONE" or "OFF" or "/DEV/NULL":
                service.NoEqual(setting, "output is never thrown away");
                break;
            case "SYSLOG":
                service.Set("log", TomlLiteral.Of("journal"), setting);
                break;
            case "/DEV/STDOUT" or "/DEV/STDERR" or "/DEV/FD/1" or "/DEV/FD/2":
                service.Set("log", TomlLiteral.Of("inherit"), setting);
                break;
            default:
                service.Set("log", TomlLiteral.Of("file:" + value), setting);
                break;
        }
    }

    /// <summary><c>KEY="value",KEY2=value</c>, also over several lines.</summary>
    private static void Environment(DraftSection service, SourceSetting setting, SupervisordExpansion expansion)
    {
        var text = setting.Value;
        var at = 0;
        while (at < text.Length)
        {
            var equals = text.IndexOf('=', at);
            if (equals < 0)
            {
                if (text[at..].Trim(',', ' ', '\n', '\t').Length > 0)
                {
                    service.NoEqual(setting, $"{Quoted.Text(text[at..])} is no KEY=\"value\"");
                }

                return;
            }

            var key = text[at..equals].Trim(',', ' ', '\n', '\t');
            at = equals + 1;
            while (at < text.Length && text[at] is ' ' or '\t')
            {
                at++;
            }

            string value;
            if (at < text.Length && text[at] is '"' or '\'')
            {
                var end = text.IndexOf(text[at], at + 1);
                end = end < 0 ? text.Length : end;
                value = text[(at + 1)..end];
                at = Math.Min(end + 1, text.Length);
            }
            else
            {
                var end = text.IndexOfAny([',', '\n'], at);
                end = end < 0 ? text.Length : end;
                value = text[at..end].Trim();
                at = end;
            }

            if (expansion.Expand(value, out var reason) is { } expanded)
            {
                service.Set($"environment.{TomlLiteral.Key(key)}", TomlLiteral.Of(expanded), setting);
            }
            else
            {
                service.NoEqual(setting, reason);
            }
        }
    }

    /// <summary>The listener of a fcgi-program; null where its socket could not be translated.</summary>
    private DraftSection? Socket(SourceSection section, string name)
    {
        if (section.Last("socket") is not { } setting)
        {
            draft.NoEqual(section, "a fcgi-program has a socket");
            return null;
        }

        if (new SupervisordExpansion(Values(section, name, 0, 1)).Expand(setting.Value, out var reason) is not { } address)
        {
            draft.NoEqual(setting, reason);
            return null;
        }

        var listener = draft.Add("listener", name);
        listener.Set("address", TomlLiteral.Of(ImportedHosts.Numeric(address, out var remark)), setting, remark);
        if (address.StartsWith("unix:", StringComparison.Ordinal))
        {
            listener.Set("unix.mode", TomlLiteral.Of((section.Last("socket_mode")?.Value ?? "0700").PadLeft(4, '0')), section.Last("socket_mode"), section.Last("socket_mode") is null ? "supervisord's default" : null);
            listener.Set("unix.remove_stale", TomlLiteral.Of(true), null, "as supervisord does");
        }

        if (section.Last("socket_owner") is { } owner)
        {
            var parts = owner.Value.Split([':', '.'], 2);
            listener.Set("unix.user", TomlLiteral.Of(parts[0]), owner);
            if (parts.Length > 1)
            {
                listener.Set("unix.group", TomlLiteral.Of(parts[1]), owner);
            }
        }

        if (section.Last("socket_backlog") is { } backlog)
        {
            listener.Set("listen.backlog", TomlLiteral.Of(Number(section, "socket_backlog", 4096)), backlog);
        }

        return listener;
    }

    private static void Seconds(DraftSection service, SourceSetting setting, string key)
    {
        if (int.TryParse(setting.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            service.Set(key, TomlLiteral.Of(TimeSpan.FromSeconds(seconds)), setting);
        }
        else
        {
            service.NoEqual(setting, "it is not a number of seconds");
        }
    }

    private static int Number(SourceSection section, string key, int byDefault) =>
        int.TryParse(section.Last(key)?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : byDefault;

    private static bool Flag(string value) => value.ToLowerInvariant() is "true" or "yes" or "on" or "1" or "t" or "y";
}
