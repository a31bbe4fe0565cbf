using Supervisor.Config.Diagnostics;
using Supervisor.Core;

namespace Supervisor.Config.Import;

/// <summary>A .service unit, systemd.service(5), systemd.exec(5) and systemd.kill(5).</summary>
internal sealed class SystemdServiceImport(SystemdUnit unit, ImportDraft draft)
{
    private const string Sandbox = "listend makes no sandboxes: set it on the unit of listend, for all its workers";
    private const string Cgroup = "listend sets no cgroup limits: set it on the unit of listend, for all its workers";

    private static readonly string[] SandboxPrefixes =
    [
        "Protect", "Private", "Restrict", "System", "ReadOnly", "ReadWrite", "Inaccessible", "Exec", "NoExec", "Bind", "Temporary", "Root", "Mount",
        "Lock", "Memory", "Keyring", "SecureBits", "CapabilityBoundingSet", "RemoveIPC", "Dynamic", "SELinux", "AppArmor", "Smack", "LoadCredential",
        "SetCredential", "ImportCredential", "NetworkNamespace", "IPCNamespace", "Proc", "Extension", "User", "PAMName", "Delegate", "Personality",
    ];

    private static readonly string[] CgroupPrefixes =
        ["Memory", "CPU", "IO", "BlockIO", "Tasks", "Allowed", "IPAccounting", "IPAddress", "IPIngress", "IPEgress", "Slice", "Device", "BPF", "Socket", "Managed", "Startup", "Disable"];

    private static readonly Dictionary<string, string> Without = new(StringComparer.Ordinal)
    {
        ["ExecStop"] = "a worker is asked to leave by stop_signal alone",
        ["ExecReload"] = "\"listenctl restart\" replaces the workers without a refused connection; \"listenctl signal SERVICE HUP\" asks them to reload by themselves",
        ["ExecCondition"] = "hooks.pre_start may refuse a start, and the roll-out then fails",
        ["PIDFile"] = "a program stays in the foreground, or tells MAINPID=",
        ["BusName"] = "readiness is told by the notify protocol, or seen from outside",
        ["RemainAfterExit"] = "a service of listend is what runs",
        ["GuessMainPID"] = "a program stays in the foreground, or tells MAINPID=",
        ["SuccessExitStatus"] = "exit status 0, SIGHUP, SIGINT, SIGTERM and SIGPIPE count as clean",
        ["RestartPreventExitStatus"] = "restart.policy looks at clean or not",
        ["RestartForceExitStatus"] = "restart.policy looks at clean or not",
        ["RestartMode"] = "a worker's restart concerns its slot alone",
        ["RestartSteps"] = "the wait doubles from try to try, up to restart.backoff_max",
        ["TimeoutAbortSec"] = "after stop_timeout comes SIGKILL",
        ["TimeoutStartFailureMode"] = "a worker that does not get ready is ended by stop_signal, then SIGKILL",
        ["TimeoutStopFailureMode"] = "after stop_timeout comes SIGKILL",
        ["RuntimeMaxSec"] = "workers are not ended by age: call \"listenctl restart\" from a timer",
        ["RuntimeRandomizedExtraSec"] = "workers are not ended by age: call \"listenctl restart\" from a timer",
        ["RootDirectoryStartOnly"] = Sandbox,
        ["OOMPolicy"] = "a worker that was killed is replaced by restart.policy",
        ["OOMScoreAdjust"] = "listend does not set it: choom(1) before the program does",
        ["USBFunctionDescriptors"] = "listend has nothing like it",
        ["USBFunctionStrings"] = "listend has nothing like it",
        ["FinalKillSignal"] = "after stop_timeout comes SIGKILL",
        ["SendSIGHUP"] = "stop_signal is the one signal that is sent",
        ["RestartKillSignal"] = "stop_signal is used for a restart too",
        ["WatchdogSignal"] = "a worker whose watchdog ran out gets SIGABRT, then SIGKILL",
        ["PassEnvironment"] = "workers inherit the daemon's whole environment",
        ["UnsetEnvironment"] = "workers inherit the daemon's environment: env -u NAME before the program takes a variable away",
        ["CPUSchedulingPolicy"] = "listend sets nice alone: chrt(1) before the program does it",
        ["CPUSchedulingPriority"] = "listend sets nice alone: chrt(1) before the program does it",
        ["CPUAffinity"] = "listend sets nice alone: taskset(1) before the program does it",
        ["IOSchedulingClass"] = "listend sets nice alone: ionice(1) before the program does it",
        ["IOSchedulingPriority"] = "listend sets nice alone: ionice(1) before the program does it",
        ["TimerSlackNSec"] = "listend does not set it",
        ["SyslogIdentifier"] = "the journal's lines carry the service's name",
        ["SyslogFacility"] = "the journal's lines carry none",
        ["SyslogLevel"] = "lines without a <N> prefix are informational",
        ["LogLevelMax"] = "all lines are kept",
        ["LogRateLimitIntervalSec"] = "the journal's own limit counts",
        ["LogRateLimitBurst"] = "the journal's own limit counts",
        ["LogExtraFields"] = "the fields are LISTEND_*",
        ["LogNamespace"] = "the daemon's own namespace",
        ["RuntimeDirectory"] = "listend makes no directories for workers: make it by tmpfiles.d",
        ["RuntimeDirectoryMode"] = "listend makes no directories for workers: make it by tmpfiles.d",
        ["RuntimeDirectoryPreserve"] = "listend makes no directories for workers: make it by tmpfiles.d",
        ["StateDirectory"] = "listend makes no directories for workers: make it by tmpfiles.d",
        ["StateDirectoryMode"] = "listend makes no directories for workers: make it by tmpfiles.d",
        ["CacheDirectory"] = "listend makes no directories for workers: make it by tmpfiles.d",
        ["CacheDirectoryMode"] = "listend makes no directories for workers: make it by tmpfiles.d",
        ["LogsDirectory"] = "listend makes no directories for workers: make it by tmpfiles.d",
        ["LogsDirectoryMode"] = "listend makes no directories for workers: make it by tmpfiles.d",
        ["ConfigurationDirectory"] = "listend makes no directories for workers: make it by tmpfiles.d",
        ["ConfigurationDirectoryMode"] = "listend makes no directories for workers: make it by tmpfiles.d",
        ["TTYPath"] = "workers have no terminal",
        ["TTYReset"] = "workers have no terminal",
        ["TTYVHangup"] = "workers have no terminal",
        ["UtmpIdentifier"] = "workers have no terminal",
    };

