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
    private const int AllPermissions = 0x1ff;

    private const string KnownThere = "its value is known only where the worker runs: write the value";

    private static readonly Reason Overridden =
        Reason.NotNeeded("Circus uses the first value of a setting that is written twice");

    private readonly List<SourceSection> _sections = [];
    private readonly Dictionary<string, DraftSection> _sockets = new(StringComparer.Ordinal);
    private List<SourceSection> _environments = [];
    private SourceSetting? _umask;

    private readonly HashSet<string> _including = new(StringComparer.Ordinal);

    public void Add(ConfigSource source)
    {
        _sections.AddRange(IniText.Read(source, hasInlineHash: false, doublesPercent: true));
        if (source.HasIncludes)
        {
            _including.Add(source.Path);
        }
    }

    public void Translate()
    {
        // The names of variables are case-sensitive.
        var sections = IniSections.Merge(
            _sections,
            setting => SourceSection.Split(setting.Section).Kind == "env" ? setting.Spelling : setting.Key,
            lastCounts: false,
            Overridden,
            draft.Differences);
        _environments = sections.FindAll(s => s.Kind == "env");
        // Circus sets it before it makes sockets and starts watchers, which inherit it.
        _umask = sections.Find(s => s.Kind == "circus")?.Last("umask") is { } umask && Octal(umask.Value) is not null ? umask : null;
        foreach (var section in sections.Where(s => s is { Kind: "socket", Label: not null }))
        {
            Socket(section, section.Label!.ToLowerInvariant());
        }

        foreach (var section in sections)
        {
            switch (section)
            {
                case { Kind: "socket", Label: not null } or { Kind: "env" }:
                    break;
                case { Kind: "watcher", Label: { } name }:
                    Watcher(section, name);
                    break;
                case { Kind: "circus" }:
                    foreach (var setting in section.Settings.Where(setting => setting != _umask && !IsIncluded(setting)))
                    {
                        draft.Differences.Add(setting, CircusReasons.OfDaemon(setting.Key));
                    }

                    break;
                case { Kind: "plugin" }:
                    draft.Lost(
                        section, "listend has no plugins: see \"listenctl events --follow --json\" and GET /metrics");
                    break;
                default:
                    draft.Differences.Add(section, CommonReasons.Section);
                    break;
            }
        }

        var watchers = sections.Where(s => s.Kind == "watcher").Select(s => s.Label).OfType<string>().ToList();
        foreach (var section in _environments.Where(s => s.Label is not null && !watchers.Exists(name => AppliesTo(s, name))))
        {
            draft.Lost(section, "no watcher has this name");
        }
    }

    private bool IsIncluded(SourceSetting setting) => ImportIncludes.IsOfCircus(setting) && _including.Contains(setting.File)
        && ImportIncludes.OfCircus(setting, "/") is not null;

    private void Socket(SourceSection section, string name)
    {
        var references = new CircusReferences(Environment(""));
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
            listener.Set("address", TomlLiteral.Of($"{scheme}://{references.Expand(path.Value) ?? path.Value}"), path);
        }
        else
        {
            var host = references.Expand(section.Last("host")?.Value ?? "localhost") ?? "localhost";
            var port = references.Expand(section.Last("port")?.Value ?? "8080") ?? "8080";
            host = host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('[') ? $"[{host}]" : host;
            var isIPv6 = string.Equals(section.Last("family")?.Value, "AF_INET6", StringComparison.OrdinalIgnoreCase);
            host = isIPv6 && host == "localhost" ? "[::1]" : host;
            var address = ImportedHosts.Numeric($"{(isDatagram ? "udp" : "tcp")}://{host}:{port}", out var remark);
            listener.Set("address", TomlLiteral.Of(address), section.Last("host") ?? section.Last("port"), remark);
        }

        if (path is not null && section.Last("umask") is null && _umask is { } umask)
        {
            listener.Set("unix.mode", TomlLiteral.Of(Mode(Octal(umask.Value)!.Value)), umask);
        }

        var blocking = section.Last("blocking");
        if (blocking is null || !Flag(blocking.Value))
        {
            listener.Set("listen.non_blocking", TomlLiteral.Of(true), blocking, blocking is null ? "Circus's default" : null);
        }

        foreach (var setting in section.Settings)
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
                    listener.Set("unix.mode", TomlLiteral.Of(Mode(Number(setting.Value) ?? 0)), setting);
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

    private void Watcher(SourceSection section, string name)
    {
        if (section.Last("cmd") is not { } cmd)
        {
            draft.Differences.Add(section, CommonReasons.NoProgram("cmd"));
            return;
        }

        if (section.Last("numprocesses") is { } count && Number(count.Value) == 0)
        {
            draft.Lost(count, "a service has at least one worker: a watcher without processes is left out");
            section.Settings.Where(s => s != count).ToList()
                .ForEach(s => draft.Differences.Add(s, Reason.LostToo($"it belongs to [{section.Name}], which has no processes")));
            return;
        }

        var service = draft.Add("service", name, section.File);
        var environment = Environment(name);
        var references = new CircusReferences(environment);
        Listeners(service, section, section.Last("args") is { } args ? $"{cmd.Value} {args.Value}" : cmd.Value);
        var isIsolated = section.Last("copy_env") is not { } copy || !Flag(copy.Value);
        Command(service, section, cmd, new CircusCommand(references, service.Listeners, environment.Keys, isIsolated), isIsolated);
        service.Set(
            "ready", TomlLiteral.Of("started"), null,
            "Circus's behaviour; \"notify\", \"accepting\" or \"http:/PATH\" make restarts safe");
        service.Set("no_new_privileges", TomlLiteral.Of(false), null, "as Circus");
        service.Set(
            "stop_mode", TomlLiteral.Of(section.Last("stop_children") is { } all && Flag(all.Value) ? "group" : "main"),
            section.Last("stop_children"), section.Last("stop_children") is null ? "Circus's default" : null);
        if (_umask is { } umask)
        {
            service.Set("umask", TomlLiteral.Of(Convert.ToString(Octal(umask.Value)!.Value, 8).PadLeft(4, '0')), umask);
        }

        if (service.Listeners.Count == 0)
        {
            service.Set("rollout.strategy", TomlLiteral.Of("stop-first"), null, CommonReasons.BindsItself);
        }

        if (!isIsolated)
        {
            foreach (var (key, setting) in environment)
            {
                if (references.Variable(key) is { } value)
                {
                    service.Set($"environment.{TomlLiteral.Key(key)}", TomlLiteral.Of(value), setting);
                }
            }
        }

        foreach (var setting in section.Settings)
        {
            if (setting.Key is "cmd" or "args")
            {
                continue;
            }

            if (references.Expand(setting.Value) is { } value)
            {
                Translate(service, setting, value);
            }
            else
            {
                service.Lost(setting, KnownThere);
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

        var named = SocketReference().Matches(line)
            .Select(m => m.Groups["name"].Value.ToLowerInvariant())
            .Distinct()
            .Where(_sockets.ContainsKey)
            .ToList();
        service.Listeners.AddRange((named.Count > 0 ? named.Select(n => _sockets[n]) : _sockets.Values).Select(s => s.Name));
    }

    private static void Command(
        DraftSection service, SourceSection section, SourceSetting cmd, CircusCommand translation, bool isIsolated)
    {
        var args = section.Last("args")?.Value;
        var command = section.Last("shell") is { } shell && Flag(shell.Value)
            ? translation.Shell(cmd.Value, args)
            : translation.Direct(args is null ? cmd.Value : $"{cmd.Value} {args}");
        if (command is null)
        {
            service.Lost(cmd, CommonReasons.OpenQuote);
            service.Set("command", TomlLiteral.Of(Array.Empty<string>()), cmd);
            return;
        }

        service.Set(
            "command", TomlLiteral.Of(command.Words()), cmd,
            isIsolated ? CircusCommand.IsolationRemark : command.NeedsShell ? CommandText.ShellRemark : null);
    }

    /// <summary>[env], then [env:PATTERN,...]. A later section overrides an earlier one.</summary>
    private Dictionary<string, SourceSetting> Environment(string watcher)
    {
        var environment = new Dictionary<string, SourceSetting>(StringComparer.Ordinal);
        var common = _environments.Where(s => s.Label is null);
        var special = _environments.Where(s => s.Label is not null && AppliesTo(s, watcher));
        foreach (var section in common.Concat(special))
        {
            foreach (var setting in section.Settings)
            {
                environment[setting.Spelling] = setting;
            }
        }

        return environment;
    }

    private static bool AppliesTo(SourceSection env, string watcher) => env.Label!.Split(',').Any(pattern =>
        System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern.Trim(), watcher, ignoreCase: false));

    private static void Translate(DraftSection service, SourceSetting setting, string value)
    {
        switch (setting.Key)
        {
            case "shell" or "use_sockets" or "copy_env" or "stop_children":
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
            case "on_demand" when service.Listeners.Count > 0 || !Flag(value):
                if (Flag(value))
                {
                    service.Set("start", TomlLiteral.Of("on-demand"), setting);
                }

                break;
            case "singleton":
                if (Flag(value))
                {
                    service.Lost(setting, "listend does not limit \"listenctl scale\"");
                }

                break;
            case "max_age" when Seconds(value) is { } age:
                if (age > TimeSpan.Zero)
                {
                    service.Set("recycle.max_age", TomlLiteral.Of(age), setting);
                    service.Report(setting, CircusReasons.Age);
                }

                break;
            case "stdout_stream.filename":
                service.Set("log", TomlLiteral.Of("file:" + value), setting);
                break;
            case "stdout_stream.class" or "stderr_stream.class" when value.Contains("FileStream", StringComparison.Ordinal):
                // Its filename counts.
                break;
            case "stdout_stream.class" when value.Contains("StdoutStream", StringComparison.Ordinal):
                service.Set("log", TomlLiteral.Of("inherit"), setting);
                break;
            case var key when key.StartsWith("rlimit_", StringComparison.Ordinal):
                var limit = Number(value) is { } units ? TomlLiteral.Of(units) : TomlLiteral.Of(value == "-1" ? "infinity" : value);
                service.Set("limits." + key["rlimit_".Length..], limit, setting);
                break;
            case "stdout_stream.refresh_time" or "stderr_stream.refresh_time":
                service.Report(setting, CircusReasons.Of(setting.Key));
                break;
            case "warmup_delay" when Seconds(value) == TimeSpan.Zero:
            case "send_hup" when !Flag(value):
                // It is off, as here.
                break;
            case var key when key.StartsWith("stdout_stream", StringComparison.Ordinal):
                service.Report(setting, CommonReasons.LogRotation);
                break;
            case var key when key.StartsWith("stderr_stream", StringComparison.Ordinal):
                service.Report(setting, CommonReasons.OneStream);
                break;
            case var key when key.StartsWith("hooks.", StringComparison.Ordinal):
                service.Lost(setting, "a hook of listend is a program: see hooks.pre_start");
                break;
            default:
                service.Report(setting, CircusReasons.Of(setting.Key));
                break;
        }
    }

    /// <summary>The mode of a socket's file that Circus makes with this umask.</summary>
    private static string Mode(int umask) => Convert.ToString(AllPermissions & ~umask, 8).PadLeft(4, '0');

    /// <summary>A umask in octal, as int(text, 8) of Python reads it; null if it is not one.</summary>
    private static int? Octal(string value)
    {
        var digits = value.StartsWith("0o", StringComparison.OrdinalIgnoreCase) ? value[2..] : value;
        return digits.Length is > 0 and <= 6 && digits.All(digit => digit is >= '0' and <= '7')
            && Convert.ToInt32(digits, 8) is <= AllPermissions and var umask ? umask : null;
    }

    private static int? Number(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static TimeSpan? Seconds(string value) =>
        double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds < 1e9
            ? TimeSpan.FromSeconds(seconds)
            : null;

    private static bool Flag(string value) => value.ToLowerInvariant() is "true" or "yes" or "on" or "1";

    [GeneratedRegex(@"(?:\$\(|\(\()circus\.sockets\.(?<name>[\w.-]+)\)", RegexOptions.IgnoreCase)]
    private static partial Regex SocketReference();
}
