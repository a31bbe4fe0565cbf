namespace Supervisor.Config.Import;

/// <summary>A .service unit, systemd.service(5), systemd.exec(5) and systemd.kill(5).</summary>
internal sealed class SystemdServiceImport(SystemdUnit unit, ImportDraft draft)
{
    private static readonly Reason Masked = Reason.Lost("the file is empty: systemd masks the unit");
    private static readonly Reason NoUnit = Reason.Lost("it has no setting of a unit: it is not a file of systemd");

    private readonly SystemdVariables _variables = new(unit);
    private DraftSection _service = null!;
    private bool _connections;

    /// <summary>Writes the service; null if it has no command that can be translated.</summary>
    /// <param name="sockets">The sockets that start it, or that it lists.</param>
    /// <param name="units">The names of all units of the import.</param>
    public DraftSection? Translate(IReadOnlyList<SystemdSocketImport> sockets, IReadOnlySet<string> units)
    {
        if (Commands() is not { } commands)
        {
            return null;
        }

        if (commands.Count == 0)
        {
            unit.Report(draft.Differences, unit.Settings.Count > 0 ? CommonReasons.NoProgram("ExecStart")
                : draft.IsBlank(unit.File) ? Masked
                : NoUnit);
            return null;
        }

        var accepting = sockets.FirstOrDefault(socket => socket.IsForEachConnection);
        _connections = accepting is not null;
        _service = draft.Add("service", _connections ? unit.Prefix : unit.Stem, unit.File);
        _service.Title = unit.Title;
        // All commands of Type=oneshot run, one after the other. systemd refuses several of another type.
        var isOneShot = unit.Last("Service", "Type") is { Value: "oneshot" };
        var main = isOneShot ? commands[^1] : commands[0];
        Command(main.Command, main.Setting);
        if (!isOneShot)
        {
            foreach (var (setting, _) in commands.Skip(1))
            {
                _service.Lost(setting, "a service has only one command: the import used the first one");
            }
        }

        _service.Listeners.AddRange(sockets.SelectMany(s => s.Listeners).Select(l => l.Name).Distinct());
        _service.ListenersRemark = sockets.Any(socket => socket.HasOtherNames) ? "LISTEN_FDNAMES has these names" : null;
        Defaults(_service.Listeners.Count > 0, sockets.Any(socket => socket.AcceptsConnections));
        if (accepting is not null)
        {
            new SystemdConnections(_service).Translate(accepting.Unit);
        }

        new SystemdIdentity(unit, _service).Translate();
        new SystemdEnvironment(unit, _service).Translate();
        new SystemdProcess(unit, _service).Translate();
        var effective = SystemdLists.Effective(unit).ToHashSet();
        foreach (var setting in unit.Settings.Where(effective.Contains))
        {
            Translate(setting, sockets, units);
        }

        new SystemdHooks(unit, _variables, sockets, _service)
            .Translate(isOneShot ? [.. commands.SkipLast(1)] : [], hasReadiness: !_connections);
        if (!_connections)
        {
            new SystemdRestartImport(unit, _service).Translate(_service.Listeners.Count > 0);
        }

        return _service;
    }

    /// <summary>The commands of ExecStart=; null with a report if one cannot be read.</summary>
    private List<(SourceSetting Setting, SystemdCommand Command)>? Commands()
    {
        var commands = new List<(SourceSetting, SystemdCommand)>();
        foreach (var setting in unit.List("Service", "ExecStart"))
        {
            if (SystemdCommand.Read(setting, unit, _variables, out var reason) is not { } read)
            {
                draft.Lost(setting, reason);
                unit.Report(draft.Differences, Reason.LostToo($"it belongs to {unit.Name}, whose ExecStart cannot be translated"));
                return null;
            }

            commands.AddRange(read.Select(command => (setting, command)));
        }

        return commands;
    }

    private void Command(SystemdCommand command, SourceSetting setting)
    {
        var remark = command.Text.NeedsShell ? CommandText.ShellRemark
            : command.Expanded.Count > 0 ? $"the import expanded {string.Join(", ", command.Expanded.Select(name => "$" + name))}"
            : null;
        _service.Set("command", TomlLiteral.Of(command.Text.Words()), setting, remark);
        PackagedUnit.Check(_service, setting, setting.Value);
        if (command.Text.SplitsVariables)
        {
            _service.Changed(setting, "quotes in the value of $NAME have no effect");
        }

        if (SystemdIdentity.LosesRoot(unit, command.Prefixes))
        {
            _service.Lost(
                setting,
                $"\"{(command.Prefixes.Contains('+') ? '+' : '!')}\": listend starts the program as the service's user, systemd as root: "
                + "if it changes its user itself, remove user");
        }

        foreach (var prefix in command.Prefixes.Distinct())
        {
            Reason? reason = prefix switch
            {
                '@' => Reason.Lost("\"@\": argv[0] cannot be chosen: it is the program"),
                '-' => Reason.Changed("\"-\": the clean exit statuses cannot be chosen"),
                '|' => Reason.Lost("\"|\": listend starts no login shell"),
                _ => null,
            };
            if (reason is { } difference)
            {
                _service.Report(setting, difference);
            }
        }
    }

