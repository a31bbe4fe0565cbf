namespace Supervisor.Config.Import;

/// <summary>One unit of systemd, with its drop-ins.</summary>
/// <param name="name">Its whole name, such as <c>web@8080.service</c>.</param>
/// <param name="file">The file of the unit.</param>
/// <param name="settings">All settings, drop-ins last, in the order in which systemd applies them.</param>
/// <param name="host">The host, for its specifiers.</param>
/// <param name="fullPath">The absolute path of the file.</param>
internal sealed class SystemdUnit(
    string name, string file, IReadOnlyList<SourceSetting> settings, ImportHost host, string fullPath)
{
    /// <summary>Settings of which an empty value is invalid, so that systemd ignores it and keeps the value before.</summary>
    private static readonly HashSet<string> KeptByEmptyValue =
    [
        "Restart", "Type", "KillMode", "KillSignal", "NotifyAccess", "RestartSec", "TimeoutSec", "TimeoutStartSec", "TimeoutStopSec",
        "NoNewPrivileges", "DynamicUser", "IgnoreSIGPIPE", "SendSIGKILL", "StandardInput", "StandardOutput", "StandardError", "Accept",
        "BindIPv6Only", "Backlog", "SocketMode", "UMask", "WatchdogSec", "RuntimeMaxSec", "RestartMaxDelaySec", "RestartSteps",
        "StartLimitIntervalSec", "StartLimitInterval", "StartLimitBurst", "NonBlocking", "RemainAfterExit", "KeepAlive", "KeepAliveTimeSec",
        "KeepAliveIntervalSec", "KeepAliveProbes", "NoDelay", "DeferAcceptSec", "ReceiveBuffer", "SendBuffer", "PipeSize",
        "MessageQueueMaxMessages", "MessageQueueMessageSize", "Mark", "Priority", "IPTTL", "IPTOS", "FreeBind", "Transparent", "Broadcast",
        "PassCredentials", "PassSecurity", "PassPIDFD", "PassPacketInfo", "Writable", "ReusePort", "RemoveOnStop", "MaxConnections",
        "MaxConnectionsPerSource", "Timestamping", "DirectoryMode", "TriggerLimitIntervalSec", "TriggerLimitBurst", "PollLimitIntervalSec",
        "PollLimitBurst",
    ];

    private readonly ILookup<(string Section, string Key), SourceSetting> _byName = settings.ToLookup(s => (s.Section, s.Key));
    private readonly Dictionary<(string Section, string Key), SourceSetting[]> _effective = [];

    private HashSet<string>? _unset;

    /// <summary>The host, for its specifiers.</summary>
    public ImportHost Host { get; } = host;

    /// <summary>Whether the manager of a user runs it, not that of the system.</summary>
    public bool IsOfUser { get; } = fullPath.Contains("/systemd/user/", StringComparison.Ordinal);

    /// <summary>The user whose manager runs it; null if it is unknown or the system's.</summary>
    public ImportUser? User => IsOfUser ? Host.UserOf(fullPath) : null;

    /// <summary>The user of its workers, as this host has it; null if the host does not.</summary>
    public ImportUser? RunsAs => User ?? Host.User(
        Last("Service", "User") is { } user ? SystemdSpecifiers.Expand(user.Value, this, out _) : "root");

    /// <summary>The whole name.</summary>
    public string Name { get; } = name;

    /// <summary>The file of the unit.</summary>
    public string File { get; } = file;

    /// <summary><c>service</c> or <c>socket</c>.</summary>
    public string Type { get; } = name[(name.LastIndexOf('.') + 1)..];

    /// <summary>The name without its type.</summary>
    public string Stem { get; } = name[..name.LastIndexOf('.')];

    /// <summary>The part before the <c>@</c>; the stem if the unit is not an instance.</summary>
    public string Prefix => Stem.IndexOf('@', StringComparison.Ordinal) is var at and >= 0 ? Stem[..at] : Stem;

    /// <summary>The part after the <c>@</c>, escaped; empty for a template; null for other units.</summary>
    public string? Instance => Stem.IndexOf('@', StringComparison.Ordinal) is var at and >= 0 ? Stem[(at + 1)..] : null;

    /// <summary>Its description; null without one.</summary>
    public string? Title =>
        Last("Unit", "Description") is { } title ? SystemdSpecifiers.Expand(title.Value, this, out _) ?? title.Value : null;

    /// <summary>All settings, drop-ins last, in the order in which systemd applies them.</summary>
    public IReadOnlyList<SourceSetting> Settings { get; } = settings;

    /// <summary>The effective settings of a name: an empty value resets the ones before it.</summary>
    public IReadOnlyList<SourceSetting> List(string section, string key)
    {
        if (!_effective.TryGetValue((section, key), out var effective))
        {
            var all = _byName[(section, key)].ToList();
            effective = KeptByEmptyValue.Contains(key) || key.StartsWith("Limit", StringComparison.Ordinal)
                ? [.. all.Where(s => s.Value.Length > 0)]
                : [.. all.Skip(all.FindLastIndex(s => s.Value.Length == 0) + 1)];
            _effective.Add((section, key), effective);
        }

        return effective;
    }

    /// <summary>The effective setting of a name; null without one, or after a reset by an empty value.</summary>
    public SourceSetting? Last(string section, string key) => List(section, key) is [.., var last] ? last : null;

    /// <summary>NAME and NAME=VALUE of UnsetEnvironment=.</summary>
    public IReadOnlySet<string> UnsetVariables => _unset ??= List("Service", "UnsetEnvironment")
        .SelectMany(line => SystemdWords.Split(line.Value) ?? [])
        .Select(word => SystemdSpecifiers.Expand(word, this, out _))
        .OfType<string>()
        .ToHashSet(StringComparer.Ordinal);

    /// <summary>Whether an empty value is the last one of a name.</summary>
    public bool IsEmptied(string section, string key) => _byName[(section, key)].LastOrDefault() is { Value.Length: 0 };

    /// <summary>Reports all settings with one reason, a section at a time.</summary>
    public void Report(DraftDifferences differences, Reason reason)
    {
        foreach (var section in Settings.GroupBy(setting => (setting.File, setting.Section)))
        {
            differences.Add(section.Key.File, section.First().Line, section.Key.Section, section.Select(s => s.Key), reason);
        }

        if (Settings.Count == 0)
        {
            differences.Add(File, reason);
        }
    }
}
