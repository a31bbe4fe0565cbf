using System.Globalization;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Values;

namespace Supervisor.Config.Import;

/// <summary>
/// supervisord.conf. A program becomes a service. If its processes differ in more than their names (by
/// <c>%(process_num)s</c>), each process becomes a service. A fcgi-program becomes a listener and a service that gets it as
/// descriptor 0.
/// </summary>
internal sealed class SupervisordImport(ImportDraft draft, Func<string, string> fullPath, ImportHost host)
{
    private const int MaxProcesses = 1000;
    private const StringSplitOptions Separated = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;

    private static readonly Reason Overridden =
        Reason.NotNeeded("supervisord uses the last value of a setting that is written twice");

    private readonly List<SourceSection> _sections = [];

    // The groups of each program.
    private ILookup<string, string> _groups = Array.Empty<string>().ToLookup(name => name);

    // The user of [supervisord], who then runs all programs; null for root.
    private SourceSetting? _user;

    private readonly HashSet<string> _including = new(StringComparer.Ordinal);

    public void Add(ConfigSource source)
    {
        var sections = IniText.Read(source, hasInlineHash: true, doublesPercent: false);

        // An included file includes no files.
        _sections.AddRange(source.IncludedBy is null ? sections : sections.Where(section => section.Kind != "include"));
        if (source.HasIncludes)
        {
            _including.Add(source.Path);
        }
    }

    /// <summary>Whether a file of that name was added.</summary>
    public bool Has(string path) => _sections.Exists(section => section.File == path);

    public void Translate()
    {
        var sections = IniSections.Merge(_sections, setting => setting.Key, lastCounts: true, Overridden, draft.Differences);
        var common = sections.Find(s => s.Kind == "supervisord")?.Last("environment");
        _groups = sections
            .Where(s => s is { Kind: "group", Label: not null })
            .SelectMany(s => (s.Last("programs")?.Value ?? "")
                .Split([',', '\n'], Separated)
                .Select(program => (Program: program, Group: s.Label!)))
            .ToLookup(one => one.Program, one => one.Group);
        _user = sections.Find(s => s.Kind == "supervisord")?.Last("user") is { Value: not ("root" or "0") } user ? user : null;
        foreach (var section in sections)
        {
            switch (section.Kind)
            {
                case "program" or "fcgi-program" when section.Last("command") is not null:
                    Programs(section, section.Label ?? "", section.Kind == "fcgi-program", common);
                    break;
                case "program" or "fcgi-program":
                    draft.Differences.Add(section, CommonReasons.NoProgram("command"));
                    break;
                case "group":
                    draft.Differences.Add(
                        section, Reason.Changed("services have no groups: give listenctl the name of each service"));
                    break;
                case "eventlistener":
                    draft.Lost(section, "listend has no event listeners: \"listenctl events --follow --json\" prints the events");
                    break;
                case "include":
                    Include(section);
                    break;
                case "unix_http_server" or "inet_http_server" or "supervisorctl" or "rpcinterface":
                    draft.Lost(
                        section,
                        "listenctl connects to control.sock in daemon.runtime_directory; the user of the client decides what it may do");
                    break;
                case "supervisord":
                    foreach (var setting in section.Settings.Where(s => s.Key is not ("environment" or "user")))
                    {
                        draft.Differences.Add(setting, SupervisordReasons.OfDaemon(setting.Key));
                    }

                    break;
                default:
                    draft.Differences.Add(section, CommonReasons.Section);
                    break;
            }
        }
    }

    private void Include(SourceSection section)
    {
        if (!_including.Contains(section.File))
        {
            draft.Differences.Add(section, CommonReasons.OtherFiles);
        }
        else if (section.Last("files") is { } files && ImportIncludes.OfSupervisord(files, "/", host, out var reason) is null)
        {
            draft.Lost(files, $"{reason} or give the files to \"listenctl import\" too");
        }
    }

    /// <summary>A program runs once for each group that lists it; a program that no group lists is a group of its own.</summary>
    private void Programs(SourceSection section, string name, bool isFastCgi, SourceSetting? common)
    {
        var groups = _groups[name].Distinct().ToList();
        if (groups.Count < 2)
        {
            Program(section, name, name, groups.Count == 0 ? name : groups[0], isFastCgi, common);
            return;
        }

        foreach (var group in groups)
        {
            Program(section, name, $"{group}-{name}", group, isFastCgi, common);
        }
    }

