using System.Globalization;
using Supervisor.Core.Listeners;

namespace Supervisor.Config.Import;

/// <summary>A .socket unit, systemd.socket(5): a listener for each of its addresses.</summary>
internal sealed class SystemdSocketImport(SystemdUnit unit, ImportDraft draft)
{
    private const string KernelObject = "listend holds sockets, no other kernel objects";

    private static readonly Dictionary<string, string> Without = new(StringComparer.Ordinal)
    {
        ["ListenFIFO"] = KernelObject,
        ["ListenSpecial"] = KernelObject,
        ["ListenNetlink"] = KernelObject,
        ["ListenMessageQueue"] = KernelObject,
        ["ListenUSBFunction"] = KernelObject,
        ["DirectoryMode"] = "listend makes no directories: make the socket's own by tmpfiles.d",
        ["Writable"] = KernelObject,
        ["FlushPending"] = "what waits in a queue is kept until a worker takes it",
        ["MaxConnections"] = "it goes with Accept=yes",
        ["MaxConnectionsPerSource"] = "it goes with Accept=yes",
        ["Priority"] = "SO_PRIORITY is not passed on to accepted connections: set it in the worker",
        ["SmackLabel"] = "no security labels",
        ["SmackLabelIPIn"] = "no security labels",
        ["SmackLabelIPOut"] = "no security labels",
        ["SELinuxContextFromNet"] = "no security labels",
        ["PipeSize"] = KernelObject,
        ["MessageQueueMaxMessages"] = KernelObject,
        ["MessageQueueMessageSize"] = KernelObject,
        ["PassSecurity"] = "SO_PASSSEC: set it in the worker",
        ["Timestamping"] = "SO_TIMESTAMP: set it in the worker",
        ["ExecStartPre"] = "a listener has no hooks: hooks.pre_start belongs to a service",
        ["ExecStartPost"] = "a listener has no hooks: hooks.post_ready belongs to a service",
        ["ExecStopPre"] = "a listener has no hooks",
        ["ExecStopPost"] = "a listener has no hooks: hooks.post_stop belongs to a service",
        ["TimeoutSec"] = "a listener has no hooks that could take long",
        ["Symlinks"] = "listend makes no links to a socket: make them by tmpfiles.d",
        ["TriggerLimitIntervalSec"] = "workers that fail are held back by restart.limit_interval of the service",
        ["TriggerLimitBurst"] = "workers that fail are held back by restart.limit of the service",
        ["PollLimitIntervalSec"] = "a connection wakes the daemon once, until the workers are there",
        ["PollLimitBurst"] = "a connection wakes the daemon once, until the workers are there",
    };

    private readonly List<DraftSection> _listeners = [];

    /// <summary>The unit's name.</summary>
    public string Name => unit.Name;

    /// <summary>The service that it starts.</summary>
    public string Service => unit.Last("Socket", "Service")?.Value is { } named ? Expanded(named) ?? named : $"{unit.Stem}.service";

    /// <summary>Whether it starts a service for each connection.</summary>
    public bool IsForEachConnection => unit.Last("Socket", "Accept") is { } accept && SystemdValues.Flag(accept.Value) == true;

    /// <summary>The listeners, in order.</summary>
    public IReadOnlyList<DraftSection> Listeners => _listeners;

    /// <param name="hasService">Whether the service that it starts was given too.</param>
    public void Translate(bool hasService)
    {
        var name = unit.Last("Socket", "FileDescriptorName") is { } given ? Expanded(given.Value) ?? unit.Stem : unit.Stem;
        var addresses = unit.Settings.Where(s => s.Section == "Socket" && s.Key is "ListenStream" or "ListenDatagram" or "ListenSequentialPacket").ToList();

        // An empty one of any kind takes back all before it.
        addresses.RemoveRange(0, addresses.FindLastIndex(s => s.Value.Length == 0) + 1);
        foreach (var setting in addresses)
        {
            if (Address(setting, out var reason) is not { } address)
            {
                draft.NoEqual(setting, reason);
                continue;
            }

            var listener = draft.Add("listener", name);
            if (_listeners.Count == 0 && unit.Last("Unit", "Description") is { } description)
            {
                listener.Remarks.Add(description.Value);
            }

            listener.Set("address", TomlLiteral.Of(address), setting);
            _listeners.Add(listener);
        }

        if (_listeners.Count > 1)
        {
            _listeners[0].Remarks.Add("LISTEN_FDNAMES: systemd gives all addresses of a unit one name, and here each listener has its own.");
        }

        foreach (var listener in _listeners.Where(IsPath))
        {
            // What systemd does unasked, systemd.socket(5) and src/core/socket.c: 0666, and an old file is removed before bind().
            listener.Set("unix.mode", TomlLiteral.Of("0666"), null, "systemd's default");
            listener.Set("unix.remove_stale", TomlLiteral.Of(true), null, "as systemd does");
        }

        if (!hasService && _listeners.Count > 0)
        {
            _listeners[0].Remarks.Add($"{Service} was not given: write a [service.NAME] that lists this listener.");
        }

        foreach (var setting in Effective())
        {
            Translate(setting);
        }
    }

