using Supervisor.Core.Listeners;

namespace Supervisor.Config.Import;

/// <summary>A .socket unit, systemd.socket(5): a listener for each of its addresses.</summary>
internal sealed class SystemdSocketImport(SystemdUnit unit, ImportDraft draft)
{
    /// <summary>Folders that exist on every system. systemd creates the others for a socket.</summary>
    private static readonly string[] ExistingFolders =
        ["/", "/run", "/var/run", "/tmp", "/var/tmp", "/var/lib", "/dev", "/var", "/srv", "/etc", "/opt", "/home", "/root"];

    private readonly List<SystemdListener> _listeners = [];

    public SystemdUnit Unit => unit;

    /// <summary>The service that it starts.</summary>
    public string Service { get; } = ServiceOf(unit);

    /// <summary>Whether it starts a service for each connection.</summary>
    public bool IsForEachConnection { get; } = Accepts(unit);

    /// <summary>The listeners, in order.</summary>
    public IEnumerable<DraftSection> Listeners => _listeners.Select(listener => listener.Section);

    /// <summary>Whether LISTEN_FDNAMES has other names than from systemd.</summary>
    public bool HasOtherNames { get; private set; }

    /// <summary>The service that a socket starts; the template of its service with Accept=yes.</summary>
    public static string ServiceOf(SystemdUnit unit) =>
        unit.Last("Socket", "Service") is { } named ? SystemdSpecifiers.Expand(named.Value, unit, out _) ?? named.Value
        : Accepts(unit) ? $"{unit.Prefix}@.service"
        : $"{unit.Stem}.service";

    /// <summary>Whether connections arrive at one of them.</summary>
    public bool AcceptsConnections => _listeners.Exists(listener => listener.Address?.Kind.Listens() == true);

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
            _listeners.Add(new SystemdListener(listener, ListenAddress.TryParse(address, out var parsed, out _) ? parsed : null));
        }

        HasOtherNames = _listeners.Count > 1 || (_listeners is [var only] && (given is null || only.Section.Name != name));

        _listeners.ForEach(Defaults);
        if (!units.Contains(Service) && _listeners.Count > 0)
        {
            draft.Differences.Add(
                unit.File, Reason.Lost($"{Service} was not given to the import: write a [service.NAME] that lists its listeners"));
        }

        var settings = new SystemdSocketSettings(unit, draft, _listeners);
        foreach (var setting in Effective())
        {
            Translate(setting, settings, units);
        }

        Owner();
    }

    /// <summary>Sets O_NONBLOCK for NonBlocking= of the service.</summary>
    public void SetNonBlocking(SourceSetting setting) =>
        _listeners.ForEach(l => l.Section.Set("listen.non_blocking", TomlLiteral.Of(true), setting));

    private static bool Accepts(SystemdUnit unit) =>
        unit.Last("Socket", "Accept") is { } accept && SystemdValues.Flag(accept.Value) == true;

    /// <summary>The addresses; an empty value of any kind resets all before it.</summary>
    private List<SourceSetting> Addresses()
    {
        var addresses = unit.Settings
            .Where(s => s.Section == "Socket" && SystemdAddress.IsAddress(s.Key))
            .ToList();
        addresses.RemoveRange(0, addresses.FindLastIndex(s => s.Value.Length == 0) + 1);
        return addresses;
    }

    /// <summary>Writes the defaults of systemd that differ from those of listend, systemd.socket(5) and src/core/socket.c.</summary>
    private static void Defaults(SystemdListener listener)
    {
        var (section, address) = listener;
        if (listener.CanHave("unix.mode"))
        {
            section.Set("unix.mode", TomlLiteral.Of("0666"), null, "systemd's default");
        }

        if (address is { IsFile: true })
        {
            section.Set("unix.remove_stale", TomlLiteral.Of(true));
        }

        if (address is { HasFile: true, Path: { } path } && !ExistingFolders.Contains(path[..Math.Max(1, path.LastIndexOf('/'))]))
        {
            section.Set("unix.directory_mode", TomlLiteral.Of("0755"), null, "systemd's default");
        }

        if (address?.Kind == ListenerKind.Udp)
        {
            section.Set("bind.reuse_address", TomlLiteral.Of(true), null, "as systemd");
        }
    }

    /// <summary>Without SocketGroup= the file belongs to the primary group of SocketUser=.</summary>
    private void Owner()
    {
        if (unit.Last("Socket", "SocketUser") is { } user && unit.Last("Socket", "SocketGroup") is null)
        {
            var name = Expanded(user.Value) ?? user.Value;
            foreach (var listener in _listeners.Where(listener => listener.CanHave("unix.group")))
            {
                listener.Section.Set("unix.group", TomlLiteral.Of(name), user, "the user's primary group: check its name");
            }
        }
    }

    /// <summary>The effective settings: all of a list, otherwise the last one.</summary>
    private IEnumerable<SourceSetting> Effective()
    {
        var listed = SystemdLists.Effective(unit).ToHashSet();
        return unit.Settings.Where(listed.Contains);
    }

    private void Translate(SourceSetting setting, SystemdSocketSettings settings, IReadOnlySet<string> units)
    {
        switch (setting.Section, setting.Key)
        {
            case ("Unit", "Description"):
            case ("Socket", "FileDescriptorName" or "Service" or "SocketProtocol"):
            case ("Socket", var address) when SystemdAddress.IsAddress(address):
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
            case ("Socket", "ExecStartPre" or "ExecStartPost" or "ExecStopPre" or "ExecStopPost"):
                if (!units.Contains(Service))
                {
                    Report(setting, Reason.Changed($"write it as hooks.pre_start or hooks.post_stop of the service, with {Service}"));
                }

                break;
            case ("Socket", var key) when !settings.TryTranslate(setting):
                Report(setting, SystemdSocketReasons.Of(key));
                break;
            case ("Socket", _):
                break;
            default:
                foreach (var (part, difference) in SystemdReasons.Of(setting, units.Contains, isOrdered: false))
                {
                    Report(part, difference);
                }

                break;
        }
    }

    private void Lost(SourceSetting setting, string reason) => draft.Lost(setting, reason);

    private void Report(SourceSetting setting, Reason reason) => draft.Differences.Add(setting, reason);

    private string? Expanded(string text) => SystemdSpecifiers.Expand(text, unit, out _);
}
