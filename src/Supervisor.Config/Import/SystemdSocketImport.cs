namespace Supervisor.Config.Import;

/// <summary>A .socket unit, systemd.socket(5): a listener for each of its addresses.</summary>
internal sealed class SystemdSocketImport(SystemdUnit unit, ImportDraft draft)
{
    /// <summary>Folders that exist on every system. systemd creates the others for a socket.</summary>
    private static readonly string[] ExistingFolders =
        ["/", "/run", "/var/run", "/tmp", "/var/tmp", "/var/lib", "/dev", "/var", "/srv", "/etc", "/opt", "/home", "/root"];

    private static readonly Reason Names =
        Reason.Changed("LISTEN_FDNAMES has the names of the listeners");

    private readonly List<DraftSection> _listeners = [];
    private readonly List<string> _links = [];

    public SystemdUnit Unit => unit;

    /// <summary>The service that it starts.</summary>
    public string Service { get; } = ServiceOf(unit);

    /// <summary>Whether it starts a service for each connection.</summary>
    public bool IsForEachConnection { get; } = Accepts(unit);

    /// <summary>The listeners, in order.</summary>
    public IReadOnlyList<DraftSection> Listeners => _listeners;

    /// <summary>The service that a socket starts; the template of its service with Accept=yes.</summary>
    public static string ServiceOf(SystemdUnit unit) =>
        unit.Last("Socket", "Service") is { } named ? SystemdSpecifiers.Expand(named.Value, unit, out _) ?? named.Value
        : Accepts(unit) ? $"{unit.Prefix}@.service"
        : $"{unit.Stem}.service";

    /// <param name="units">The names of all units of the import.</param>
    public void Translate(IReadOnlySet<string> units)
    {
        var given = unit.Last("Socket", "FileDescriptorName");
        var name = given is null ? unit.Stem : Expanded(given.Value) ?? unit.Stem;
        var addresses = new HashSet<string>(StringComparer.Ordinal);
        foreach (var setting in Addresses())
        {
            if (SystemdAddress.Of(setting, unit, out var reason) is not { } address)
            {
                draft.Lost(setting, reason);
                continue;
            }

            if (!addresses.Add(address))
            {
                draft.Lost(setting, "the unit has this address twice");
                continue;
            }

            var listener = draft.Add("listener", name, unit.File);
            listener.Title = _listeners.Count == 0 ? unit.Title : null;
            listener.Set("address", TomlLiteral.Of(address), setting);
            _listeners.Add(listener);
        }

        if (_listeners.Count > 1 || (_listeners is [var only] && (given is null || only.Name != name)))
        {
            draft.Differences.Add(unit.File, Names);
        }

        _listeners.ForEach(Defaults);
        if (!units.Contains(Service) && _listeners.Count > 0)
        {
            draft.Differences.Add(
                unit.File, Reason.Lost($"{Service} was not given to the import: write a [service.NAME] that lists its listeners"));
        }

        foreach (var setting in Effective())
        {
            Translate(setting, units);
        }

        Owner();
    }

    /// <summary>Sets O_NONBLOCK for NonBlocking= of the service.</summary>
    public void SetNonBlocking(SourceSetting setting) =>
        _listeners.ForEach(l => l.Set("listen.non_blocking", TomlLiteral.Of(true), setting));

    private static bool Accepts(SystemdUnit unit) =>
        unit.Last("Socket", "Accept") is { } accept && SystemdValues.Flag(accept.Value) == true;

    /// <summary>The addresses; an empty value of any kind resets all before it.</summary>
    private List<SourceSetting> Addresses()
    {
        var addresses = unit.Settings
            .Where(s => s.Section == "Socket" && s.Key is "ListenStream" or "ListenDatagram" or "ListenSequentialPacket")
            .ToList();
        addresses.RemoveRange(0, addresses.FindLastIndex(s => s.Value.Length == 0) + 1);
        return addresses;
    }