    /// <summary>A worker that takes its descriptors without O_NONBLOCK, or with it: NonBlocking= of the service.</summary>
    public void SetNonBlocking(SourceSetting setting) => _listeners.ForEach(l => l.Set("listen.non_blocking", TomlLiteral.Of(true), setting));

    /// <summary>The settings that count: of those that are no list, the last one.</summary>
    private IEnumerable<SourceSetting> Effective()
    {
        for (var i = 0; i < unit.Settings.Count; i++)
        {
            var setting = unit.Settings[i];
            var isList = setting.Section != "Socket" || setting.Key.StartsWith("Listen", StringComparison.Ordinal) || setting.Key.StartsWith("Exec", StringComparison.Ordinal);
            if (setting.Value.Length > 0 && (isList || setting == unit.Last(setting.Section, setting.Key)))
            {
                yield return setting;
            }
        }
    }

    private void Translate(SourceSetting setting)
    {
        switch (setting.Section, setting.Key)
        {
            case ("Unit", "Description"):
            case ("Socket", "ListenStream" or "ListenDatagram" or "ListenSequentialPacket" or "FileDescriptorName" or "Service" or "SocketProtocol"):
                break;
            case ("Unit", "Documentation"):
                _listeners.FirstOrDefault()?.Remarks.Add(setting.Value);
                break;
            case ("Socket", "Accept"):
                if (SystemdValues.Flag(setting.Value) != false)
                {
                    NoEqual(setting, "listend starts no worker for each connection: the service must accept by itself");
                }

                break;
            case ("Socket", "BindIPv6Only"):
                BindIPv6Only(setting);
                break;
            case ("Socket", "Backlog"):
                Set(setting, "listen.backlog", SystemdValues.Integer(setting.Value) is { } backlog ? TomlLiteral.Of(Math.Min(backlog, int.MaxValue)) : null);
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
                Flag(setting, "bind.reuse_port");
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
            case ("Socket", "PassPacketInfo"):
                Flag(setting, "datagram.packet_info");
                break;
            case ("Socket", "TCPCongestion"):
                Set(setting, "accepted.congestion", TomlLiteral.Of(setting.Value));
                break;
            case ("Socket", "RemoveOnStop"):
                if (SystemdValues.Flag(setting.Value) != true)
                {
                    NoEqual(setting, "listend removes a socket file that it made when it gives the listener up");
                }

                break;
            case ("Socket", var key):
                NoEqual(setting, Without.GetValueOrDefault(key, "listend has nothing like it"));
                break;
            case (var section, _):
                NoEqual(setting, SystemdReasons.Of(section));
                break;
        }
    }

