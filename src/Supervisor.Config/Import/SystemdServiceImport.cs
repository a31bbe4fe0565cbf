namespace Supervisor.Config.Import;

/// <summary>A .service unit, systemd.service(5), systemd.exec(5) and systemd.kill(5).</summary>
internal sealed class SystemdServiceImport(SystemdUnit unit, ImportDraft draft)
{
    private DraftSection _service = null!;

    /// <param name="sockets">The sockets that start it, or that it lists.</param>
    public void Translate(IReadOnlyList<SystemdSocketImport> sockets)
    {
        if (sockets.FirstOrDefault(s => s.IsForEachConnection) is { } each)
        {
            Reject($"{each.Name} has Accept=yes, and listend does not start a worker for each connection");
            return;
        }

        var start = unit.List("Service", "ExecStart").ToList();
        var commands = new List<SystemdCommand>();
        foreach (var setting in start)
        {
            if (SystemdCommand.Read(setting, unit, out var reason) is not { } read)
            {
                var other = $"it belongs to {unit.Name}, whose ExecStart cannot be translated";
                unit.Settings.ForEach(s => draft.NoEquivalent(s, s == setting ? reason : other));
                return;
            }

            commands.AddRange(read);
        }

        if (commands.Count == 0)
        {
            Reject($"{unit.Name} has no ExecStart, so there is no program to run");
            return;
        }

        _service = draft.Add("service", unit.Stem);
        if (unit.Last("Unit", "Description") is { } description)
        {
            _service.Remarks.Add(description.Value);
        }

        Command(commands[0], start[0]);
        foreach (var further in start.Skip(1))
        {
            _service.NoEquivalent(further, "a service has only one command");
        }

        _service.Listeners.AddRange(sockets.SelectMany(s => s.Listeners).Select(l => l.Name).Distinct());
        Defaults(sockets.Count > 0);
        foreach (var setting in Effective())
        {
            Translate(setting, sockets);
        }

        new SystemdHooks(unit, _service).Translate();
        new SystemdRestartImport(unit, _service).Translate(sockets.Count > 0);
    }

    private void Reject(string reason) => unit.Settings.ForEach(setting => draft.NoEquivalent(setting, reason));

    private void Command(SystemdCommand command, SourceSetting setting)
    {
        _service.Set("command", TomlLiteral.Of(command.Text.Words()), setting,
            command.Text.NeedsShell ? CommandText.ShellRemark : null);
        foreach (var prefix in command.Prefixes.Distinct())
        {
            var reason = prefix switch
            {
                '@' => "\"@\": argv[0] cannot be chosen, so it is left out",
                '-' => "\"-\": the clean exit statuses cannot be chosen",
                '+' or '!' => $"\"{prefix}\": the command runs as the user of the service",
                '|' => "\"|\": listend starts no login shell",
                _ => null,
            };
            if (reason is not null)
            {
                _service.NoEquivalent(setting, reason);
            }
        }
    }

    /// <summary>Writes the defaults of systemd that differ from those of listend.</summary>
    private void Defaults(bool hasSockets)
    {
        if (hasSockets && unit.Settings.TrueForAll(s => s.Section != "Install"))
        {
            _service.Set("start", TomlLiteral.Of("on-demand"), null, "the socket starts the service");
        }

        var type = unit.Last("Service", "Type");
        var ready = type?.Value is "notify" or "notify-reload" ? "notify" : "started";
        _service.Set(
            "ready", TomlLiteral.Of(ready), type,
            ready == "started" && hasSockets ? "\"accepting\" waits until the worker serves, and makes restarts safe" : null);
        if (ready == "notify" && unit.Last("Service", "TimeoutStartSec") is null && unit.Last("Service", "TimeoutSec") is null)
        {
            _service.Set("start_timeout", TomlLiteral.Of(TimeSpan.FromSeconds(90)), null, "systemd's default");
        }

        if (unit.Last("Service", "TimeoutStopSec") is null && unit.Last("Service", "TimeoutSec") is null)
        {
            _service.Set("stop_timeout", TomlLiteral.Of(TimeSpan.FromSeconds(90)), null, "systemd's default");
        }
    }

