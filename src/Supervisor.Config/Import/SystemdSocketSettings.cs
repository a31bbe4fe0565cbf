using System.Net.Sockets;
using Supervisor.Core.Listeners;

namespace Supervisor.Config.Import;

/// <summary>The settings of [Socket] that every address of the unit gets, systemd.socket(5).</summary>
/// <param name="unit">The unit, for its specifiers.</param>
/// <param name="draft">Gets what has no equivalent.</param>
/// <param name="listeners">The addresses of the unit.</param>
internal sealed class SystemdSocketSettings(SystemdUnit unit, ImportDraft draft, IReadOnlyList<SystemdListener> listeners)
{
    private static readonly Reason NoAddress = Reason.NotNeeded("it applies to no address of the unit");

    private static readonly Reason NoListener = Reason.LostToo("no listener of the unit can be translated");

    private readonly List<string> _links = [];

    /// <summary>Writes a setting, or reports why it is not written; false if the setting is not one of an address.</summary>
    public bool TryTranslate(SourceSetting setting)
    {
        if (SystemdSocketDefaults.Has(setting))
        {
            Report(setting, SystemdSocketDefaults.Unset);
            return true;
        }

        switch (setting.Key)
        {
            case "BindIPv6Only":
                BindIPv6Only(setting);
                break;
            case "Backlog":
                Set(
                    setting, "listen.backlog",
                    SystemdValues.Integer(setting.Value) is { } backlog ? TomlLiteral.Of(Math.Min(backlog, int.MaxValue)) : null);
                break;
            case "BindToDevice":
                Set(setting, "bind.device", TomlLiteral.Of(Expanded(setting.Value) ?? setting.Value));
                break;
            case "SocketUser":
                Set(setting, "unix.user", TomlLiteral.Of(Expanded(setting.Value) ?? setting.Value));
                break;
            case "SocketGroup":
                Set(setting, "unix.group", TomlLiteral.Of(Expanded(setting.Value) ?? setting.Value));
                break;
            case "SocketMode":
                Set(setting, "unix.mode", TomlLiteral.Of(setting.Value));
                break;
            case "NetworkNamespacePath":
                Set(setting, "network_namespace", TomlLiteral.Of(Expanded(setting.Value) ?? setting.Value));
                break;
            case "DirectoryMode":
                DirectoryMode(setting);
                break;
            case "Symlinks":
                Symlinks(setting);
                break;
            case "KeepAlive":
                Flag(setting, "accepted.keep_alive");
                break;
            case "KeepAliveTimeSec":
                Seconds(setting, "accepted.keep_alive_idle");
                break;
            case "KeepAliveIntervalSec":
                Seconds(setting, "accepted.keep_alive_interval");
                break;
            case "KeepAliveProbes":
                Integer(setting, "accepted.keep_alive_probes");
                break;
            case "NoDelay":
                Flag(setting, "accepted.no_delay");
                break;
            case "DeferAcceptSec":
                Seconds(setting, "listen.defer_accept");
                break;
            case "ReceiveBuffer":
                Buffer(setting, "buffers.receive");
                break;
            case "SendBuffer":
                Buffer(setting, "buffers.send");
                break;
            case "IPTOS":
                Set(setting, "accepted.tos", TypeOfService(setting.Value) is { } tos ? TomlLiteral.Of(tos) : null);
                break;
            case "IPTTL":
                Integer(setting, "accepted.ttl");
                break;
            case "Mark":
                Integer(setting, "bind.mark");
                break;
            case "ReusePort":
                ReusePort(setting);
                break;
            case "FreeBind":
                Flag(setting, "bind.free_bind");
                break;
            case "Transparent":
                Flag(setting, "bind.transparent");
                break;
            case "Broadcast":
                Flag(setting, "datagram.broadcast");
                break;
            case "PassCredentials":
                Flag(setting, "unix.pass_credentials");
                break;
            case "PassSecurity":
                Flag(setting, "unix.pass_security");
                break;
            case "PassPIDFD":
                Flag(setting, "unix.pass_pidfd");
                break;
            case "PipeSize":
                Size(setting, "fifo.pipe_size");
                break;
            case "MessageQueueMaxMessages":
                Integer(setting, "mqueue.max_messages");
                break;
            case "MessageQueueMessageSize":
                Size(setting, "mqueue.message_size");
                break;
            case "Writable":
                Flag(setting, "special.writable");
                break;
            case "Priority":
                Integer(setting, "bind.priority");
                break;
            case "Timestamping":
                Set(setting, "datagram.timestamping", setting.Value switch
                {
                    // src/basic/socket-util.c, socket_timestamping_from_string_harder(): yes means ns.
                    "us" or "usec" or "µs" or "μs" => TomlLiteral.Of("us"),
                    "ns" or "nsec" => TomlLiteral.Of("ns"),
                    var text => SystemdValues.Flag(text) is { } isOn ? TomlLiteral.Of(isOn ? "ns" : "off") : null,
                });
                break;
            case "AcceptFileDescriptors":
                AcceptFileDescriptors(setting);
                break;
            case "PassPacketInfo":
                Flag(setting, "datagram.packet_info");
                break;
            case "TCPCongestion":
                Set(setting, "accepted.congestion", TomlLiteral.Of(setting.Value));
                break;
            case "RemoveOnStop":
                RemoveOnStop(setting);
                break;
            default:
                return false;
        }

        return true;
    }

    private void DirectoryMode(SourceSetting setting)
    {
        Set(setting, "unix.directory_mode", TomlLiteral.Of(setting.Value.PadLeft(4, '0')));
    }