    private void BindIPv6Only(SourceSetting setting)
    {
        switch (setting.Value)
        {
            case "ipv6-only":
                foreach (var listener in _listeners)
                {
                    // A port alone is [::] with its IPv4 side, which this setting takes away.
                    var address = listener.Lines.Find(l => l.Key == "address")!;
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
                NoEqual(setting, "net.ipv6.bindv6only is not asked: bind.ipv6_only is false unless it is set");
                break;
            default:
                NoEqual(setting, "it is none of default, both, ipv6-only");
                break;
        }
    }

    private void Buffer(SourceSetting setting, string key)
    {
        Set(setting, key, SystemdValues.Size(setting.Value) is { } size ? TomlLiteral.Of(size) : null);

        // systemd takes SO_RCVBUFFORCE where SO_RCVBUF is capped, src/basic/socket-util.c.
        _listeners.ForEach(l => l.Set("buffers.force", TomlLiteral.Of(true), null, "as systemd does: over net.core.rmem_max and wmem_max"));
    }

    private void Flag(SourceSetting setting, string key) => Set(setting, key, SystemdValues.Flag(setting.Value) is { } flag ? TomlLiteral.Of(flag) : null);

    private void Integer(SourceSetting setting, string key) => Set(setting, key, SystemdValues.Integer(setting.Value) is { } number ? TomlLiteral.Of(number) : null);

    private void Seconds(SourceSetting setting, string key) =>
        Set(setting, key, SystemdValues.Span(setting.Value) is { } span && span != TimeSpan.MaxValue ? TomlLiteral.Of(span) : null);

    /// <summary>Sets it for each address; a null literal: the value could not be read.</summary>
    private void Set(SourceSetting setting, string key, string? literal)
    {
        if (literal is null || _listeners.Count == 0)
        {
            NoEqual(setting, literal is null ? "its value cannot be read" : "it belongs to no listener that could be translated");
            return;
        }

        _listeners.ForEach(listener => listener.Set(key, literal, setting));
    }

    private void NoEqual(SourceSetting setting, string reason)
    {
        if (_listeners is [var first, ..])
        {
            first.NoEqual(setting, reason);
        }
        else
        {
            draft.NoEqual(setting, reason);
        }
    }

    private string? Expanded(string text) => SystemdSpecifiers.Expand(text, unit, out _);

    private static bool IsPath(DraftSection listener) =>
        listener.Lines.Find(l => l.Key == "address")!.Literal is var address && address.StartsWith("\"unix", StringComparison.Ordinal)
        && address.Contains(":///", StringComparison.Ordinal);

    private static long? TypeOfService(string text) => text switch
    {
        "low-delay" => 16,
        "throughput" => 8,
        "reliability" => 4,
        "low-cost" => 2,
        _ => SystemdValues.Integer(text),
    };

    /// <summary>The address as listend writes it; null with the reason why it has none.</summary>
    private string? Address(SourceSetting setting, out string reason)
    {
        if (SystemdSpecifiers.Expand(setting.Value, unit, out reason) is not { } text)
        {
            return null;
        }

        var kind = setting.Key switch { "ListenStream" => ListenerKind.Tcp, "ListenDatagram" => ListenerKind.Udp, _ => ListenerKind.UnixSeqpacket };
        if (text[0] is '/' or '@')
        {
            return kind switch { ListenerKind.Tcp => "unix://", ListenerKind.Udp => "unix-dgram://", _ => "unix-seqpacket://" } + text;
        }

        if (kind == ListenerKind.UnixSeqpacket)
        {
            reason = "SOCK_SEQPACKET is for UNIX sockets here: a path from \"/\" on or an abstract name after \"@\"";
            return null;
        }

        foreach (var prefix in (string[])["vsock-stream:", "vsock:"])
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal))
            {
                var parts = text[prefix.Length..].Split(':');
                reason = parts.Length == 2 && kind == ListenerKind.Tcp ? "" : "it is no vsock:CID:PORT of a stream";
                return reason.Length > 0 ? null : $"vsock://{(parts[0].Length == 0 ? "*" : parts[0])}:{parts[1]}";
            }
        }

        var scheme = kind == ListenerKind.Tcp ? "tcp" : "udp";
        if (unit.Last("Socket", "SocketProtocol") is { } protocol)
        {
            if (protocol.Value != "mptcp" || kind != ListenerKind.Tcp)
            {
                reason = $"SocketProtocol={protocol.Value} (line {protocol.Line}): listend speaks TCP, MPTCP and UDP";
                return null;
            }

            scheme = "mptcp";
        }

        if (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            return $"{scheme}://*:{text}";
        }

        // [ADDRESS]:PORT%INTERFACE; listend has the interface with the address.
        var percent = text.LastIndexOf('%');
        if (text[0] == '[' && percent > text.LastIndexOf(']'))
        {
            text = text[..percent].Replace("]", text[percent..] + "]", StringComparison.Ordinal);
        }

        if (ListenAddress.TryParse($"{scheme}://{text}", out var address, out var error))
        {
            return address.ToString();
        }

        reason = error.Message;
        return null;
    }
}
