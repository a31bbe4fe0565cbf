using System.Globalization;
using Supervisor.Core.Listeners;

namespace Supervisor.Config.Import;

/// <summary>A .socket unit, systemd.socket(5): a listener for each of its addresses.</summary>
internal sealed class SystemdSocketImport(SystemdUnit unit, ImportDraft draft)
{
    private readonly List<DraftSection> _listeners = [];

    /// <summary>The name of the unit.</summary>
    public string Name => unit.Name;

    /// <summary>The service that it starts.</summary>
    public string Service =>
        unit.Last("Socket", "Service")?.Value is { } named ? Expanded(named) ?? named : $"{unit.Stem}.service";

    /// <summary>Whether it starts a service for each connection.</summary>
    public bool IsForEachConnection =>
        unit.Last("Socket", "Accept") is { } accept && SystemdValues.Flag(accept.Value) == true;

    /// <summary>The listeners, in order.</summary>
    public IReadOnlyList<DraftSection> Listeners => _listeners;

    /// <param name="hasService">Whether the service that it starts was given to the import.</param>
    public void Translate(bool hasService)
    {
        var name = unit.Last("Socket", "FileDescriptorName") is { } given ? Expanded(given.Value) ?? unit.Stem : unit.Stem;
        var addresses = unit.Settings
            .Where(s => s.Section == "Socket" && s.Key is "ListenStream" or "ListenDatagram" or "ListenSequentialPacket")
            .ToList();

        // An empty value of any kind resets all addresses before it.
        addresses.RemoveRange(0, addresses.FindLastIndex(s => s.Value.Length == 0) + 1);
        foreach (var setting in addresses)
        {
            if (Address(setting, out var reason) is not { } address)
            {
                draft.NoEquivalent(setting, reason);
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
            _listeners[0].Remarks.Add(
                "LISTEN_FDNAMES: each listener has its own name. systemd gives all addresses of a unit the same name.");
        }

        foreach (var listener in _listeners.Where(IsPath))
        {
            // systemd's defaults, systemd.socket(5) and src/core/socket.c: mode 0666, and remove an old file before bind().
            listener.Set("unix.mode", TomlLiteral.Of("0666"), null, "systemd's default");
            listener.Set("unix.remove_stale", TomlLiteral.Of(true), null, "systemd does the same");
        }

        if (!hasService && _listeners.Count > 0)
        {
            _listeners[0].Remarks.Add($"{Service} was not given to the import: write a [service.NAME] that lists this listener.");
        }

        foreach (var setting in Effective())
        {
            Translate(setting);
        }
    }

    /// <summary>Sets O_NONBLOCK for NonBlocking= of the service.</summary>
    public void SetNonBlocking(SourceSetting setting) =>
        _listeners.ForEach(l => l.Set("listen.non_blocking", TomlLiteral.Of(true), setting));

    /// <summary>The effective settings: all of a list, otherwise the last one.</summary>
    private IEnumerable<SourceSetting> Effective()
    {
        for (var i = 0; i < unit.Settings.Count; i++)
        {
            var setting = unit.Settings[i];
            var isList = setting.Section != "Socket"
                || setting.Key.StartsWith("Listen", StringComparison.Ordinal)
                || setting.Key.StartsWith("Exec", StringComparison.Ordinal);
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
            case ("Socket", "ListenStream" or "ListenDatagram" or "ListenSequentialPacket"):
            case ("Socket", "FileDescriptorName" or "Service" or "SocketProtocol"):
                break;
            case ("Unit", "Documentation"):
                _listeners.FirstOrDefault()?.Remarks.Add(setting.Value);
                break;
            case ("Socket", "Accept"):
                if (SystemdValues.Flag(setting.Value) != false)
                {
                    NoEquivalent(
                        setting, "listend does not start a worker for each connection: the service must accept connections itself");
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
                    NoEquivalent(setting, "listend always removes a socket file that it created when it closes the listener");
                }

                break;
            case ("Socket", var key):
                NoEquivalent(setting, SystemdSocketReasons.Of(key));
                break;
            case (var section, _):
                NoEquivalent(setting, SystemdReasons.Of(section));
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
                    // An address with only a port is [::] with IPv4, which this setting turns off.
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
                NoEquivalent(setting, "listend ignores net.ipv6.bindv6only: bind.ipv6_only is false by default");
                break;
            default:
                NoEquivalent(setting, "it is not one of default, both, ipv6-only");
                break;
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
            NoEquivalent(setting, literal is null ? "its value cannot be read" : "no listener of the unit can be translated");
            return;
        }

        _listeners.ForEach(listener => listener.Set(key, literal, setting));
    }

    private void NoEquivalent(SourceSetting setting, string reason)
    {
        if (_listeners is [var first, ..])
        {
            first.NoEquivalent(setting, reason);
        }
        else
        {
            draft.NoEquivalent(setting, reason);
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

    /// <summary>The address for listend; null with the reason if it has no equivalent.</summary>
    private string? Address(SourceSetting setting, out string reason)
    {
        if (SystemdSpecifiers.Expand(setting.Value, unit, out reason) is not { } text)
        {
            return null;
        }

        var kind = setting.Key switch
        {
            "ListenStream" => ListenerKind.Tcp,
            "ListenDatagram" => ListenerKind.Udp,
            _ => ListenerKind.UnixSeqpacket,
        };
        if (text[0] is '/' or '@')
        {
            return kind switch { ListenerKind.Tcp => "unix://", ListenerKind.Udp => "unix-dgram://", _ => "unix-seqpacket://" } + text;
        }

        if (kind == ListenerKind.UnixSeqpacket)
        {
            reason = "listend has SOCK_SEQPACKET only for UNIX sockets: "
                + "write a path that begins with \"/\" or an abstract name after \"@\"";
            return null;
        }

        foreach (var prefix in (string[])["vsock-stream:", "vsock:"])
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal))
            {
                var parts = text[prefix.Length..].Split(':');
                reason = parts.Length == 2 && kind == ListenerKind.Tcp ? "" : "it is not vsock:CID:PORT of a stream";
                return reason.Length > 0 ? null : $"vsock://{(parts[0].Length == 0 ? "*" : parts[0])}:{parts[1]}";
            }
        }

        var scheme = kind == ListenerKind.Tcp ? "tcp" : "udp";
        if (unit.Last("Socket", "SocketProtocol") is { } protocol)
        {
            if (protocol.Value != "mptcp" || kind != ListenerKind.Tcp)
            {
                reason = $"SocketProtocol={protocol.Value} (line {protocol.Line}): listend supports TCP, MPTCP and UDP";
                return null;
            }

            scheme = "mptcp";
        }

        if (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            return $"{scheme}://*:{text}";
        }

        // [ADDRESS]:PORT%INTERFACE; listend writes the interface after the address.
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