    /// <summary>Writes the defaults of systemd that differ from those of listend.</summary>
    private void Defaults(bool hasListeners, bool hasConnections)
    {
        if (hasListeners && !_connections && unit.Last("Install", "WantedBy") is null && unit.Last("Install", "RequiredBy") is null)
        {
            _service.Set("start", TomlLiteral.Of("on-demand"), null, "the socket starts the service");
        }

        if (!_connections)
        {
            Readiness(hasConnections);
        }

        if (!hasListeners)
        {
            // As in systemd, where the old process exits first.
            _service.Set("rollout.strategy", TomlLiteral.Of("stop-first"), null, CommonReasons.BindsItself);
        }

        if (unit.Last("Service", "TimeoutStopSec") is null && unit.Last("Service", "TimeoutSec") is null)
        {
            _service.Set("stop_timeout", TomlLiteral.Of(TimeSpan.FromSeconds(90)), null, "systemd's default");
        }

        _service.Set("working_directory", TomlLiteral.Of(unit.User?.Home ?? "/"));
        _service.Set("limits.nofile", TomlLiteral.Of("1024:524288"), null, "systemd's default");
    }

    private void Readiness(bool hasConnections)
    {
        var type = unit.Last("Service", "Type");
        var ready = type?.Value is "notify" or "notify-reload" ? "notify" : "started";
        _service.Set(
            "ready", TomlLiteral.Of(ready), type,
            ready == "started" && hasConnections ? "\"accepting\" makes restarts safe" : null);
        if (ready == "notify" && unit.Last("Service", "TimeoutStartSec") is null && unit.Last("Service", "TimeoutSec") is null)
        {
            _service.Set("start_timeout", TomlLiteral.Of(TimeSpan.FromSeconds(90)), null, "systemd's default");
        }
    }

    private void Translate(SourceSetting setting, IReadOnlyList<SystemdSocketImport> sockets, IReadOnlySet<string> units)
    {
        if (_connections && SystemdConnections.Differs(setting, out var difference))
        {
            _service.Report(setting, difference);
            return;
        }

        switch (setting.Section, setting.Key)
        {
            case ("Service", "ExecStart" or "ExecStartPre" or "ExecStartPost" or "ExecStopPost"
                or "Restart" or "RestartSec" or "RestartMaxDelaySec" or "StartLimitInterval" or "StartLimitBurst"
                or "User" or "Group" or "DynamicUser" or "SupplementaryGroups" or "AmbientCapabilities" or "NoNewPrivileges"
                or "Environment" or "EnvironmentFile" or "KillMode" or "KillSignal" or "IgnoreSIGPIPE"):
            case ("Unit", "Description" or "StartLimitBurst" or "StartLimitIntervalSec" or "StartLimitInterval"):
                // Classes of their own need all of them at once.
                break;
            case ("Service", _) when SystemdSpecifiers.Expand(setting.Value, unit, out var reason) is var value:
                if (value is null)
                {
                    _service.Lost(setting, reason);
                }
                else
                {
                    Translate(setting, value, sockets);
                }

                break;
            default:
                foreach (var (part, why) in SystemdReasons.Of(setting, units.Contains, isOrdered: true))
                {
                    _service.Report(part, why);
                }

                break;
        }
    }