    private IEnumerable<SourceSetting> Effective()
    {
        foreach (var setting in unit.Settings)
        {
            var isList = setting.Section != "Service" || setting.Key.StartsWith("Exec", StringComparison.Ordinal)
                || setting.Key is "Environment" or "EnvironmentFile" or "SupplementaryGroups" or "AmbientCapabilities" or "Sockets";
            var applies = isList && setting.Section == "Service"
                ? unit.List(setting.Section, setting.Key).Contains(setting)
                : isList || setting == unit.Last(setting.Section, setting.Key);
            if (setting.Value.Length > 0 && applies)
            {
                yield return setting;
            }
        }
    }

    private void Translate(SourceSetting setting, IReadOnlyList<SystemdSocketImport> sockets)
    {
        if (setting.Section != "Service")
        {
            UnitOrInstall(setting);
            return;
        }

        if (setting.Key is "ExecStart" or "ExecStartPre" or "ExecStartPost" or "ExecStopPost"
            or "Restart" or "RestartSec" or "RestartMaxDelaySec" or "StartLimitInterval" or "StartLimitBurst")
        {
            // The command, SystemdHooks and SystemdRestartImport need all of them at once.
            return;
        }

        if (setting.Key is "Environment" or "Sockets")
        {
            Translate(setting, setting.Value, sockets);
        }
        else if (SystemdSpecifiers.Expand(setting.Value, unit, out var reason) is { } expanded)
        {
            Translate(setting, expanded, sockets);
        }
        else
        {
            _service.NoEquivalent(setting, reason);
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
                foreach (var name in value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(n => sockets.All(s => s.Name != n)))
                {
                    _service.NoEquivalent(setting, $"{name} was not given to the import");
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
            case "KillSignal":
                _service.SetOrReport(setting, "stop_signal", TomlLiteral.Of(value));
                break;
            case "KillMode" when value is "control-group" or "mixed":
                if (value == "control-group")
                {
                    _service.Remarks.Add(
                        $"KillMode=control-group (line {setting.Line}): listend sends stop_signal only to the worker, "
                        + "and kills the rest of its session after its exit.");
                }

                break;
            case "KillMode":
                _service.NoEquivalent(setting, "listend kills the rest of a worker's session after its exit");
                break;
            case "SendSIGKILL" when SystemdValues.Flag(value) == true:
            case "StandardInput" when value == "null":
            case "NotifyAccess" when value != "none":
            case "NonBlocking" when SystemdValues.Flag(value) == false:
            case "SyslogLevelPrefix" when SystemdValues.Flag(value) == true:
            case "IgnoreSIGPIPE" when SystemdValues.Flag(value) == false:
                // listend always does this.
                break;
            case "SendSIGKILL":
                _service.NoEquivalent(setting, CommonReasons.Killed);
                break;
            case "IgnoreSIGPIPE":
                _service.NoEquivalent(setting, "a worker starts with the default action of all signals");
                break;
            case "NonBlocking":
                foreach (var socket in sockets)
                {
                    socket.SetNonBlocking(setting);
                }

                break;
            case "FileDescriptorStoreMax" or "FileDescriptorStorePreserve":
                _service.Remarks.Add(
                    $"{setting.Key}={value} (line {setting.Line}): listend keeps descriptors of FDSTORE=1 for the slot without a setting.");
                break;
            case "User":
                _service.SetOrReport(setting, "user", TomlLiteral.Of(value));
                break;
            case "Group":
                _service.SetOrReport(setting, "group", TomlLiteral.Of(value));
                break;
            case "SupplementaryGroups":
                _service.SetOrReport(setting, "supplementary_groups", TomlLiteral.Of(Words("SupplementaryGroups")));
                break;
            case "WorkingDirectory":
                _service.SetOrReport(
                    setting, "working_directory", value == "~" ? null : TomlLiteral.Of(value.TrimStart('-')),
                    "\"~\" is the user's home directory: write its path");
                if (value.StartsWith('-'))
                {
                    _service.NoEquivalent(setting, "\"-\": a missing directory is an error");
                }

                break;
            case "Environment":
                new SystemdEnvironment(unit, _service).Variables(setting);
                break;
            case "EnvironmentFile":
                new SystemdEnvironment(unit, _service).Files(setting);
                break;
            case "UMask":
                _service.SetOrReport(setting, "umask", TomlLiteral.Of(value.PadLeft(4, '0')));
                break;
            case "Nice":
                _service.SetOrReport(setting, "nice", SystemdValues.Integer(value) is { } nice ? TomlLiteral.Of(nice) : null);
                break;
            case "NoNewPrivileges":
                _service.SetOrReport(setting, "no_new_privileges", SystemdValues.Flag(value) is { } flag ? TomlLiteral.Of(flag) : null);
                break;
            case "AmbientCapabilities":
                _service.SetOrReport(
                    setting, "capabilities", value.StartsWith('~') ? null : TomlLiteral.Of(Words("AmbientCapabilities")),
                    "\"~\" excludes capabilities: write those that a worker gets");
                break;
            case "StandardInput" when value == "socket":
                _service.SetOrReport(setting, "handoff", TomlLiteral.Of("stdin"));
                break;
            case "StandardInput" or "StandardInputText" or "StandardInputData":
                _service.NoEquivalent(setting, "standard input of a worker is /dev/null, or the listener with handoff \"stdin\"");
                break;
            case "StandardOutput":
                Output(setting, value);
                break;
            case "StandardError":
                if (value != "inherit" && value != (unit.Last("Service", "StandardOutput")?.Value ?? "journal"))
                {
                    _service.NoEquivalent(setting, "standard error goes where standard output goes");
                }

                break;
            case var key when key.StartsWith("Limit", StringComparison.Ordinal):
                Limit(setting, value);
                break;
            case var key:
                _service.NoEquivalent(setting, SystemdServiceReasons.Of(key));
                break;
        }
    }

    private void UnitOrInstall(SourceSetting setting)
    {
        switch (setting.Section, setting.Key)
        {
            case ("Unit", "Description"):
            case ("Unit", "StartLimitBurst" or "StartLimitIntervalSec" or "StartLimitInterval"):
                break;
            case ("Unit", "Documentation"):
                _service.Remarks.Add(setting.Value);
                break;
            case (var section, _):
                _service.NoEquivalent(setting, SystemdReasons.Of(section));
                break;
        }
    }

    private void Type(SourceSetting setting)
    {
        switch (setting.Value)
        {
            case "notify" or "simple" or "exec":
                break;
            case "notify-reload":
                _service.NoEquivalent(setting, "only readiness is translated; reload with \"listenctl signal SERVICE HUP\"");
                break;
            case "forking":
                _service.NoEquivalent(setting, "the program must stay in the foreground or send MAINPID= (most programs have an option)");
                break;
            case "idle":
                _service.NoEquivalent(setting, "listend starts the service without a delay");
                break;
            default:
                _service.NoEquivalent(setting, "a service of listend is a running program");
                break;
        }
    }

    private void Output(SourceSetting setting, string value)
    {
        var colon = value.IndexOf(':', StringComparison.Ordinal);
        var log = value switch
        {
            "journal" => "journal",
            "inherit" when unit.Last("Service", "StandardInput") is null => "journal",
            _ when value.StartsWith("append:", StringComparison.Ordinal) || value.StartsWith("file:", StringComparison.Ordinal) =>
                "file:" + value[(colon + 1)..],
            _ => null,
        };
        _service.SetOrReport(setting, "log", log is null ? null : TomlLiteral.Of(log), "log is journal, inherit or file:PATH");
        if (value.StartsWith("file:", StringComparison.Ordinal))
        {
            _service.NoEquivalent(setting, "systemd overwrites the file from its beginning, and listend appends to it");
        }
    }

    private void Limit(SourceSetting setting, string value)
    {
        var name = setting.Key["Limit".Length..].ToLowerInvariant();
        var parts = value.Split(':');
        var literal = parts[0] switch
        {
            "infinity" => TomlLiteral.Of("infinity"),
            var time when name == "cpu" && SystemdValues.Span(time) is { } span => TomlLiteral.Of((long)Math.Ceiling(span.TotalSeconds)),
            var time when name == "rttime" && SystemdValues.Span(time, 1e-6) is { } span =>
                TomlLiteral.Of((long)span.TotalMicroseconds),
            var number => SystemdValues.Size(number) is { } size ? TomlLiteral.Of(size) : null,
        };
        _service.SetOrReport(setting, "limits." + name, literal);
        if (literal is not null && parts.Length > 1 && parts[1] != parts[0])
        {
            _service.NoEquivalent(setting, "listend has one value for the soft and the hard limit: the import used the soft limit");
        }
    }

    private string[] Words(string key) =>
    [
        .. unit.List("Service", key)
            .SelectMany(s => (SystemdSpecifiers.Expand(s.Value, unit, out _) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Distinct(),
    ];
}