    private DraftSection _service = null!;

    /// <param name="sockets">The sockets that start it, or that it lists.</param>
    public void Translate(IReadOnlyList<SystemdSocketImport> sockets)
    {
        if (sockets.FirstOrDefault(s => s.IsForEachConnection) is { } each)
        {
            unit.Settings.ForEach(s => draft.NoEqual(s, $"{each.Name} has Accept=yes, and listend starts no worker for each connection"));
            return;
        }

        var start = unit.List("Service", "ExecStart").ToList();
        var commands = new List<SystemdCommand>();
        foreach (var setting in start)
        {
            if (SystemdCommand.Read(setting, unit, out var reason) is not { } read)
            {
                unit.Settings.ForEach(s => draft.NoEqual(s, s == setting ? reason : $"it belongs to {unit.Name}, whose ExecStart could not be translated"));
                return;
            }

            commands.AddRange(read);
        }

        if (commands.Count == 0)
        {
            unit.Settings.ForEach(s => draft.NoEqual(s, $"{unit.Name} has no ExecStart, and so nothing to run"));
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
            _service.NoEqual(further, "a service runs one command");
        }

        _service.Listeners.AddRange(sockets.SelectMany(s => s.Listeners).Select(l => l.Name).Distinct());
        Defaults(sockets.Count > 0);
        foreach (var setting in Effective())
        {
            Translate(setting, sockets);
        }

        Hook("ExecStartPre", "hooks.pre_start");
        Hook("ExecStartPost", "hooks.post_ready");
        Hook("ExecStopPost", "hooks.post_stop");
        Restart(sockets.Count > 0);
    }

    private void Command(SystemdCommand command, SourceSetting setting)
    {
        _service.Set("command", TomlLiteral.Of(command.Text.Words()), setting,
            command.Text.NeedsShell ? "the shell expands the variables, then becomes the program" : null);
        foreach (var prefix in command.Prefixes.Distinct())
        {
            var reason = prefix switch
            {
                '@' => "\"@\": the name by which a program is called cannot be chosen; it is left out",
                '-' => "\"-\": an exit status that counts as clean cannot be chosen",
                '+' or '!' => $"\"{prefix}\": the command has the identity of the service's user",
                '|' => "\"|\": no login shell is started",
                _ => null,
            };
            if (reason is not null)
            {
                _service.NoEqual(setting, reason);
            }
        }
    }