    /// <summary>Writes the defaults of systemd that differ from those of listend, systemd.socket(5) and src/core/socket.c.</summary>
    private void Defaults(DraftSection listener)
    {
        if (Path(listener) is { } path)
        {
            listener.Set("unix.mode", TomlLiteral.Of("0666"), null, "systemd's default");
            listener.Set("unix.remove_stale", TomlLiteral.Of(true));
            var folder = path[..Math.Max(1, path.LastIndexOf('/'))];
            if (!ExistingFolders.Contains(folder))
            {
                listener.Set("unix.directory_mode", TomlLiteral.Of("0755"), null, "systemd's default");
            }
        }
        else if (SchemeOf(listener) == "udp")
        {
            listener.Set("bind.reuse_address", TomlLiteral.Of(true), null, "as systemd");
        }
    }

    /// <summary>Without SocketGroup= the file belongs to the primary group of SocketUser=.</summary>
    private void Owner()
    {
        if (unit.Last("Socket", "SocketUser") is { } user && unit.Last("Socket", "SocketGroup") is null)
        {
            var name = Expanded(user.Value) ?? user.Value;
            foreach (var listener in _listeners.Where(listener => Path(listener) is not null))
            {
                listener.Set("unix.group", TomlLiteral.Of(name), user, "the user's primary group: check its name");
            }
        }
    }

    /// <summary>The effective settings: all of a list, otherwise the last one.</summary>
    private IEnumerable<SourceSetting> Effective()
    {
        var listed = SystemdLists.Effective(unit).ToHashSet();
        return unit.Settings.Where(listed.Contains);
    }