    private void Program(SourceSection section, string program, string name, string group, bool isFastCgi, SourceSetting? common)
    {
        if (Count(section) is not { } count)
        {
            return;
        }

        var first = Number(section, "numprocs_start", 0);
        var differ = count > 1
            && section.Settings.Any(s => s.Key != "process_name" && s.Value.Contains("%(process_num)", StringComparison.Ordinal));
        var socket = isFastCgi
            ? SupervisordSocket.Translate(section, name, new SupervisordExpansion(Values(section, program, group, 0, 1)), draft)
            : null;
        if (isFastCgi && socket is null)
        {
            draft.Differences.Add(section, Reason.LostToo("its socket cannot be translated, and its program needs it"));
            return;
        }

        for (var i = 0; i < (differ ? count : 1); i++)
        {
            var values = Values(section, program, group, first + i, count);
            var wanted = name;
            if (differ)
            {
                wanted = section.Last("process_name") is { } given
                    && new SupervisordExpansion(values).Expand(given.Value, out _) is { } expanded
                    && expanded != name
                    ? expanded
                    : string.Create(CultureInfo.InvariantCulture, $"{name}_{first + i:00}");
            }

            Service(section, program, wanted, differ ? 1 : count, new SupervisordExpansion(values), common, socket, isFirst: i == 0);
        }
    }

    /// <summary>The number of processes; null, with the reason reported, if it is unknown or more than a service can have.</summary>
    private int? Count(SourceSection section)
    {
        if (section.Last("numprocs") is not { } setting)
        {
            return 1;
        }

        if (!int.TryParse(setting.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            draft.Differences.Add(setting, Reason.Changed("its value is known only where supervisord runs: one worker is written"));
            return 1;
        }

        if (count is >= 1 and <= MaxProcesses)
        {
            return count;
        }

        draft.Lost(setting, $"listend has 1 to {MaxProcesses} workers for a service: split the program");
        section.Settings.Where(s => s != setting).ToList()
            .ForEach(s => draft.Differences.Add(s, Reason.LostToo($"it belongs to [{section.Name}], whose numprocs cannot be translated")));
        return null;
    }

    private Dictionary<string, string> Values(SourceSection section, string program, string group, int process, int count)
    {
        var file = fullPath(section.File);
        var folder = file.LastIndexOf('/') is var slash and > 0 ? file[..slash] : file.StartsWith('/') ? "/" : null;
        var values = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["program_name"] = program,
            ["group_name"] = group,
            ["process_num"] = process.ToString(CultureInfo.InvariantCulture),
            ["numprocs"] = count.ToString(CultureInfo.InvariantCulture),
        };
        if (host.Name is { } hostName)
        {
            values["host_node_name"] = hostName;
        }

        if (folder?.StartsWith('/') == true)
        {
            values["here"] = folder;
        }

        return values;
    }