    /// <summary>What systemd does where the unit says nothing, and listend does otherwise.</summary>
    private void Defaults(bool hasSockets)
    {
        if (hasSockets && unit.Settings.TrueForAll(s => s.Section != "Install"))
        {
            _service.Set("start", TomlLiteral.Of("on-demand"), null, "as the socket starts it");
        }

        var type = unit.Last("Service", "Type");
        var ready = type?.Value is "notify" or "notify-reload" ? "notify" : "started";
        _service.Set(
            "ready", TomlLiteral.Of(ready), type,
            ready == "started" && hasSockets ? "\"accepting\" waits until it serves, and makes its restarts safe" : null);
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
            var counts = isList && setting.Section == "Service" ? unit.List(setting.Section, setting.Key).Contains(setting) : isList || setting == unit.Last(setting.Section, setting.Key);
            if (setting.Value.Length > 0 && counts)
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

        if (setting.Key is "ExecStart" or "ExecStartPre" or "ExecStartPost" or "ExecStopPost" or "Restart" or "RestartSec" or "RestartMaxDelaySec" or "StartLimitInterval" or "StartLimitBurst")
        {
            // Taken care of where all of them are known.
            return;
        }

        if (setting.Key is not ("Environment" or "Sockets") && SystemdSpecifiers.Expand(setting.Value, unit, out var reason) is var expanded)
        {
            if (expanded is null)
            {
                _service.NoEqual(setting, reason);
                return;
            }

            Translate(setting, expanded, sockets);
            return;
        }

        Translate(setting, setting.Value, sockets);
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
                    _service.NoEqual(setting, $"{name} was not given");
                }

                break;
            case "TimeoutStartSec":
                Timeout(setting, "start_timeout");
                break;
            case "TimeoutStopSec":
                Timeout(setting, "stop_timeout");
                break;
            case "TimeoutSec":
                Timeout(setting, "start_timeout");
                Timeout(setting, "stop_timeout");
                break;
            case "WatchdogSec":
                Timeout(setting, "watchdog");
                break;
            case "KillSignal":
                Set(setting, "stop_signal", TomlLiteral.Of(value));
                break;
            case "KillMode" when value is "control-group" or "mixed":
                if (value == "control-group")
                {
                    _service.Remarks.Add($"KillMode=control-group (line {setting.Line}): here the worker alone gets stop_signal, and what is left of its session is killed after it.");
                }

                break;
            case "KillMode":
                _service.NoEqual(setting, "what is left of a worker's session is killed after it");
                break;
            case "SendSIGKILL" when SystemdValues.Flag(value) == true:
            case "StandardInput" when value == "null":
            case "NotifyAccess" when value != "none":
            case "NonBlocking" when SystemdValues.Flag(value) == false:
            case "SyslogLevelPrefix" when SystemdValues.Flag(value) == true:
            case "IgnoreSIGPIPE" when SystemdValues.Flag(value) == false:
                // What listend does in any case.
                break;
            case "SendSIGKILL":
                _service.NoEqual(setting, "after stop_timeout comes SIGKILL");
                break;
            case "IgnoreSIGPIPE":
                _service.NoEqual(setting, "a worker starts with all signals at their default");
                break;
            case "NonBlocking":
                foreach (var socket in sockets)
                {
                    socket.SetNonBlocking(setting);
                }

                break;
            case "FileDescriptorStoreMax" or "FileDescriptorStorePreserve":
                _service.Remarks.Add($"{setting.Key}={value} (line {setting.Line}): what a worker stores by FDSTORE=1 is kept for its slot without a setting.");
                break;
            case "User":
                Set(setting, "user", TomlLiteral.Of(value));
                break;
            case "Group":
                Set(setting, "group", TomlLiteral.Of(value));
                break;
            case "SupplementaryGroups":
                Set(setting, "supplementary_groups", TomlLiteral.Of(WireNames("SupplementaryGroups")));
                break;
            case "WorkingDirectory":
                Set(setting, "working_directory", value == "~" ? null : TomlLiteral.Of(value.TrimStart('-')), "\"~\" is the user's home: write its path");
                if (value.StartsWith('-'))
                {
                    _service.NoEqual(setting, "\"-\": a directory that is missing is an error");
                }