    private void Translate(SourceSetting setting, IReadOnlySet<string> units)
    {
        switch (setting.Section, setting.Key)
        {
            case ("Unit", "Description"):
            case ("Socket", "ListenStream" or "ListenDatagram" or "ListenSequentialPacket"):
            case ("Socket", "FileDescriptorName" or "Service" or "SocketProtocol"):
                break;
            case ("Socket", "MaxConnections" or "MaxConnectionsPerSource" or "TriggerLimitBurst" or "TriggerLimitIntervalSec"
                or "PollLimitBurst" or "PollLimitIntervalSec") when IsForEachConnection:
                // The service has them.
                break;
            case ("Socket", "Accept"):
                if (!IsForEachConnection && SystemdValues.Flag(setting.Value) != false)
                {
                    Lost(setting, "it is not a boolean");
                }

                break;
            case ("Socket", "BindIPv6Only"):
                BindIPv6Only(setting);
                break;
            case ("Socket", "Backlog"):
                Set(
                    setting, "listen.backlog",
                    SystemdValues.Integer(setting.Value) is { } backlog ? TomlLiteral.Of(Math.Min(backlog, int.MaxValue)) : null);
                break;
            case ("Socket", "BindToDevice"):
                Set(setting, "bind.device", TomlLiteral.Of(Expanded(setting.Value) ?? setting.Value));
                break;
            case ("Socket", "SocketUser"):
                Set(setting, "unix.user", TomlLiteral.Of(Expanded(setting.Value) ?? setting.Value));
                break;
            case ("Socket", "SocketGroup"):
                Set(setting, "unix.group", TomlLiteral.Of(Expanded(setting.Value) ?? setting.Value));
                break;
            case ("Socket", "SocketMode"):
                Set(setting, "unix.mode", TomlLiteral.Of(setting.Value));
                break;
            case ("Socket", "NetworkNamespacePath"):
                Set(setting, "network_namespace", TomlLiteral.Of(Expanded(setting.Value) ?? setting.Value));
                break;
            case ("Socket", "DirectoryMode"):
                DirectoryMode(setting);
                break;
            case ("Socket", "Symlinks"):
                Symlinks(setting);
                break;
            case ("Socket", "KeepAlive"):
                Flag(setting, "accepted.keep_alive");
                break;
            case ("Socket", "KeepAliveTimeSec"):
                Seconds(setting, "accepted.keep_alive_idle");
                break;
            case ("Socket", "KeepAliveIntervalSec"):
                Seconds(setting, "accepted.keep_alive_interval");
                break;
            case ("Socket", "KeepAliveProbes"):
                Integer(setting, "accepted.keep_alive_probes");
                break;
            case ("Socket", "NoDelay"):
                Flag(setting, "accepted.no_delay");
                break;
            case ("Socket", "DeferAcceptSec"):
                Seconds(setting, "listen.defer_accept");
                break;
            case ("Socket", "ReceiveBuffer"):
                Buffer(setting, "buffers.receive");
                break;
            case ("Socket", "SendBuffer"):
                Buffer(setting, "buffers.send");
                break;
            case ("Socket", "IPTOS"):
                Set(setting, "accepted.tos", TypeOfService(setting.Value) is { } tos ? TomlLiteral.Of(tos) : null);
                break;
            case ("Socket", "IPTTL"):
                Integer(setting, "accepted.ttl");
                break;
            case ("Socket", "Mark"):
                Integer(setting, "bind.mark");
                break;
            case ("Socket", "ReusePort"):
                ReusePort(setting);
                break;
            case ("Socket", "FreeBind"):
                Flag(setting, "bind.free_bind");
                break;
            case ("Socket", "Transparent"):
                Flag(setting, "bind.transparent");
                break;
            case ("Socket", "Broadcast"):
                Flag(setting, "datagram.broadcast");
                break;
            case ("Socket", "PassCredentials"):
                Flag(setting, "unix.pass_credentials");
                break;
            case ("Socket", "PassSecurity"):
                Flag(setting, "unix.pass_security");
                break;
            case ("Socket", "Priority"):
                Integer(setting, "bind.priority");
                break;
            case ("Socket", "Timestamping"):
                Set(setting, "datagram.timestamping", setting.Value switch
                {
                    "us" or "usec" or "µs" => TomlLiteral.Of("us"),
                    "ns" or "nsec" => TomlLiteral.Of("ns"),
                    "off" => TomlLiteral.Of("off"),
                    _ => null,
                });
                break;
            case ("Socket", "PassPacketInfo"):
                Flag(setting, "datagram.packet_info");
                break;
            case ("Socket", "TCPCongestion"):
                Set(setting, "accepted.congestion", TomlLiteral.Of(setting.Value));
                break;
            case ("Socket", "RemoveOnStop"):
                if (SystemdValues.Flag(setting.Value) != true)
                {
                    Report(setting, Reason.Changed("listend always removes a socket file and its links when it closes the listener"));
                }

                break;
            case ("Socket", var key):
                Report(setting, SystemdSocketReasons.Of(key));
                break;
            default:
                Report(setting, SystemdReasons.Of(setting, units.Contains));
                break;
        }
    }

    private void DirectoryMode(SourceSetting setting)
    {
        foreach (var listener in _listeners.Where(listener => Path(listener) is not null))
        {
            listener.Set("unix.directory_mode", TomlLiteral.Of(setting.Value.PadLeft(4, '0')), setting);
        }
    }