    /// <summary>systemd makes them if the unit has exactly one path: src/core/socket.c, socket_find_symlink_target.</summary>
    private void Symlinks(SourceSetting setting)
    {
        var paths = listeners.Where(listener => listener.Address?.HasFile == true).ToArray();
        if (paths.Length != 1)
        {
            Report(setting, Reason.NotNeeded("systemd makes the links only if the unit has exactly one path"));
            return;
        }

        _links.AddRange(SystemdWords.SplitValue(setting.Value).Select(link => Expanded(link) ?? link));
        paths[0].Section.Set("unix.symlinks", TomlLiteral.Of(_links), setting);
    }

    private void BindIPv6Only(SourceSetting setting)
    {
        switch (setting.Value)
        {
            case "ipv6-only":
                OnlyIPv6(setting);
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

    private void OnlyIPv6(SourceSetting setting)
    {
        var able = listeners.Where(listener => listener.Address is { Host: null } or { Host.AddressFamily: AddressFamily.InterNetworkV6 })
            .Where(listener => listener.Address!.Kind.IsInternet()).Select(listener => listener.Section).ToList();
        if (able.Count == 0)
        {
            Report(setting, NoAddress);
        }

        foreach (var section in able)
        {
            // An address with only a port is [::] with IPv4, which this setting turns off.
            var address = section.Line("address")!;
            if (address.Literal.Contains("://*:", StringComparison.Ordinal))
            {
                section.Set("address", address.Literal.Replace("://*:", "://[::]:", StringComparison.Ordinal), address.Origin);
            }

            section.Set("bind.ipv6_only", TomlLiteral.Of(true), setting);
        }
    }

    /// <summary>systemd sets it for IP sockets, src/basic/socket-util.c; the kernel refuses it for others.</summary>
    private void ReusePort(SourceSetting setting) => Set(
        setting, "bind.reuse_port", SystemdValues.Flag(setting.Value) is { } flag ? TomlLiteral.Of(flag) : null,
        static address => address.Kind.IsInternet());

    /// <summary>systemd 258. The kernel's default is yes, and only UNIX sockets receive descriptors.</summary>
    private void AcceptFileDescriptors(SourceSetting setting)
    {
        if (SystemdValues.Flag(setting.Value) == true)
        {
            Report(setting, Reason.NotNeeded("it is the default"));
            return;
        }

        Set(
            setting, "options",
            SystemdValues.Flag(setting.Value) is null
                ? null
                : """[{ level = "SOL_SOCKET", name = "SO_PASSRIGHTS", value = 0, phase = "pre-listen" }]""",
            static address => address.Kind.IsUnix());
    }

    private void Buffer(SourceSetting setting, string key)
    {
        Size(setting, key);

        // systemd uses SO_RCVBUFFORCE if SO_RCVBUF is limited, src/basic/socket-util.c.
        foreach (var listener in listeners.Where(listener => listener.CanHave("buffers.force")))
        {
            listener.Section.Set("buffers.force", TomlLiteral.Of(true), null, "systemd also ignores net.core.rmem_max and wmem_max");
        }
    }

    private void RemoveOnStop(SourceSetting setting)
    {
        var flag = SystemdValues.Flag(setting.Value);
        var queues = listeners.Where(listener => listener.Address?.Kind == ListenerKind.MessageQueue).ToList();
        if (flag is null || queues.Count > 0)
        {
            Flag(setting, "mqueue.remove_on_stop");
        }

        if (flag == false && listeners.Any(listener => listener.Address?.HasFile == true))
        {
            Report(setting, Reason.Changed("listend always removes a socket file or FIFO that it made, and its links, when it closes it"));
        }
    }

    private void Size(SourceSetting setting, string key) =>
        Set(setting, key, SystemdValues.Size(setting.Value) is { } size ? TomlLiteral.Of(size) : null);

    private void Flag(SourceSetting setting, string key) =>
        Set(setting, key, SystemdValues.Flag(setting.Value) is { } flag ? TomlLiteral.Of(flag) : null);

    private void Integer(SourceSetting setting, string key) =>
        Set(setting, key, SystemdValues.Integer(setting.Value) is { } number ? TomlLiteral.Of(number) : null);

    /// <summary>Whole seconds: systemd leaves out the rest.</summary>
    private void Seconds(SourceSetting setting, string key) => Set(
        setting, key,
        SystemdValues.Span(setting.Value) is { } span && span != TimeSpan.MaxValue
            ? TomlLiteral.Of(TimeSpan.FromSeconds((long)span.TotalSeconds))
            : null);

    /// <summary>
    /// Sets a value for each address that can have it: systemd ignores it for the others too. A null literal is a value that cannot be
    /// read.
    /// </summary>
    private void Set(SourceSetting setting, string key, string? literal, Func<ListenAddress, bool>? condition = null)
    {
        if (literal is null || listeners.Count == 0)
        {
            Report(setting, literal is null ? Reason.Lost("its value cannot be read") : NoListener);
            return;
        }

        var having = listeners
            .Where(listener => listener.CanHave(key) && (listener.Address is not { } address || condition?.Invoke(address) != false))
            .ToList();
        having.ForEach(listener => listener.Section.Set(key, literal, setting));
        if (having.Count == 0)
        {
            Report(setting, NoAddress);
        }
    }

    private void Lost(SourceSetting setting, string reason) => draft.Lost(setting, reason);

    private void Report(SourceSetting setting, Reason reason) => draft.Differences.Add(setting, reason);

    private string? Expanded(string text) => SystemdSpecifiers.Expand(text, unit, out _);

    private static long? TypeOfService(string text) => text switch
    {
        "low-delay" => 16,
        "throughput" => 8,
        "reliability" => 4,
        "low-cost" => 2,
        _ => SystemdValues.Integer(text),
    };
}