                break;
            case "Environment":
                Environment(setting);
                break;
            case "EnvironmentFile":
                EnvironmentFile(setting);
                break;
            case "UMask":
                Set(setting, "umask", TomlLiteral.Of(value.PadLeft(4, '0')));
                break;
            case "Nice":
                Set(setting, "nice", SystemdValues.Integer(value) is { } nice ? TomlLiteral.Of(nice) : null);
                break;
            case "NoNewPrivileges":
                Set(setting, "no_new_privileges", SystemdValues.Flag(value) is { } flag ? TomlLiteral.Of(flag) : null);
                break;
            case "AmbientCapabilities":
                Set(setting, "capabilities", value.StartsWith('~') ? null : TomlLiteral.Of(WireNames("AmbientCapabilities")), "\"~\": write those that a worker shall have");
                break;
            case "StandardInput" when value == "socket":
                Set(setting, "handoff", TomlLiteral.Of("stdin"));
                break;
            case "StandardInput" or "StandardInputText" or "StandardInputData":
                _service.NoEqual(setting, "a worker's standard input is /dev/null, or the listener with handoff \"stdin\"");
                break;
            case "StandardOutput":
                Output(setting, value);
                break;
            case "StandardError":
                if (value != "inherit" && value != (unit.Last("Service", "StandardOutput")?.Value ?? "journal"))
                {
                    _service.NoEqual(setting, "standard error goes where standard output goes");
                }