    /// <summary>systemd makes them if the unit has exactly one path: src/core/socket.c, socket_find_symlink_target.</summary>
    private void Symlinks(SourceSetting setting)
    {
        var paths = _listeners.Where(listener => Path(listener) is not null).ToArray();
        if (paths.Length != 1)
        {
            Report(setting, Reason.NotNeeded("systemd makes the links only if the unit has exactly one path"));
            return;
        }

        _links.AddRange(setting.Value.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries).Select(link => Expanded(link) ?? link));
        paths[0].Set("unix.symlinks", TomlLiteral.Of(_links), setting);
    }

    private void BindIPv6Only(SourceSetting setting)
    {
        switch (setting.Value)
        {
            case "ipv6-only":
                foreach (var listener in _listeners)
                {
                    // An address with only a port is [::] with IPv4, which this setting turns off.
                    var address = listener.Line("address")!;
                    if (address.Literal.Contains("://*:", StringComparison.Ordinal))
                    {
                        listener.Set("address", address.Literal.Replace("://*:", "://[::]:", StringComparison.Ordinal), address.Origin);
                    }

                    listener.Set("bind.ipv6_only", TomlLiteral.Of(true), setting);
                }

                break;
            case "both":
                Set(setting, "bind.ipv6_only", TomlLiteral.Of(false));
                break;
            case "default":
                Report(setting, Reason.Changed("listend ignores net.ipv6.bindv6only: bind.ipv6_only is false by default"));
                break;
            default:
                Lost(setting, "it is not one of default, both, ipv6-only");
                break;
        }
    }

    /// <summary>systemd sets it for IP sockets, src/basic/socket-util.c; the kernel refuses it for others.</summary>
    private void ReusePort(SourceSetting setting)
    {
        if (SystemdValues.Flag(setting.Value) is not { } flag)
        {
            Lost(setting, "it is not a boolean");
            return;
        }

        foreach (var listener in _listeners.Where(l => SchemeOf(l) is "tcp" or "udp" or "mptcp"))
        {
            listener.Set("bind.reuse_port", TomlLiteral.Of(flag), setting);
        }
    }

    private void Buffer(SourceSetting setting, string key)
    {
        Set(setting, key, SystemdValues.Size(setting.Value) is { } size ? TomlLiteral.Of(size) : null);

        // systemd uses SO_RCVBUFFORCE if SO_RCVBUF is limited, src/basic/socket-util.c.
        _listeners.ForEach(l => l.Set("buffers.force", TomlLiteral.Of(true), null, "systemd also ignores net.core.rmem_max and wmem_max"));
    }

    private void Flag(SourceSetting setting, string key) =>
        Set(setting, key, SystemdValues.Flag(setting.Value) is { } flag ? TomlLiteral.Of(flag) : null);

    private void Integer(SourceSetting setting, string key) =>
        Set(setting, key, SystemdValues.Integer(setting.Value) is { } number ? TomlLiteral.Of(number) : null);

    private void Seconds(SourceSetting setting, string key) =>
        Set(setting, key, SystemdValues.Span(setting.Value) is { } span && span != TimeSpan.MaxValue ? TomlLiteral.Of(span) : null);

    /// <summary>Sets a value for each address; a null literal is a value that cannot be read.</summary>
    private void Set(SourceSetting setting, string key, string? literal)
    {
        if (literal is null || _listeners.Count == 0)
        {
            Lost(setting, literal is null ? "its value cannot be read" : "no listener of the unit can be translated");
            return;
        }

        _listeners.ForEach(listener => listener.Set(key, literal, setting));
    }

    private void Lost(SourceSetting setting, string reason) => draft.Lost(setting, reason);

    private void Report(SourceSetting setting, Reason reason) => draft.Differences.Add(setting, reason);

    private string? Expanded(string text) => SystemdSpecifiers.Expand(text, unit, out _);

    /// <summary>The path of a UNIX socket with a file; null for other addresses.</summary>
    private static string? Path(DraftSection listener)
    {
        var address = listener.Line("address")!.Literal.Trim('"');
        var path = address.IndexOf(":///", StringComparison.Ordinal);
        return path > 0 && address.StartsWith("unix", StringComparison.Ordinal) ? address[(path + ":///".Length - 1)..] : null;
    }

    private static string SchemeOf(DraftSection listener) => listener.Line("address")!.Literal.Trim('"').Split(':')[0];

    private static long? TypeOfService(string text) => text switch
    {
        "low-delay" => 16,
        "throughput" => 8,
        "reliability" => 4,
        "low-cost" => 2,
        _ => SystemdValues.Integer(text),
    };
}