    private void Translate(SourceSetting setting, string value, IReadOnlyList<SystemdSocketImport> sockets)
    {
        switch (setting.Key)
        {
            case "Type":
                Type(setting);
                break;
            case "Sockets":
                foreach (var name in value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(n => sockets.All(s => s.Unit.Name != n)))
                {
                    _service.Lost(setting, $"{name} was not given to the import");
                }

                break;
            case "TimeoutStartSec":
                _service.SetTimeout(setting, "start_timeout");
                break;
            case "TimeoutStopSec":
                _service.SetTimeout(setting, "stop_timeout");
                break;
            case "TimeoutSec":
                _service.SetTimeout(setting, "start_timeout");
                _service.SetTimeout(setting, "stop_timeout");
                break;
            case "WatchdogSec":
                _service.SetTimeout(setting, "watchdog");
                break;
            case "SendSIGKILL" when SystemdValues.Flag(value) == true:
            case "StandardInput" when value == "null":
            case "NotifyAccess" when value != "none":
            case "NonBlocking" when SystemdValues.Flag(value) == false:
            case "SyslogLevelPrefix" when SystemdValues.Flag(value) == true:
                // listend always does this.
                break;
            case "SendSIGKILL":
                _service.Report(setting, CommonReasons.Killed);
                break;
            case "NonBlocking":
                foreach (var socket in sockets)
                {
                    socket.SetNonBlocking(setting);
                }

                break;
            case "FileDescriptorStoreMax" or "FileDescriptorStorePreserve":
                _service.Report(setting, Reason.NotNeeded("listend keeps descriptors of FDSTORE=1 for the slot without a setting"));
                break;
            case "WorkingDirectory":
                WorkingDirectory(setting, value);
                break;
            case "UMask":
                _service.SetOrReport(setting, "umask", TomlLiteral.Of(value.PadLeft(4, '0')));
                break;
            case "Nice":
                PackagedUnit.Check(_service, setting, value);
                _service.SetOrReport(setting, "nice", SystemdValues.Integer(value) is { } nice ? TomlLiteral.Of(nice) : null);
                break;
            case "StandardInput" when value == "socket":
                _service.SetOrReport(setting, "handoff", TomlLiteral.Of("stdin"));
                break;
            case "StandardInput" or "StandardInputText" or "StandardInputData":
                _service.Lost(setting, "standard input of a worker is /dev/null, or the listener with handoff \"stdin\"");
                break;
            case "StandardOutput":
                Output(setting, value);
                break;
            case "StandardError" when _connections:
                Output(setting, value);
                break;
            case "StandardError":
                if (value != "inherit" && Target(value) != Target(unit.Last("Service", "StandardOutput")?.Value ?? "journal"))
                {
                    _service.Report(setting, CommonReasons.OneStream);
                }

                break;
            case var key when SystemdDirectories.IsOne(key):
                _service.Report(setting, SystemdDirectories.Created);
                break;
            case var key when SystemdResources.IsOne(key):
                SystemdResources.Translate(_service, setting, value);
                break;
            case var key when key.StartsWith("Limit", StringComparison.Ordinal):
                SystemdLimits.Translate(_service, setting, value, unit.Last("Service", "CPUQuota") is not null);
                PackagedUnit.Check(_service, setting, value);
                break;
            case "ExecReload":
                _service.Report(setting, SystemdServiceReasons.Reload(value));
                break;
            case var key:
                _service.Report(setting, SystemdServiceReasons.Of(key));
                break;
        }
    }

    private void Type(SourceSetting setting)
    {
        Reason? reason = setting.Value switch
        {
            "notify" or "simple" or "exec" => null,
            "notify-reload" => Reason.Changed("only readiness is translated: reload with \"listenctl signal SERVICE HUP\""),
            "forking" => SystemdServiceReasons.MainPid,
            "idle" => Reason.Changed("listend starts the service without a delay"),
            "dbus" => Reason.Changed("listend does not wait for a bus name: set ready"),
            _ => Reason.Lost("a service of listend is a running program"),
        };
        if (reason is { } difference)
        {
            _service.Report(setting, difference);
        }
    }

    private void WorkingDirectory(SourceSetting setting, string value)
    {
        if (value.TrimStart('-') == "~")
        {
            if (unit.RunsAs?.Home is not { Length: > 0 } home)
            {
                _service.Lost(setting, "\"~\" is the user's home directory: write its path");
                return;
            }

            _service.Report(setting, CommonReasons.OfHost("\"~\"", home));
            value = value.Replace("~", home, StringComparison.Ordinal);
        }

        _service.Set("working_directory", TomlLiteral.Of(value.TrimStart('-')), setting);
        PackagedUnit.Check(_service, setting, value);
        if (value.StartsWith('-'))
        {
            _service.Changed(setting, "\"-\": a missing directory is an error");
        }
    }

    /// <summary>"syslog" is an old name of the journal, systemd.exec(5).</summary>
    private static string Target(string value) => value == "syslog" ? "journal" : value;

    private void Output(SourceSetting setting, string value)
    {
        if (_connections && value is "socket" or "inherit" && unit.Last("Service", "StandardInput")?.Value == "socket")
        {
            // The connection, as with listend.
            return;
        }

        var colon = value.IndexOf(':', StringComparison.Ordinal);
        var log = Target(value) switch
        {
            "journal" => "journal",
            "null" when unit.Last("Service", "StandardError")?.Value is null or "null" or "inherit" => "file:/dev/null",
            "inherit" when unit.Last("Service", "StandardInput") is null => "journal",
            _ when value.StartsWith("append:", StringComparison.Ordinal) || value.StartsWith("file:", StringComparison.Ordinal)
                || value.StartsWith("truncate:", StringComparison.Ordinal) => "file:" + value[(colon + 1)..],
            _ => null,
        };
        _service.SetOrReport(setting, "log", log is null ? null : TomlLiteral.Of(log), "log is journal, inherit or file:PATH");
        if (log is not (null or "journal" or "file:/dev/null") && !value.StartsWith("append:", StringComparison.Ordinal))
        {
            _service.Changed(setting, "systemd overwrites the file from its beginning, and listend appends to it");
        }
    }
}