    private void Service(
        SourceSection section,
        string program,
        string wanted,
        int workers,
        SupervisordExpansion expansion,
        SourceSetting? common,
        DraftSection? socket,
        bool isFirst)
    {
        var commandSetting = section.Last("command")!;
        var environment = new SupervisordEnvironment(common, section.Last("environment"), (setting, why) => draft.Lost(setting, why));
        if (SupervisordCommand.Words(environment.Substitute(commandSetting.Value), expansion, out var reason) is not { } words)
        {
            var other = Reason.LostToo($"it belongs to {program}, whose command cannot be translated");
            foreach (var setting in section.Settings)
            {
                draft.Differences.Add(setting, setting == commandSetting ? Reason.Lost(reason) : other);
            }

            return;
        }

        var service = draft.Add("service", wanted, section.File);
        var command = SupervisordCommand.Of(environment.OfCommand(expansion), words, expansion);
        service.Set(
            "command", TomlLiteral.Of(command.Words()), commandSetting, command.NeedsShell ? CommandText.ShellRemark : null);
        if (socket is not null)
        {
            service.Listeners.Add(socket.Name);
            service.Set("handoff", TomlLiteral.Of("stdin"), null, "FastCGI: the listener is descriptor 0");
        }

        if (workers != 1)
        {
            service.Set("workers", TomlLiteral.Of(workers), section.Last("numprocs"));
        }

        foreach (var setting in section.Settings.Append(common).OfType<SourceSetting>())
        {
            if (host.Name is { } hostName && setting.Value.Contains("%(host_node_name)s", StringComparison.Ordinal))
            {
                service.Report(setting, CommonReasons.OfHost("%(host_node_name)s", hostName));
            }
        }

        service.Set(
            "ready", TomlLiteral.Of("started"), null,
            "supervisord's behaviour; \"notify\", \"accepting\" or \"http:/PATH\" make restarts safe");
        service.Set("no_new_privileges", TomlLiteral.Of(false), null, "as supervisord");
        service.Set(
            "stop_mode", TomlLiteral.Of(section.Last("stopasgroup") is { } all && Flag(all.Value) ? "group" : "main"),
            section.Last("stopasgroup"), section.Last("stopasgroup") is null ? "supervisord's default" : null);
        if (section.Last("stopwaitsecs") is null)
        {
            service.Set("stop_timeout", TomlLiteral.Of(TimeSpan.FromSeconds(10)), null, "supervisord's default");
        }

        if (socket is null)
        {
            service.Set("rollout.strategy", TomlLiteral.Of("stop-first"), null, CommonReasons.BindsItself);
        }

        if (_user is not null && section.Last("user") is null)
        {
            service.Set("user", TomlLiteral.Of(_user.Value), _user);
            service.Report(_user, SupervisordReasons.Home);
        }

        if (section.Last("autorestart") is null)
        {
            service.Set("restart.policy", TomlLiteral.Of("on-failure"), null, "supervisord's default, \"unexpected\"");
        }

        environment.Write(service, expansion);
        foreach (var setting in section.Settings)
        {
            if (setting.Key is "command" or "environment" or "numprocs" or "numprocs_start" or "process_name"
                || setting.Key.StartsWith("socket", StringComparison.Ordinal))
            {
                continue;
            }

            if (expansion.Expand(environment.Substitute(setting.Value), out reason) is { } value)
            {
                Translate(service, setting, value, section, isFirst);
            }
            else
            {
                service.Lost(setting, reason);
            }
        }
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
                service.Report(setting, SupervisordReasons.Home);
                break;
            case "umask":
                service.Set("umask", TomlLiteral.Of(value.PadLeft(4, '0')), setting);
                break;
            case "stopsignal":
                service.Set("stop_signal", TomlLiteral.Of(Signal(value)), setting);
                break;
            case "stopwaitsecs":
                Seconds(service, setting, "stop_timeout");
                break;
            case "startsecs":
                Seconds(service, setting, "rollout.settle");
                break;
            case "autorestart":
                var policy = value.ToLowerInvariant() switch { "unexpected" => "on-failure", var flag => Flag(flag) ? "always" : "never" };
                service.Set("restart.policy", TomlLiteral.Of(policy), setting);
                break;
            case "autostart":
                if (!Flag(value))
                {
                    service.Report(setting, CommonReasons.AutoStart);
                }

                break;
            case "killasgroup" or "redirect_stderr":
                if (!Flag(value))
                {
                    service.Report(
                        setting,
                        setting.Key == "killasgroup"
                            ? Reason.Changed("listend always kills the rest of a worker's session after its exit")
                            : CommonReasons.OneStream);
                }

                break;
            case "stdout_syslog":
                if (Flag(value))
                {
                    service.Set("log", TomlLiteral.Of("journal"), setting);
                }

                break;
            case "stdout_logfile":
                Log(service, setting, value, section);
                break;
            case "stderr_logfile":
                if (value != section.Last("stdout_logfile")?.Value
                    && !(section.Last("redirect_stderr") is { } redirect && Flag(redirect.Value)))
                {
                    service.Report(setting, CommonReasons.OneStream);
                }

                break;
            case "stopasgroup":
                break;
            default:
                if (isFirst)
                {
                    service.Report(setting, SupervisordReasons.OfProgram(setting.Key));
                }

                break;
        }
    }

    private static void Log(DraftSection service, SourceSetting setting, string value, SourceSection section)
    {
        switch (value.ToUpperInvariant())
        {
            case var none when IsDiscarded(none) && (IsDiscarded(section.Last("stderr_logfile")?.Value.ToUpperInvariant())
                || (section.Last("redirect_stderr") is { } redirect && Flag(redirect.Value))):
                service.Set("log", TomlLiteral.Of("file:/dev/null"), setting);
                break;
            case "AUTO":
                service.Changed(setting, "output goes to the journal under systemd, otherwise to the daemon's output");
                break;
            case var none when IsDiscarded(none):
                service.Report(setting, CommonReasons.NeverDiscarded);
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

    /// <summary>A signal by number, or by name in any case, with or without SIG.</summary>
    private static string Signal(string value)
    {
        var name = value.Trim().ToUpperInvariant();
        return int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 65
            ? SignalName.Format(number)
            : name.StartsWith("SIG", StringComparison.Ordinal) ? name : "SIG" + name;
    }

    private static bool IsDiscarded(string? value) => value is "NONE" or "OFF" or "/DEV/NULL";

    private static void Seconds(DraftSection service, SourceSetting setting, string key)
    {
        if (int.TryParse(setting.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            service.Set(key, TomlLiteral.Of(TimeSpan.FromSeconds(seconds)), setting);
        }
        else
        {
            service.Lost(setting, "it is not a number of seconds");
        }
    }

    private static int Number(SourceSection section, string key, int byDefault) =>
        int.TryParse(section.Last(key)?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : byDefault;

    private static bool Flag(string value) => value.ToLowerInvariant() is "true" or "yes" or "on" or "1" or "t" or "y";
}