                break;
            case var key when key.StartsWith("Limit", StringComparison.Ordinal):
                Limit(setting, value);
                break;
            case var key:
                _service.NoEqual(setting, Reason(key));
                break;
        }
    }

    private static string Reason(string key) =>
        Without.TryGetValue(key, out var reason) ? reason
        : CgroupPrefixes.Any(p => key.StartsWith(p, StringComparison.Ordinal) && key is not ("MemoryDenyWriteExecute" or "SocketBindAllow" or "SystemCallFilter")) ? Cgroup
        : SandboxPrefixes.Any(p => key.StartsWith(p, StringComparison.Ordinal)) ? Sandbox
        : "listend has nothing like it";

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
                _service.NoEqual(setting, SystemdReasons.Of(section));
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
                _service.NoEqual(setting, "readiness is translated; a reload is a signal: \"listenctl signal SERVICE HUP\"");
                break;
            case "forking":
                _service.NoEqual(setting, "a program stays in the foreground, or tells MAINPID=: take the option for that");
                break;
            case "idle":
                _service.NoEqual(setting, "it starts at once");
                break;
            default:
                _service.NoEqual(setting, "a service of listend is a program that goes on running");
                break;
        }
    }

    private void Restart(bool hasSockets)
    {
        var restart = unit.Last("Service", "Restart");
        switch (restart?.Value)
        {
            case "always" or "on-failure":
                Set(restart, "restart.policy", TomlLiteral.Of(restart.Value));
                break;
            case "on-abnormal" or "on-abort" or "on-watchdog":
                Set(restart, "restart.policy", TomlLiteral.Of("on-failure"));
                _service.NoEqual(restart, "\"on-failure\" is the nearest: also after an exit status other than 0");
                break;
            case null or "no" when hasSockets:
                _service.Remarks.Add("A worker that ends is replaced at once (restart.policy); systemd would wait for the next connection.");
                break;
            case null or "no":
                _service.Set("restart.policy", TomlLiteral.Of("never"), restart, restart is null ? "systemd's default" : null);
                break;
            default:
                _service.NoEqual(restart, "restart.policy is always, on-failure or never");
                break;
        }

        if (unit.Last("Service", "RestartSec") is { } wait)
        {
            Span(wait, "restart.backoff");
            if (SystemdValues.Span(wait.Value) is { } span && span > TimeSpan.FromSeconds(30) && span <= Duration.Max)
            {
                _service.Set("restart.backoff_max", TomlLiteral.Of(span), wait);
            }
        }

        if (unit.Last("Service", "RestartMaxDelaySec") is { } longest)
        {
            Span(longest, "restart.backoff_max");
        }

        if ((unit.Last("Unit", "StartLimitBurst") ?? unit.Last("Service", "StartLimitBurst")) is { } burst)
        {
            Set(burst, "restart.limit", SystemdValues.Integer(burst.Value) is { } limit ? TomlLiteral.Of(limit) : null);
        }

        var interval = unit.Last("Unit", "StartLimitIntervalSec") ?? unit.Last("Unit", "StartLimitInterval") ?? unit.Last("Service", "StartLimitInterval");
        if (interval is not null && SystemdValues.Span(interval.Value) == TimeSpan.Zero)
        {
            Set(interval, "restart.limit", TomlLiteral.Of(0));
        }
        else if (interval is not null)
        {
            Span(interval, "restart.limit_interval");
        }
    }

    private void Hook(string key, string hook)
    {
        var commands = new List<SystemdCommand>();
        var settings = unit.List("Service", key).ToList();
        foreach (var setting in settings)
        {
            if (SystemdCommand.Read(setting, unit, out var reason) is not { } read)
            {
                _service.NoEqual(setting, reason);
                continue;
            }

            commands.AddRange(read);
        }

        if (commands.Count == 0)
        {
            return;
        }

        // One program without a shell; several, or one that may fail, through it.
        var words = commands is [{ Text.NeedsShell: false } only] && !only.Prefixes.Contains('-')
            ? only.Text.Words()
            : ["/bin/sh", "-c", string.Join(" && ", commands.Select(c => c.Prefixes.Contains('-') ? $"{{ {c.Text.ShellLine()} || :; }}" : c.Text.ShellLine()))];
        _service.Set(hook, TomlLiteral.Of(words), settings[0]);
        if (commands.Find(c => c.Prefixes.AsSpan().IndexOfAny("+!|") >= 0) is not null)
        {
            _service.NoEqual(settings[0], "\"+\", \"!\" and \"|\": a hook has the identity of the service's user");
        }
    }

    private void Environment(SourceSetting setting)
    {
        if (SystemdWords.Split(setting.Value) is not { } words)
        {
            _service.NoEqual(setting, "a quote in it is not closed");
            return;
        }

        foreach (var raw in words)
        {
            var equals = raw.IndexOf('=', StringComparison.Ordinal);
            if (SystemdSpecifiers.Expand(raw, unit, out var reason) is not { } word)
            {
                _service.NoEqual(setting, reason);
            }
            else if (equals <= 0)
            {
                _service.NoEqual(setting, $"{Quoted.Text(raw)} is no NAME=VALUE");
            }
            else
            {
                _service.Set($"environment.{TomlLiteral.Key(word[..equals])}", TomlLiteral.Of(word[(equals + 1)..]), setting);
            }
        }
    }

    private void EnvironmentFile(SourceSetting setting)
    {
        var files = new List<string>();
        foreach (var file in unit.List("Service", "EnvironmentFile"))
        {
            if (file.Value.AsSpan().IndexOfAny("*?[") >= 0)
            {
                if (file == setting)
                {
                    _service.NoEqual(file, "no patterns: name each file");
                }
            }
            else if (SystemdSpecifiers.Expand(file.Value, unit, out _) is { } path)
            {
                files.Add(path);
            }
        }

        if (files.Count > 0)
        {
            _service.Set("environment_files", TomlLiteral.Of(files), setting);
        }
    }

    private void Output(SourceSetting setting, string value)
    {
        var colon = value.IndexOf(':', StringComparison.Ordinal);
        var log = value switch
        {
            "journal" => "journal",
            "inherit" when unit.Last("Service", "StandardInput") is null => "journal",
            _ when value.StartsWith("append:", StringComparison.Ordinal) || value.StartsWith("file:", StringComparison.Ordinal) => "file:" + value[(colon + 1)..],
            _ => null,
        };
        Set(setting, "log", log is null ? null : TomlLiteral.Of(log), "log is journal, inherit or file:PATH");
        if (value.StartsWith("file:", StringComparison.Ordinal))
        {
            _service.NoEqual(setting, "file: writes from the file's beginning on, and here lines are added to its end");
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
            var time when name == "rttime" && SystemdValues.Span(time, 1e-6) is { } span => TomlLiteral.Of((long)span.TotalMicroseconds),
            var number => SystemdValues.Size(number) is { } size ? TomlLiteral.Of(size) : null,
        };
        Set(setting, "limits." + name, literal);
        if (literal is not null && parts.Length > 1 && parts[1] != parts[0])
        {
            _service.NoEqual(setting, "soft and hard limit are one here: the soft one was taken");
        }
    }

    private string[] WireNames(string key) =>
        [.. unit.List("Service", key).SelectMany(s => (SystemdSpecifiers.Expand(s.Value, unit, out _) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)).Distinct()];

    private void Timeout(SourceSetting setting, string key)
    {
        if (SystemdValues.Span(setting.Value) is { } span && (span == TimeSpan.MaxValue || (span == TimeSpan.Zero && key != "watchdog")))
        {
            Set(setting, key, TomlLiteral.Of(Duration.Max));
            _service.NoEqual(setting, $"no end to it is not possible: {key} is as long as it can be");
            return;
        }

        Span(setting, key);
    }

    private void Span(SourceSetting setting, string key) =>
        Set(setting, key, SystemdValues.Span(setting.Value) is { } span && span != TimeSpan.MaxValue ? TomlLiteral.Of(span) : null);

    private void Set(SourceSetting setting, string key, string? literal, string reason = "its value cannot be read")
    {
        if (literal is null)
        {
            _service.NoEqual(setting, reason);
        }
        else
        {
            _service.Set(key, literal, setting);
        }
    }
}
